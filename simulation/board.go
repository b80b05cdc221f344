package simulation

import "truechimer/actors/port"

// Board is the broker as watchers see it: the newest retained message of each topic, and how many came.
// It implements port.Live.
type Board struct {
	Retained map[string][]byte // by topic
	Messages int
	Counts   map[string]int // what the hub counted, as "what/kind"
}

var _ port.Live = (*Board)(nil)

func newBoard() *Board {
	return &Board{Retained: make(map[string][]byte), Counts: make(map[string]int)}
}

// Publish takes a message.
func (b *Board) Publish(topic string, _ byte, retained bool, payload []byte) {
	b.Messages++
	if retained {
		b.Retained[topic] = payload
	}
}

// count is a port.Count.
func (b *Board) count(what, kind string, n int) { b.Counts[what+"/"+kind] += n }

package broker

import (
	"slices"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"truechimer/messages/topic"
)

// retained are the newest messages of all topics that say how something is. They are kept here and not in mochi,
// which reads them while they are being written, replays them without minding what the client takes, and may leave
// it with an older one.
type retained struct {
	mu      sync.RWMutex
	byTopic map[string]retainedMessage
}

type retainedMessage struct {
	payload []byte
	qos     byte
}

func newRetained() *retained {
	return &retained{byTopic: make(map[string]retainedMessage)}
}

// keep takes a message as the newest of its topic. An empty one withdraws it (MQTT 3.1.1 section 3.3.1.3).
// It must be called before the message goes to its readers: see replay.
func (r *retained) keep(name string, payload []byte, qos byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(payload) == 0 {
		delete(r.byTopic, name)
		return
	}
	r.byTopic[name] = retainedMessage{payload: payload, qos: qos}
}

// covered are the topics that a filter brings, in alphabetical order.
func (r *retained) covered(filter string) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var names []string
	for name := range r.byTopic {
		if topic.Covers(filter, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// replay is what a new subscription brings at once.
type replay struct {
	topics []string
	qos    byte // as granted
}

// replay sends it, as fast as the client takes it: there may be far more than any queue should hold. It is called by
// the goroutine that reads from this client, so nobody else waits for it.
func (r *retained) replay(client *mqtt.Client, what replay) error {
	for _, name := range what.topics {
		if err := r.send(client, name, what.qos); err != nil {
			return err
		}
		connOf(client).drain()
	}
	return nil
}

// send writes the newest message of a topic, if there still is one. While it does, no newer one is kept, and none
// goes to the readers before it is kept: so a newer one follows, and nobody is left with an older one. Writing never
// waits.
func (r *retained) send(client *mqtt.Client, name string, qos byte) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	newest, ok := r.byTopic[name]
	if !ok {
		return nil
	}
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true, Qos: min(newest.qos, qos)},
		TopicName:   name,
		Payload:     newest.payload,
	}
	if pk.FixedHeader.Qos > 0 {
		id, err := client.NextPacketID()
		if err != nil {
			return err
		}
		pk.PacketID = uint16(id)
	}
	return client.WritePacket(pk)
}

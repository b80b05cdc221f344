package lab

import (
	"encoding/binary"
	"testing"
	"time"
)

// The drifting clock gains a millisecond a second, and is right again every ten minutes.
func TestTheDriftingClockStartsAnewEveryTenMinutes(t *testing.T) {
	rows := []struct {
		name    string
		elapsed time.Duration
		want    time.Duration
	}{
		{"at the start", 0, 0},
		{"after a second", time.Second, time.Millisecond},
		{"after five minutes", 5 * time.Minute, 300 * time.Millisecond},
		{"at its worst", 10*time.Minute - time.Second, 599 * time.Millisecond},
		{"set right", 10 * time.Minute, 0},
		{"a year later", 365*24*time.Hour + time.Minute, 60 * time.Millisecond},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if have := drift(row.elapsed); have != row.want {
				t.Errorf("have %s ahead, want %s", have, row.want)
			}
		})
	}
}

// The lossy server drops its share of queries, and the same ones for the same seed.
func TestTheLossyServerDropsTheSameQueriesForASeed(t *testing.T) {
	const queries = 10_000
	drops := func(seed uint64) (pattern [queries]bool, share float64) {
		s := unconnected(t, Lossy, seed)
		for i := range pattern {
			if pattern[i] = s.answer(nil, clientPacket(4, modeClient, 6, 1), time.Now()) == nil; pattern[i] {
				share += 1.0 / queries
			}
		}
		return pattern, share
	}
	first, share := drops(1)
	again, _ := drops(1)
	other, _ := drops(2)
	if share < lossyShare-0.02 || share > lossyShare+0.02 {
		t.Errorf("dropped %.3f of the queries, want %.3f", share, lossyShare)
	}
	if first != again {
		t.Error("the same seed dropped other queries")
	}
	if first == other {
		t.Error("another seed dropped the same queries")
	}
}

// Garbage comes in all sizes up to a whole packet, and never answers the query.
func TestGarbageNeverAnswersTheQuery(t *testing.T) {
	const transmit = 42
	s := unconnected(t, Garbage, 1)
	sizes := make(map[int]bool)
	for range 10_000 {
		reply := s.answer(nil, clientPacket(4, modeClient, 6, transmit), time.Now())
		sizes[len(reply)] = true
		if len(reply) == packetSize && binary.BigEndian.Uint64(reply[24:]) == transmit {
			t.Fatalf("garbage that answers the query: % x", reply)
		}
	}
	if len(sizes) != packetSize+1 {
		t.Errorf("%d sizes, want all from 0 to %d", len(sizes), packetSize)
	}
}

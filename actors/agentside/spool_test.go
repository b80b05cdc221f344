package agentside_test

import (
	"testing"
	"time"

	"truechimer/simulation/world"
)

// A spool that is full drops the oldest samples, says so, and keeps the newest 50,000 for when the hub is back.
func TestFullSpoolDropsTheOldest(t *testing.T) {
	r := newRig(t, world.Config{})
	r.closed = true
	r.start()
	r.run(time.Minute)
	for id := range uint32(60) {
		r.spoolSome(id+1, 1000)
	}
	r.run(time.Minute)
	r.closed = false
	r.run(5 * time.Minute)
	for id := range uint32(60) {
		want := 1000
		if id < 10 {
			want = 0
		}
		if have := r.storedOf(id + 1); have != want {
			t.Errorf("server %d: want %d samples, have %d", id+1, want, have)
		}
	}
	if have := r.Reached("spool drop"); have != 10_000 {
		t.Errorf("want 10,000 drops, have %d", have)
	}
	if n := r.standing().Spooled; n != 0 {
		t.Errorf("want nothing spooled any more, have %d", n)
	}
}

// The hub is told how many samples wait.
func TestPulseTellsWhatWaits(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.mute = true
	r.spoolSome(1, 123)
	r.run(time.Minute)
	if n := r.standing().Spooled; n != 123 {
		t.Errorf("want 123, have %d", n)
	}
}

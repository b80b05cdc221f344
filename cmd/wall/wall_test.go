package wall

import (
	"sync/atomic"
	"testing"
	"time"
)

// patience bounds every wait of these tests; what they wait for takes milliseconds, but the machine may be busy.
const patience = 30 * time.Second

// Now is the wall clock alone: in UTC, and without the other clock's reading, which a step of this one leaves as it was.
func TestNowIsTheWallClock(t *testing.T) {
	now := New().Now()
	if now.Location() != time.UTC || now != now.Round(0) {
		t.Errorf("have %#v", now)
	}
	if off := time.Since(now); off < 0 || off > patience {
		t.Errorf("it is %v off", off)
	}
}

// Elapsed counts from the start, and never backwards.
func TestElapsedNeverGoesBack(t *testing.T) {
	begin := time.Now()
	r := New()
	last := r.Elapsed()
	for range 10_000 {
		next := r.Elapsed()
		if next < last {
			t.Fatalf("%v comes after %v", next, last)
		}
		last = next
	}
	if most := time.Since(begin); last < 0 || last > most {
		t.Errorf("it says %v within %v", last, most)
	}
}

// A timer calls once, not before its time, and never from within AfterFunc: who sets one may hold a lock.
func TestATimerCallsOnceInItsTime(t *testing.T) {
	const d = 20 * time.Millisecond
	r := New()
	for _, wait := range []time.Duration{-time.Second, 0, d} {
		set, called := make(chan struct{}), make(chan time.Duration, 2)
		begin := r.Elapsed()
		r.AfterFunc(wait, func() {
			<-set
			called <- r.Elapsed() - begin
		})
		close(set)
		select {
		case took := <-called:
			if took < wait {
				t.Errorf("a timer of %v called after %v", wait, took)
			}
		case <-time.After(patience):
			t.Fatalf("a timer of %v didn't call", wait)
		}
	}
}

// One that is stopped in time never calls; to stop it again, or after it has called, does nothing.
func TestATimerThatIsStoppedNeverCalls(t *testing.T) {
	var calls atomic.Int32
	r := New()
	stop := r.AfterFunc(50*time.Millisecond, func() { calls.Add(1) })
	stop()
	stop()
	after := make(chan struct{})
	last := r.AfterFunc(100*time.Millisecond, func() { close(after) })
	select {
	case <-after:
	case <-time.After(patience):
		t.Fatal("waited in vain")
	}
	last()
	if n := calls.Load(); n != 0 {
		t.Errorf("it called %d times", n)
	}
}

// No two streams are alike, not even for one actor: what an actor draws can't be told from what it drew in its last life.
func TestEachStreamIsItsOwn(t *testing.T) {
	seen := make(map[uint64]bool)
	for range 1000 {
		first := New().Rand("agent/probe/v4").Uint64()
		if seen[first] {
			t.Fatalf("%d was drawn twice", first)
		}
		seen[first] = true
	}
}

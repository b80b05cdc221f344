package world

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"truechimer/actors/port"
)

// The start is part of what a user sees of a run, and it can be chosen.
func TestTimeStartsWhereItIsSet(t *testing.T) {
	leap := time.Date(2028, time.February, 29, 23, 59, 59, 0, time.UTC)
	for _, test := range []struct {
		name string
		set  time.Time
		want time.Time
	}{
		{"unset", time.Time{}, time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)},
		{"a leap day", leap, leap},
	} {
		t.Run(test.name, func(t *testing.T) {
			if have := New(Config{Start: test.set}).Now(); !have.Equal(test.want) {
				t.Errorf("want %s, have %s", test.want, have)
			}
		})
	}
}

// A run ends at its limit, with all that was due by then done, and nothing after.
func TestRunEndsAtItsLimit(t *testing.T) {
	w := New(Config{})
	var fired []time.Duration
	for _, at := range []time.Duration{3, 1, 2} {
		w.After(at*time.Second, func() { fired = append(fired, w.Since()) })
	}
	run(t, w, 2*time.Second)
	if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second}, fired); diff != "" {
		t.Error(diff)
	}
	if next, ok := w.NextTimer(); !ok || next.Sub(w.Now()) != time.Second {
		t.Errorf("want the next timer in 1 s, have %s, %t", next, ok)
	}
}

// A stopped timer never goes off, also when it is stopped at the instant at which it is due.
func TestStoppedTimerNeverFires(t *testing.T) {
	w := New(Config{Policy: FIFO})
	var later *Timer
	w.After(time.Second, func() {
		if !later.Stop() {
			t.Error("the timer was still to go off")
		}
		if later.Stop() {
			t.Error("the timer was stopped already")
		}
	})
	later = w.After(time.Second, func() { t.Error("the timer went off") })
	run(t, w, time.Minute)
	if _, ok := w.NextTimer(); ok {
		t.Error("a stopped timer is still queued")
	}
}

// A timer that is set for the past goes off now: virtual time never runs back.
func TestPastIsNow(t *testing.T) {
	w := New(Config{})
	run(t, w, time.Hour)
	want, have := w.Now(), time.Time{}
	w.At(w.Now().Add(-time.Minute), func() { have = w.Now() })
	if next, _ := w.NextTimer(); !next.Equal(want) {
		t.Errorf("want the next timer now, have %s", next)
	}
	run(t, w, 0)
	if !have.Equal(want) {
		t.Errorf("want %s, have %s", want, have)
	}
}

// A message from another goroutine would come at a time of its own.
func TestEscapedGoroutineIsCaught(t *testing.T) {
	w := New(Config{OneGoroutine: true})
	n := w.NewNode("n")
	caught := make(chan any, 1)
	pid := spawn(n, "a", stateless(func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(walk); ok {
			self := ctx.Self()
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { caught <- recover() }()
				n.System.Root.Send(self, answer{})
			}()
			<-done
		}
	}))
	n.System.Root.Send(pid, walk{})
	run(t, w, 0)
	if reason := fmt.Sprint(<-caught); !strings.Contains(reason, "outside the world's goroutine") {
		t.Errorf("want the escape to be refused, have %s", reason)
	}
}

// What was reached is shown by name, whatever the order of the map.
func TestPointsAreSorted(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	for _, name := range []string{"c", "a", "b", "a"} {
		n.Sometimes(name)
	}
	if diff := cmp.Diff([]Point{{"a", 2}, {"b", 1}, {"c", 1}}, w.Points()); diff != "" {
		t.Error(diff)
	}
}

// The hash sees what a message says, not only of what type it is, and looks into what carries it.
func TestHashSeesContents(t *testing.T) {
	hash := func(message any) uint64 {
		w := New(Config{})
		n := w.NewNode("n")
		n.System.Root.Send(spawn(n, "a", stateless(func(*port.Environment, actor.Context) {})), message)
		run(t, w, 0)
		return w.Hash()
	}
	one, two := hash(wrapperspb.Int64(1)), hash(wrapperspb.Int64(2))
	if one == two {
		t.Error("two messages of one type have one hash")
	}
	if carried := hash(carrier{wrapperspb.Int64(1)}); carried != one {
		t.Error("what carries a message hides it")
	}
}

type carrier struct{ message any }

func (c carrier) Message() any { return c.message }

package world

import (
	"errors"
	"fmt"
	"slices"
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
	run(t, w, 0)
	if !have.Equal(want) {
		t.Errorf("want %s, have %s", want, have)
	}
}

// Timers that fall together are tried in every order, but under FIFO in the one in which they were set.
func TestTimersOfOneInstantAreShuffled(t *testing.T) {
	for _, test := range []struct {
		policy Policy
		want   int
	}{{Random, 24}, {PCT, 24}, {FIFO, 1}} {
		orders := make(map[string]bool)
		w := New(Config{Policy: test.policy})
		for range 1000 {
			order := ""
			for _, name := range []string{"a", "b", "c", "d"} {
				w.After(0, func() { order += name })
			}
			run(t, w, 0)
			orders[order] = true
		}
		if len(orders) != test.want {
			t.Errorf("policy %d: want %d orders, have %d", test.policy, test.want, len(orders))
		}
	}
}

// orders tells in which orders three actors of one world get three messages each that are sent at once, and how often.
func orders(t *testing.T, policy Policy, rounds int) map[string]int {
	t.Helper()
	w := New(Config{Policy: policy})
	n := w.NewNode("n")
	var order strings.Builder
	var actors []*actor.PID
	for _, name := range []string{"a", "b", "c"} {
		actors = append(actors, spawn(n, name, stateless(func(_ *port.Environment, ctx actor.Context) {
			if _, ok := ctx.Message().(walk); ok {
				order.WriteString(name)
			}
		})))
	}
	run(t, w, time.Second)
	seen := make(map[string]int)
	for range rounds {
		order.Reset()
		for range 3 {
			for _, pid := range actors {
				n.System.Root.Send(pid, walk{})
			}
		}
		run(t, w, 0)
		seen[order.String()]++
	}
	return seen
}

// Three messages each to three actors can come in 9!/(3!·3!·3!) = 1,680 orders. Random tries nearly all of them.
func TestRandomTriesEveryOrder(t *testing.T) {
	if have := len(orders(t, Random, 20_000)); have < 1680*97/100 {
		t.Errorf("want 97 %% of 1680 orders, have %d", have)
	}
}

// FIFO has one order: the one in which the messages came.
func TestFIFOKeepsTheOrder(t *testing.T) {
	if diff := cmp.Diff(map[string]int{"abcabcabc": 100}, orders(t, FIFO, 100)); diff != "" {
		t.Error(diff)
	}
}

// Under PCT an actor often waits until another has got everything: in the rare order it finds what Random doesn't.
func TestPCTLetsActorsStarve(t *testing.T) {
	const rounds = 5000
	starved := func(policy Policy) (n int) {
		for order, times := range orders(t, policy, rounds) {
			runs := len(slices.Compact([]byte(order)))
			if runs == 3 {
				n += times
			}
		}
		return n
	}
	random, pct := starved(Random), starved(PCT)
	if random > rounds/20 || pct < rounds/2 {
		t.Errorf("want few under Random and most under PCT, have %d and %d of %d", random, pct, rounds)
	}
}

// Where messages take time, a timer goes off between two of a chain; where they take none, never.
func TestStepTimeLetsTimersInterrupt(t *testing.T) {
	for _, test := range []struct {
		stepTime time.Duration
		want     bool
	}{{0, false}, {time.Millisecond, true}} {
		w := New(Config{StepTime: test.stepTime})
		n := w.NewNode("n")
		left, interrupted := 100, false
		pid := spawn(n, "chain", stateless(func(_ *port.Environment, ctx actor.Context) {
			if _, ok := ctx.Message().(walk); ok && left > 0 {
				left--
				ctx.Send(ctx.Self(), walk{})
			}
		}))
		n.System.Root.Send(pid, walk{})
		w.After(10*time.Millisecond, func() { interrupted = left > 0 })
		run(t, w, time.Second)
		if interrupted != test.want {
			t.Errorf("step time %s: want interrupted %t, have %t", test.stepTime, test.want, interrupted)
		}
	}
}

// An exchange that never ends takes no virtual time, so the world has to notice.
func TestEndlessExchangeIsAViolation(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	pid := spawn(n, "circle", stateless(func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(walk); ok {
			ctx.Send(ctx.Self(), walk{})
		}
	}))
	n.System.Root.Send(pid, walk{})
	wantViolation(t, w.RunFor(time.Second), "time goes on")
}

func wantViolation(t *testing.T, err error, rule string) *Violation {
	t.Helper()
	var v *Violation
	if !errors.As(err, &v) {
		t.Fatalf("want a violation of %q, have %v", rule, err)
	}
	if v.Rule != rule {
		t.Fatalf("want a violation of %q, have %v", rule, v)
	}
	return v
}

// The step that breaks an invariant is the last one, and the report leads to it.
func TestBrokenInvariantEndsTheWorld(t *testing.T) {
	w := New(Config{Seed: 7, Keep: 3})
	n := w.NewNode("n")
	count := 0
	pid := spawn(n, "counter", stateless(func(env *port.Environment, ctx actor.Context) {
		if m, ok := ctx.Message().(*wrapperspb.Int64Value); ok {
			count++
			env.Log().Info().Int64("m", m.Value).Msg("counted")
		}
	}))
	w.Invariant("at most three", func() error {
		if count > 3 {
			return fmt.Errorf("counted %d", count)
		}
		return nil
	})
	for i := range 10 {
		w.After(time.Duration(i)*time.Second, func() { n.System.Root.Send(pid, wrapperspb.Int64(int64(i))) })
	}
	v := wantViolation(t, w.RunFor(time.Minute), "at most three")
	if v.Seen != "counted 4" || v.Seed != 7 || v.At.Sub(w.config.Start) != 0 && v.At.Second() != 3 || count != 4 {
		t.Errorf("have %+v after %d", v, count)
	}
	if len(v.Events) != 3 || v.Events[2].Actor != "counter" {
		t.Errorf("want the last of three events to be the counter's, have %v", v.Events)
	}
	for _, want := range []string{"seed 7", "counted 4", `"actor":"counter"`, "n/counter *wrapperspb.Int64Value value:3"} {
		if !strings.Contains(v.Report(), want) {
			t.Errorf("want %q in the report, have\n%s", want, v.Report())
		}
	}
	if again := w.RunFor(time.Minute); again != error(v) {
		t.Errorf("want the same violation again, have %v", again)
	}
}

// The production recovers from panics in many places; none of them may hide what a simulation has found.
func TestViolationPassesEveryRecover(t *testing.T) {
	for _, during := range []any{&actor.Started{}, walk{}, &actor.Stopping{}, &actor.Stopped{}} {
		t.Run(fmt.Sprintf("%T", during), func(t *testing.T) {
			w := New(Config{})
			w.OnPanic(func(p Panic) { t.Errorf("a violation counts as a panic of %s", p.Actor) })
			n := w.NewNode("n")
			pid := spawn(n, "a", stateless(func(_ *port.Environment, ctx actor.Context) {
				if fmt.Sprintf("%T", ctx.Message()) == fmt.Sprintf("%T", during) {
					w.Violate("rule", "broken")
				}
			}))
			n.System.Root.Send(pid, walk{})
			w.After(time.Second, func() { n.System.Root.Stop(pid) })
			wantViolation(t, w.RunFor(time.Minute), "rule")
		})
	}
}

// What breaks first explains what breaks next, so it is what counts.
func TestFirstViolationCounts(t *testing.T) {
	w := New(Config{})
	w.After(0, func() {
		defer func() { w.Violate("second", "broken") }()
		w.Violate("first", "broken")
	})
	wantViolation(t, w.RunFor(0), "first")
}

// A panic in a timer of the world is a mistake of who wrote the simulation, and stays one.
func TestPanicOutsideOfActorsPasses(t *testing.T) {
	w := New(Config{})
	w.After(0, func() { panic("mistake") })
	defer func() {
		if have := recover(); have != "mistake" {
			t.Errorf("want the mistake, have %v", have)
		}
	}()
	_ = w.RunFor(0)
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

package world

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"truechimer/actors/port"
)

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

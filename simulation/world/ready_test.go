package world

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"

	"truechimer/actors/port"
)

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

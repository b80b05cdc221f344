package world

import (
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"

	"truechimer/actors/port"
)

// A crashed node is silent: no message, timer, answer of a port or datagram reaches it any more.
func TestNothingRunsAfterACrash(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	crashed := false
	seen := func(what string) {
		if crashed {
			t.Errorf("%s after the crash", what)
		}
	}
	pid := spawn(n, "a", stateless(func(env *port.Environment, ctx actor.Context) {
		seen("a message")
		if _, ok := ctx.Message().(*actor.Started); ok {
			env.After(time.Minute, walk{})
			n.Later(time.Minute, func() { seen("an answer") })
		}
	}))
	w.After(time.Second, func() {
		n.System.Root.Send(pid, walk{})
		w.Network.Datagram("x", "n", func() { seen("a datagram") })
		n.Crash()
		crashed = true
		n.System.Root.Send(pid, walk{})
		n.AfterFunc(0, func() { seen("a timer set afterwards") })
	})
	run(t, w, time.Hour)
	if !crashed || !n.Crashed() {
		t.Error("the node didn't crash")
	}
}

// The handler that crashes its own node comes to its end, but its last words are heard by nobody.
func TestLastWordsAreLost(t *testing.T) {
	w := New(Config{})
	n, other := hub(w, "n"), hub(w, "other")
	spawn(other, "b", stateless(func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Touch); ok {
			t.Error("the last words arrived")
		}
	}))
	ended := false
	spawn(n, "a", stateless(func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			n.Crash()
			ctx.Send(actor.NewPID("other", "b"), &actor.Touch{})
			ended = true
		}
	}))
	run(t, w, time.Hour)
	if !ended {
		t.Error("the handler didn't end")
	}
}

// A restarted node remembers nothing but its clock's error; its actors draw other numbers than in the life before.
func TestRestartKeepsTheClockAlone(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	n.StepClock(time.Hour)
	n.SetDrift(1e-3)
	first := n.Rand("a").Uint64()
	run(t, w, 1000*time.Second)

	again := n.Restart()
	if !n.Crashed() || again.Crashed() {
		t.Error("want the old life ended and a new one begun")
	}
	if have := again.Elapsed(); have != 0 {
		t.Errorf("want no time elapsed, have %s", have)
	}
	if want, have := time.Hour+time.Second, again.ClockError(); have != want {
		t.Errorf("want a clock error of %s, have %s", want, have)
	}
	run(t, w, 1000*time.Second)
	if want, have := time.Hour+2*time.Second, again.ClockError(); have != want {
		t.Errorf("want a clock error of %s, have %s", want, have)
	}
	if again.Rand("a").Uint64() == first {
		t.Error("two lives draw the same numbers")
	}
	if process, there := again.System.ProcessRegistry.GetLocal("a"); there {
		t.Errorf("the new life has an actor of the old one: %v", process)
	}
}

// Two living nodes of one name would share an address.
func TestNamesOfTheLivingAreTaken(t *testing.T) {
	w := New(Config{})
	w.NewNode("n")
	defer func() {
		if recover() == nil {
			t.Error("want a panic")
		}
	}()
	w.NewNode("n")
}

// A process that stands still does nothing, and then everything that it missed, timers in the order of their times.
func TestPausedNodeCatchesUp(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	var order []string
	say := func(what string) func() { return func() { order = append(order, what) } }
	pid := spawn(n, "a", stateless(func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(walk); ok {
			say("message")()
		}
	}))
	run(t, w, time.Second)
	n.Pause()
	n.System.Root.Send(pid, walk{})
	n.AfterFunc(2*time.Second, say("second timer"))
	stop := n.AfterFunc(3*time.Second, say("stopped timer"))
	n.AfterFunc(time.Second, func() { say("first timer")(); stop() })
	run(t, w, time.Minute)
	if len(order) != 0 {
		t.Errorf("want nothing while paused, have %v", order)
	}
	if want, have := 61*time.Second, n.Elapsed(); have != want {
		t.Errorf("want %s elapsed, have %s", want, have)
	}

	n.Resume()
	run(t, w, 0)
	timers := strings.ReplaceAll(strings.Join(order, ", "), "message", "")
	timers = strings.Trim(strings.ReplaceAll(timers, ", , ", ", "), ", ")
	if timers != "first timer, second timer" || len(order) != 3 {
		t.Errorf("want the message and the timers in order, have %v", order)
	}
}

// A drift shows in all of a node's clocks, a step in the wall clock alone.
func TestClockFaults(t *testing.T) {
	for _, test := range []struct {
		name                 string
		fault                func(*Node)
		elapsed, wall, timer time.Duration // after 1000 s; the wall clock's error; a timer of 1001 s
	}{
		{"none", func(*Node) {}, 1000 * time.Second, 0, 1001 * time.Second},
		{"a step", func(n *Node) { n.StepClock(-5 * time.Second) }, 1000 * time.Second, -5 * time.Second, 1001 * time.Second},
		{"a fast oscillator", func(n *Node) { n.SetDrift(1e-3) }, 1001 * time.Second, time.Second, 1000 * time.Second},
		{"both", func(n *Node) { n.SetDrift(1e-3); n.StepClock(time.Second) }, 1001 * time.Second, 2 * time.Second, 1000 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := New(Config{})
			n := w.NewNode("n")
			test.fault(n)
			timer := time.Duration(0)
			n.AfterFunc(1001*time.Second, func() { timer = w.Since() })
			run(t, w, 1000*time.Second)
			if have := n.Elapsed(); have != test.elapsed {
				t.Errorf("want %s elapsed, have %s", test.elapsed, have)
			}
			if have := n.ClockError(); have != test.wall {
				t.Errorf("want a clock error of %s, have %s", test.wall, have)
			}
			run(t, w, time.Minute)
			if diff := (timer - test.timer).Abs(); diff > time.Microsecond {
				t.Errorf("want the timer after %s, have %s", test.timer, timer)
			}
		})
	}
}

// A change of the drift is one of the future: what the clocks show now stays.
func TestDriftLeavesThePast(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	n.SetDrift(1e-3)
	run(t, w, 1000*time.Second)
	n.SetDrift(-1e-3)
	if want, have := 1001*time.Second, n.Elapsed(); have != want {
		t.Errorf("want %s elapsed, have %s", want, have)
	}
	run(t, w, 2000*time.Second)
	if want, have := -time.Second, n.ClockError(); have != want {
		t.Errorf("want a clock error of %s, have %s", want, have)
	}
}

// Each actor, each incarnation and each seed has numbers of its own, and the same ones each time.
func TestStreamsOfRandomNumbers(t *testing.T) {
	draw := func(seed uint64, node, path string, incarnation int) uint64 {
		n := New(Config{Seed: seed}).NewNode(node)
		for range incarnation {
			n.Rand(path)
		}
		return n.Rand(path).Uint64()
	}
	if first, again := draw(1, "n", "a", 0), draw(1, "n", "a", 0); first != again {
		t.Error("the same stream twice gives two numbers")
	}
	seen := map[uint64]string{draw(1, "n", "a", 0): "the first"}
	for _, other := range []struct {
		name   string
		number uint64
	}{
		{"another seed", draw(2, "n", "a", 0)},
		{"another node", draw(1, "m", "a", 0)},
		{"another path", draw(1, "n", "b", 0)},
		{"another incarnation", draw(1, "n", "a", 1)},
	} {
		if twin, twice := seen[other.number]; twice {
			t.Errorf("%s draws as %s does", other.name, twin)
		}
		seen[other.number] = other.name
	}
}

// The world's own streams are independent: a fault more doesn't change the load, nor the order of messages.
func TestWorldStreamsAreIndependent(t *testing.T) {
	a, b := New(Config{Seed: 1}), New(Config{Seed: 1})
	a.Faults.Uint64()
	a.scheduling.Uint64()
	a.Network.rand.Uint64()
	if diff := cmp.Diff(a.Load.Uint64(), b.Load.Uint64()); diff != "" {
		t.Error(diff)
	}
}

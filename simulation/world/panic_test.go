package world

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"

	"truechimer/actors/port"
	"truechimer/actors/supervision"
)

// The production's supervision runs on the world's clock: three restarts at once, then after growing pauses,
// for an actor at the root, whose guardian decides, as for a child.
func TestRestartPausesGrowOnVirtualTime(t *testing.T) {
	for _, path := range []string{"root", "parent/child"} {
		t.Run(path, func(t *testing.T) {
			w := New(Config{})
			n := w.NewNode("n")
			var failures []time.Duration
			w.OnPanic(func(Panic) { failures = append(failures, w.Since()) })
			lastStart := time.Duration(-1)
			mortal := stateless(func(_ *port.Environment, ctx actor.Context) {
				if isStarted(ctx.Message()) {
					lastStart = w.Since()
				}
			})
			if path == "root" {
				spawn(n, "root", mortal)
			} else {
				spawn(n, "parent", stateless(func(_ *port.Environment, ctx actor.Context) {
					if isStarted(ctx.Message()) {
						child(n, ctx, "child", mortal)
					}
				}))
			}
			for range 6 {
				n.PanicOn(path, isStarted)
			}
			run(t, w, time.Hour)

			if diff := cmp.Diff([]time.Duration{0, 0, 0, 0, time.Second, 3 * time.Second}, failures); diff != "" {
				t.Error(diff)
			}
			if want := 7 * time.Second; lastStart != want {
				t.Errorf("want the last start after %s, have %s", want, lastStart)
			}
		})
	}
}

// An actor that waits for its restart gets no messages; they are for the next incarnation.
func TestMessagesWaitThroughThePause(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	var heard time.Duration
	pid := spawn(n, "a", stateless(func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(walk); ok {
			heard = w.Since()
		}
	}))
	for range 4 {
		n.PanicOn("a", isStarted)
	}
	n.System.Root.Send(pid, walk{})
	run(t, w, time.Minute)
	if heard != time.Second {
		t.Errorf("want the message after the pause of 1 s, have it after %s", heard)
	}
}

func isStarted(message any) bool {
	_, started := message.(*actor.Started)
	return started
}

// An injected panic is met by the next message of the product, by no other, and is handled like any other panic.
func TestInjectedPanicMeetsTheNextMessage(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	type heard struct {
		Actor, Message, Reason string
	}
	var panics []heard
	w.OnPanic(func(p Panic) {
		panics = append(panics, heard{p.Node + "/" + p.Actor, fmt.Sprintf("%T", p.Message), fmt.Sprint(p.Reason)})
	})
	incarnations := 0
	pid := spawn(n, "a", func(*port.Environment) actor.Actor {
		incarnations++
		return actor.ReceiveFunc(func(actor.Context) {})
	})
	injection := n.PanicNext("a")
	run(t, w, time.Second) // Started passes
	if injection.Fired() {
		t.Error("the panic was met by a message of protoactor's")
	}
	for range 3 {
		n.System.Root.Send(pid, walk{})
	}
	run(t, w, time.Second)
	if !injection.Fired() {
		t.Error("the panic met no message")
	}
	if diff := cmp.Diff([]heard{{"n/a", "world.walk", "injected into a"}}, panics); diff != "" {
		t.Error(diff)
	}
	if incarnations != 2 {
		t.Errorf("want 2 incarnations, have %d", incarnations)
	}
	if logged := strings.Count(strings.Join(w.lines.all(), ""), `"message":"actor panicked"`); logged != 1 {
		t.Errorf("want the panic logged once, have %d times in\n%s", logged, w.lines.all())
	}
}

// By chance an actor has done nothing when the panic comes, or all of its work: both happen to real ones.
func TestInjectedPanicComesBeforeOrAfterTheWork(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	worked := 0
	pid := spawn(n, "a", stateless(func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(walk); ok {
			worked++
		}
	}))
	const panics = 100
	for range panics {
		n.PanicNext("a")
		n.System.Root.Send(pid, walk{})
		run(t, w, 10*time.Minute) // until it is forgiven
	}
	if worked < panics/4 || worked > panics*3/4 {
		t.Errorf("want about half of %d done, have %d", panics, worked)
	}
}

// An actor without messages doesn't panic, and one that panics again does so at another message.
func TestInjectionsWaitTheirTurn(t *testing.T) {
	w := New(Config{})
	n := w.NewNode("n")
	pid := spawn(n, "a", stateless(func(*port.Environment, actor.Context) {}))
	first, second, elsewhere := n.PanicNext("a"), n.PanicNext("a"), n.PanicNext("nobody")
	n.System.Root.Send(pid, walk{})
	run(t, w, time.Minute)
	if !first.Fired() || second.Fired() {
		t.Errorf("want only the first fired, have %t, %t", first.Fired(), second.Fired())
	}
	n.System.Root.Send(pid, walk{})
	run(t, w, time.Minute)
	if !second.Fired() || elsewhere.Fired() {
		t.Errorf("want the second fired and the one of nobody not, have %t, %t", second.Fired(), elsewhere.Fired())
	}
}

// What runs on the machine's clock would make a history that no seed gives again.
func TestMachineTimeIsRefused(t *testing.T) {
	const rule = "actors touch time through their environment only"
	for _, test := range []struct {
		name string
		use  func(ctx actor.Context)
	}{
		{"SetReceiveTimeout", func(ctx actor.Context) { ctx.SetReceiveTimeout(time.Second) }},
		{"RequestFuture", func(ctx actor.Context) { ctx.RequestFuture(ctx.Self(), walk{}, time.Second) }},
		{"StopFuture", func(ctx actor.Context) { ctx.StopFuture(ctx.Self()) }},
		{"PoisonFuture", func(ctx actor.Context) { ctx.PoisonFuture(ctx.Self()) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := New(Config{})
			spawn(w.NewNode("n"), "a", stateless(func(_ *port.Environment, ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); ok {
					test.use(ctx)
				}
			}))
			v := wantViolation(t, w.RunFor(time.Second), rule)
			if !strings.Contains(v.Seen, test.name) {
				t.Errorf("want %s named, have %s", test.name, v.Seen)
			}
		})
	}
}

// protoactor's default strategy counts failures by the machine's clock, and gives actors up for good.
func TestDefaultSupervisionIsRefused(t *testing.T) {
	const rule = "every actor has a parent or a guardian with a supervision strategy of its own"
	mortal := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(walk); ok {
			panic("broken")
		}
	})
	for _, test := range []struct {
		name  string
		start func(n *Node) *actor.PID
	}{
		{"no guardian", func(n *Node) *actor.PID { return n.System.Root.Spawn(mortal) }},
		{"a parent without a strategy", func(n *Node) *actor.PID {
			parent := actor.PropsFromFunc(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case *actor.Started:
					ctx.Spawn(mortal)
				case walk:
					ctx.Forward(ctx.Children()[0])
				}
			}, actor.WithGuardian(supervision.NewRestart(n)))
			return n.System.Root.Spawn(parent)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := New(Config{})
			n := w.NewNode("n")
			n.System.Root.Send(test.start(n), walk{})
			wantViolation(t, w.RunFor(time.Second), rule)
		})
	}
}

// The processes that protoactor itself has in each system are there, as everywhere.
func TestSystemProcessesAreThere(t *testing.T) {
	n := New(Config{}).NewNode("n")
	for _, id := range []string{"deadletter", "eventstream"} {
		if _, there := n.System.ProcessRegistry.GetLocal(id); !there {
			t.Errorf("%s isn't there", id)
		}
	}
}

// Who asks an actor that isn't there, or wants to watch it, hears so, and protoactor's throttle of log lines,
// which is a goroutine with a ticker, never starts.
func TestDeadLettersAreAnswered(t *testing.T) {
	before := runtime.NumGoroutine()
	w := New(Config{})
	n := w.NewNode("n")
	nobody := actor.NewPID("n", "nobody")
	var heard []string
	spawn(n, "a", stateless(func(_ *port.Environment, ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Request(nobody, walk{})
			ctx.Watch(nobody)
		case *actor.DeadLetterResponse:
			heard = append(heard, "response of "+m.Target.Id)
		case *actor.Terminated:
			heard = append(heard, m.Who.Id+" "+m.Why.String())
		}
	}))
	run(t, w, time.Second)
	want := map[string]bool{"response of nobody": true, "nobody NotFound": true}
	if len(heard) != 2 || !want[heard[0]] || !want[heard[1]] {
		t.Errorf("want %v, have %v", want, heard)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("want at most %d goroutines, have %d", before, after)
	}
}

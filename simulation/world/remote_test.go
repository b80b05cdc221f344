package world

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"truechimer/actors/port"
)

// hub makes a node whose actors talk to those of other ones.
func hub(w *World, name string) *Node {
	n := w.NewNode(name)
	n.StartRemote()
	return n
}

// Between two actors of different nodes messages keep their order, and answers come back.
func TestActorsTalkAcrossNodes(t *testing.T) {
	for seed := range uint64(20) {
		w := New(Config{Seed: seed})
		a, b := hub(w, "a"), hub(w, "b")
		spawn(b, "echo", stateless(func(_ *port.Environment, ctx actor.Context) {
			if m, ok := ctx.Message().(*wrapperspb.Int64Value); ok {
				ctx.Respond(m)
			}
		}))
		var want, have []int64
		spawn(a, "asker", stateless(func(_ *port.Environment, ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				for i := range int64(20) {
					want = append(want, i)
					ctx.Request(actor.NewPID("b", "echo"), wrapperspb.Int64(i))
				}
			case *wrapperspb.Int64Value:
				have = append(have, m.Value)
			}
		}))
		run(t, w, time.Minute)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Error(diff)
		}
	}
}

// Two nodes share nothing: neither a message nor a PID, which would carry a process of the other node with it.
func TestNodesShareNothing(t *testing.T) {
	w := New(Config{})
	a, b := hub(w, "a"), hub(w, "b")
	var here, there, sender *actor.PID
	spawn(b, "b", stateless(func(_ *port.Environment, ctx actor.Context) {
		if m, ok := ctx.Message().(*actor.PID); ok {
			there, sender = m, ctx.Sender()
		}
	}))
	spawn(a, "a", stateless(func(_ *port.Environment, ctx actor.Context) {
		if isStarted(ctx.Message()) {
			here = ctx.Self()
			ctx.Send(here, walk{}) // makes the PID remember its process
			ctx.Request(actor.NewPID("b", "b"), here)
		}
	}))
	run(t, w, time.Minute)
	if there == nil || !there.Equal(here) || !sender.Equal(here) {
		t.Fatalf("want %v, have %v from %v", here, there, sender)
	}
	arrived := 0
	a.PanicOn("a", func(message any) bool { arrived++; return false })
	b.System.Root.Send(there, &actor.Touch{})
	b.System.Root.Send(sender, &actor.Touch{})
	run(t, w, 0)
	if arrived != 0 {
		t.Error("a message got from node to node without the network")
	}
	run(t, w, time.Minute)
	if arrived != 2 {
		t.Errorf("want 2 messages over the network, have %d", arrived)
	}
}

// Who watches an actor of another node hears when it stops, when its node crashes, and when there is no way there.
func TestActorsAreWatchedAcrossNodes(t *testing.T) {
	stop := func(_ *World, b *Node) { b.System.Root.Stop(actor.NewPID("b", "watched")) }
	for _, test := range []struct {
		name     string
		happens  func(w *World, b *Node)
		want     []actor.TerminatedReason
		unwatch  bool
		watching string
	}{
		{name: "nothing happens", happens: func(*World, *Node) {}, watching: "watched"},
		{name: "it stops", happens: stop, watching: "watched", want: []actor.TerminatedReason{actor.TerminatedReason_Stopped}},
		{name: "it isn't watched any more", happens: stop, watching: "watched", unwatch: true},
		{
			name: "its node crashes", happens: func(_ *World, b *Node) { b.Crash() }, watching: "watched",
			want: []actor.TerminatedReason{actor.TerminatedReason_AddressTerminated},
		},
		{name: "its node crashes when it isn't watched any more", happens: func(_ *World, b *Node) { b.Crash() }, watching: "watched", unwatch: true},
		{
			name: "it stops, then its node crashes", happens: func(w *World, b *Node) { stop(w, b); w.After(time.Minute, b.Crash) },
			watching: "watched", want: []actor.TerminatedReason{actor.TerminatedReason_Stopped},
		},
		{
			name: "its node is cut off", happens: func(w *World, _ *Node) { w.Network.Isolate("b") }, watching: "watched",
			want: []actor.TerminatedReason{actor.TerminatedReason_AddressTerminated},
		},
		{
			name: "it never was", happens: func(*World, *Node) {}, watching: "nobody",
			want: []actor.TerminatedReason{actor.TerminatedReason_NotFound},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := New(Config{})
			a, b := hub(w, "a"), hub(w, "b")
			spawn(b, "watched", stateless(func(*port.Environment, actor.Context) {}))
			var have []actor.TerminatedReason
			spawn(a, "watcher", stateless(func(env *port.Environment, ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case *actor.Started:
					ctx.Watch(actor.NewPID("b", test.watching))
					env.After(30*time.Second, walk{})
				case walk:
					if test.unwatch {
						ctx.Unwatch(actor.NewPID("b", test.watching))
					}
				case *actor.Terminated:
					have = append(have, m.Why)
				}
			}))
			w.After(time.Minute, func() { test.happens(w, b) })
			run(t, w, time.Hour)
			if diff := cmp.Diff(test.want, have); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Who asks a node that can't be reached gets the answer of a dead letter, and can ask again when it is back.
func TestUnreachableNodesAnswerNothing(t *testing.T) {
	w := New(Config{})
	a := hub(w, "a")
	var heard []string
	asker := spawn(a, "asker", stateless(func(_ *port.Environment, ctx actor.Context) {
		switch ctx.Message().(type) {
		case walk:
			ctx.Request(actor.NewPID("b", "echo"), &actor.Touch{})
		case *actor.DeadLetterResponse, *actor.Touched:
			heard = append(heard, fmt.Sprintf("%T", ctx.Message()))
		}
	}))
	ask := func() {
		a.System.Root.Send(asker, walk{})
		run(t, w, time.Minute)
	}
	ask()
	b := hub(w, "b")
	echo := stateless(func(*port.Environment, actor.Context) {})
	spawn(b, "echo", echo)
	ask()
	b = b.Restart()
	b.StartRemote()
	spawn(b, "echo", echo)
	run(t, w, time.Minute)
	ask()
	if diff := cmp.Diff([]string{"*actor.DeadLetterResponse", "*actor.Touched", "*actor.Touched"}, heard); diff != "" {
		t.Error(diff)
	}
}

// Without a remote a node knows no other ones; what is sent there is a dead letter.
func TestNodesWithoutRemoteAreAlone(t *testing.T) {
	w := New(Config{})
	hub(w, "b")
	answered := false
	spawn(w.NewNode("a"), "a", stateless(func(_ *port.Environment, ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			ctx.Request(actor.NewPID("b", "b"), &actor.Touch{})
		case *actor.DeadLetterResponse:
			answered = true
		}
	}))
	run(t, w, 0)
	if !answered {
		t.Error("want a dead letter")
	}
}

// Private Go types stay in their process, as they do in production.
func TestOnlyProtobufsTravel(t *testing.T) {
	w := New(Config{})
	hub(w, "b")
	spawn(hub(w, "a"), "a", stateless(func(_ *port.Environment, ctx actor.Context) {
		if isStarted(ctx.Message()) {
			ctx.Send(actor.NewPID("b", "b"), walk{})
		}
	}))
	wantViolation(t, w.RunFor(time.Second), "only protobufs travel between nodes")
}

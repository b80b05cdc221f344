package world

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"truechimer/actors/port"
)

// rally makes pairs of actors that send a protobuf back and forth for ever, with a timer for each ball.
func rally(n *Node, pairs int) {
	for i := range pairs {
		wall := spawn(n, fmt.Sprint("wall", i), stateless(func(_ *port.Environment, ctx actor.Context) {
			if m, ok := ctx.Message().(*wrapperspb.Int64Value); ok {
				ctx.Respond(m)
			}
		}))
		spawn(n, fmt.Sprint("player", i), stateless(func(env *port.Environment, ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				env.After(0, walk{})
			case *wrapperspb.Int64Value:
				env.After(time.Second, walk{})
			case walk:
				ctx.Request(wall, wrapperspb.Int64(int64(len(fmt.Sprint(m)))))
			}
		}))
	}
}

// A second of the rally is three messages and a timer for each pair; every ten minutes one player panics.
func BenchmarkRally(b *testing.B) {
	for _, pairs := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("pairs=%d", pairs), func(b *testing.B) {
			w := New(Config{})
			n := w.NewNode("n")
			rally(n, pairs)
			w.RunFor(time.Second)
			first := w.Steps()
			for b.Loop() {
				if w.Since()%(10*time.Minute) == 0 {
					n.PanicNext("player0")
				}
				if err := w.RunFor(time.Second); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(w.Steps()-first)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// Messages between nodes pass the copying, the connection and its timers.
func BenchmarkNetwork(b *testing.B) {
	w := New(Config{})
	spawn(hub(w, "far"), "echo", stateless(func(_ *port.Environment, ctx actor.Context) {
		if m, ok := ctx.Message().(*wrapperspb.Int64Value); ok {
			ctx.Respond(m)
		}
	}))
	spawn(hub(w, "near"), "asker", stateless(func(_ *port.Environment, ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			for range 100 {
				ctx.Request(actor.NewPID("far", "echo"), wrapperspb.Int64(0))
			}
		case *wrapperspb.Int64Value:
			ctx.Request(actor.NewPID("far", "echo"), m)
		}
	}))
	w.RunFor(time.Second)
	first := w.Steps()
	for b.Loop() {
		if err := w.RunFor(time.Second); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(w.Steps()-first)/b.Elapsed().Seconds(), "events/s")
}

// A node is an actor system of its own; a world of a hundred must be cheap enough for a test.
func BenchmarkNewNode(b *testing.B) {
	w := New(Config{})
	n := w.NewNode("n")
	for b.Loop() {
		n = n.Restart()
	}
}

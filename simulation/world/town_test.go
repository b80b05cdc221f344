package world

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"truechimer/actors/port"
	"truechimer/actors/supervision"
)

// spawn starts an actor at the root of a node, under the production's supervision.
func spawn(n *Node, name string, incarnate func(*port.Environment) actor.Actor) *actor.PID {
	props := n.Props(incarnate, supervision.Option(n), actor.WithGuardian(supervision.NewRestart(n)))
	pid, err := n.System.Root.SpawnNamed(props, name)
	if err != nil {
		panic(fmt.Sprintf("spawn %s: %v", name, err))
	}
	return pid
}

// child starts an actor below another one.
func child(n *Node, parent actor.Context, name string, incarnate func(*port.Environment) actor.Actor) *actor.PID {
	pid, err := parent.SpawnNamed(n.Props(incarnate, supervision.Option(n)), name)
	if err != nil {
		panic(fmt.Sprintf("spawn %s: %v", name, err))
	}
	return pid
}

// stateless is an actor that is nothing but its handler.
func stateless(receive func(env *port.Environment, ctx actor.Context)) func(*port.Environment) actor.Actor {
	return func(env *port.Environment) actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) { receive(env, ctx) })
	}
}

// run fails the test when the world finds a violation.
func run(t testing.TB, w *World, d time.Duration) {
	t.Helper()
	if err := w.RunFor(d); err != nil {
		t.Fatal(err.(*Violation).Report())
	}
}

// The town is a small world with all that a world can have: walkers on two nodes ask a desk on a third one, which
// passes each question on to one of its clerks. There are timers, answers, panics, crashes, pauses and cuts.
type town struct {
	*World
	answers int
}

type (
	walk   struct{}
	answer struct{ of int64 }
)

func newTown(config Config) *town {
	town := &town{World: New(config)}
	town.openDesk(hub(town.World, "hub"))
	for _, name := range []string{"east", "west"} {
		town.populate(hub(town.World, name))
	}
	town.After(0, town.trouble)
	return town
}

// openDesk starts a desk with clerks who may die of a question.
func (town *town) openDesk(n *Node) {
	spawn(n, "desk", func(env *port.Environment) actor.Actor {
		var clerks []*actor.PID
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				for i := range 3 {
					clerks = append(clerks, child(n, ctx, fmt.Sprint("clerk", i), stateless(clerk)))
				}
			case *wrapperspb.Int64Value:
				env.Sometimes("question")
				ctx.Forward(clerks[env.Rand().IntN(len(clerks))])
			}
		})
	})
}

func clerk(env *port.Environment, ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *wrapperspb.Int64Value:
		env.After(time.Duration(env.Rand().Int64N(int64(time.Second))), answer{m.Value})
		ctx.Respond(m)
	case answer:
		env.Sometimes("thought over")
	}
}

// populate starts walkers who ask in intervals of their own.
func (town *town) populate(n *Node) {
	for i := range 5 {
		spawn(n, fmt.Sprint("walker", i), func(env *port.Environment) actor.Actor {
			asked := int64(0)
			desk := actor.NewPID("hub", "desk")
			return actor.ReceiveFunc(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case *actor.Started:
					env.After(time.Duration(i)*time.Second, walk{})
				case walk:
					asked++
					ctx.Request(desk, wrapperspb.Int64(asked))
					env.After(time.Second+time.Duration(env.Rand().Int64N(int64(time.Second))), walk{})
				case *wrapperspb.Int64Value:
					town.answers++
				}
			})
		})
	}
}

// trouble does something bad to someone, and comes again.
func (town *town) trouble() {
	names := []string{"hub", "east", "west"}
	name := names[town.Faults.IntN(len(names))]
	n := town.nodes[name]
	heal := func() {}
	switch town.Faults.IntN(5) {
	case 0:
		again := n.Restart()
		again.StartRemote()
		if name == "hub" {
			town.openDesk(again)
		} else {
			town.populate(again)
		}
	case 1:
		n.Pause()
		heal = n.Resume
	case 2:
		town.Network.Isolate(name)
		heal = func() { town.Network.Rejoin(name) }
	case 3:
		n.PanicNext("walker1")
		n.PanicNext("desk/clerk2")
	case 4:
		n.StepClock(time.Hour)
		n.SetDrift(1e-4)
	}
	town.After(time.Duration(town.Faults.Int64N(int64(time.Minute))), func() {
		heal()
		town.After(10*time.Second, town.trouble)
	})
}

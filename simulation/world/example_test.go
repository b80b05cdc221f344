package world_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/actors/supervision"
	"truechimer/simulation/world"
)

type tick struct{}

// clockwork ticks each minute; nothing in it knows that it is simulated.
type clockwork struct{ env *port.Environment }

func (c *clockwork) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		c.env.After(time.Minute, tick{})
	case tick:
		c.env.Sometimes("tick")
		c.env.After(time.Minute, tick{})
	}
}

// A day of a node whose actor panics once, which costs it a tick, and whose clock is wrong, takes some milliseconds.
func Example() {
	w := world.New(world.Config{Seed: 42})
	n := w.NewNode("tower")
	n.StepClock(time.Hour)

	props := n.Props(func(env *port.Environment) actor.Actor {
		return &clockwork{env: env}
	}, actor.WithGuardian(supervision.NewRestart(n)))
	if _, err := n.System.Root.SpawnNamed(props, "clockwork"); err != nil {
		fmt.Println(err)
		return
	}
	w.After(12*time.Hour, func() { n.PanicNext("clockwork") })
	w.OnPanic(func(p world.Panic) { fmt.Printf("%s/%s: %s\n", p.Node, p.Actor, p.Reason) })
	w.Invariant("a tick a minute", func() error {
		if ticks := w.Reached("tick"); time.Duration(ticks)*time.Minute > w.Since() {
			return fmt.Errorf("%d ticks after %s", ticks, w.Since())
		}
		return nil
	})

	if err := w.RunFor(24 * time.Hour); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(n.Now().Format(time.DateTime))
	for _, point := range w.Points() {
		fmt.Println(point)
	}
	// Output:
	// tower/clockwork: injected into clockwork
	// 2026-01-02 01:00:00
	// actor restarted: 1
	// tick: 1439
}

// Package agentside holds every actor of an agent, one a file.
//
//	agent               the link with the hub: joining → checking → monitoring
//	├─ bursts           how many probes go at once
//	│  └─ burst/<n>     one probe
//	├─ clockguard       is our own clock fit to judge?
//	├─ spool            samples that aren't acknowledged yet
//	├─ uplink           batches to the hub, one in flight for each IP version
//	└─ probe/v4  v6     the schedule of one IP version
//
// A sample goes from burst to probe, spool and uplink, and stays in the spool until the hub has said what became of it.
// An actor that panics is started again by the agent, alone; what it had in memory is lost, and each says what that is.
package agentside

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/actors/supervision"
	"truechimer/pool"
)

// Root is the id of an agent's root actor. The hub says its first word to it.
const Root = "agent"

// Config is what an agent's actors need of the world outside.
type Config struct {
	Node     *port.Node
	Prober   port.Prober
	Resolver port.Resolver
	Link     port.Link
	Presence port.Presence

	Version      string // of the program
	AllowPrivate bool   // addresses that aren't of the internet may be probed too: in tests and labs
}

// versions are those of an agent's monitors, in the order in which they are told.
var versions = [...]pool.IPVersion{pool.IPv4, pool.IPv6}

// Spawn starts the actors of an agent and returns their root. It dials the hub at once;
// stopping it says goodbye to the hub and stops them all.
func Spawn(config Config) (*actor.PID, error) {
	node := config.Node
	line := &line{link: config.Link}
	props := node.Props(func(env *port.Environment) actor.Actor {
		return newAgent(env, &config, line)
	}, actor.WithGuardian(supervision.NewRestart(node.Runtime)))
	pid, err := node.System.Root.SpawnNamed(props, Root)
	if err != nil {
		return nil, fmt.Errorf("start the agent's actors: %w", err)
	}
	return pid, nil
}

// spawn starts a child. It fails only when the name is in use, which is a programmer's error.
func spawn(ctx actor.Context, name string, props *actor.Props) *actor.PID {
	pid, err := ctx.SpawnNamed(props, name)
	if err != nil {
		panic(fmt.Errorf("spawn %s: %w", name, err))
	}
	return pid
}

// Package hubside holds every actor of a hub, one a file.
//
//	hub
//	├─ archivist              group commit; what it has acknowledged is on disk
//	├─ announcer              live updates
//	├─ follower               what was changed from outside
//	├─ gateway
//	│  └─ session/<agent>.<n> one per live link
//	└─ shard/<n>
//	   ├─ server/<id>         one per NTP server
//	   │  ├─ score            monitor and overall scores
//	   │  └─ selector         rounds of selection
//	   └─ monitor/<agent>     one per agent
//	      └─ probe/v4  v6     assignments of one IP version
//
// An actor that panics is started again by its parent, alone, and from what is stored (package supervision).
package hubside

import (
	"fmt"
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/actors/supervision"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/ticket"
)

// Config is what a hub's actors need of the world outside.
type Config struct {
	Node      *port.Node
	Store     port.Store
	Live      port.Live
	Links     port.Links
	Directory port.Directory
	Access    port.LiveAccess
	Halt      port.Halt
	Count     port.Count
	Keys      ticket.Keyring

	Shards     []pool.ShardID // that this hub serves
	Since      uint64         // the newest change when the hub started
	Deployment string         // devel, test or prod: the first part of all topics

	// Ready is called once, when all shards serve.
	Ready func()
}

// Names of the hub's actors, as parts of their ids.
const (
	Root          = "hub"
	archivistName = "archivist"
	announcerName = "announcer"
	followerName  = "follower"
	gatewayName   = "gateway"
)

// Gateway is the PID of a hub's gateway: it takes port.LinkOpened and port.LinkClosed.
func Gateway(system *actor.ActorSystem) *actor.PID {
	return system.NewLocalPID(Root + "/" + gatewayName)
}

// Announcer is the PID of a hub's announcer: it takes port.LiveUp.
func Announcer(system *actor.ActorSystem) *actor.PID {
	return system.NewLocalPID(Root + "/" + announcerName)
}

// Shard is the PID of a shard's actor on this hub.
func Shard(system *actor.ActorSystem, shard pool.ShardID) *actor.PID {
	return system.NewLocalPID(shardPath(shard))
}

// Session is the PID of the session of an agent's link, by the link's number.
func Session(system *actor.ActorSystem, agent string, link uint64) *actor.PID {
	return system.NewLocalPID(Root + "/" + gatewayName + "/" + sessionName(agent, link))
}

func sessionName(agent string, link uint64) string { return fmt.Sprintf("session/%s.%d", agent, link) }

func shardPath(shard pool.ShardID) string { return fmt.Sprintf("%s/shard/%d", Root, shard) }

// Spawn starts the actors of a hub and returns their root; stopping it stops them all.
func Spawn(config Config) (*actor.PID, error) {
	node := config.Node
	config.Ready = sync.OnceFunc(config.Ready) // also when all was started again
	props := node.Props(func(env *port.Environment) actor.Actor {
		return &hub{env: env, config: &config}
	}, supervision.Option(node.Runtime), actor.WithGuardian(supervision.NewRestart(node.Runtime)))
	pid, err := node.System.Root.SpawnNamed(props, Root)
	if err != nil {
		return nil, fmt.Errorf("start the hub's actors: %w", err)
	}
	return pid, nil
}

// hub is the root of a hub's actors. It restarts all its children when it fails itself,
// which only a fault in spawning them can cause.
type hub struct {
	env    *port.Environment
	config *Config

	unopened []pool.ShardID // shards that don't serve yet
}

func (a *hub) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.onStarted(ctx)
	case *messages.Opened:
		a.onOpened(msg)
	case *messages.Lost:
		a.onLost(ctx, msg)
	}
}

func (a *hub) onStarted(ctx actor.Context) {
	c := a.config
	a.unopened = slices.Clone(c.Shards)
	storesTurn := &turn{}
	spawn(ctx, archivistName, c.Node.Props(func(env *port.Environment) actor.Actor {
		return newArchivist(env, c, storesTurn)
	}))
	spawn(ctx, announcerName, c.Node.Props(func(env *port.Environment) actor.Actor {
		return newAnnouncer(env, c)
	}))
	spawn(ctx, followerName, c.Node.Props(func(env *port.Environment) actor.Actor {
		return newFollower(env, c)
	}))
	spawn(ctx, gatewayName, c.Node.Props(func(env *port.Environment) actor.Actor {
		return newGateway(env, c)
	}, supervision.Option(c.Node.Runtime)))
	for _, shard := range c.Shards {
		reborn := false
		spawn(ctx, fmt.Sprintf("shard/%d", shard), c.Node.Props(func(env *port.Environment) actor.Actor {
			s := newShard(env, c, shard)
			s.reborn, reborn = reborn, true
			return s
		}, supervision.Option(c.Node.Runtime)))
	}
}

// onOpened counts the shards that serve, and says once that all do.
func (a *hub) onOpened(msg *messages.Opened) {
	at := slices.Index(a.unopened, pool.ShardID(msg.Shard))
	if at < 0 {
		return
	}
	if a.unopened = slices.Delete(a.unopened, at, at+1); len(a.unopened) == 0 {
		a.config.Ready()
	}
}

// onLost ends a hub whose shard another one has taken: it would go on refusing evidence for ever.
func (a *hub) onLost(ctx actor.Context, msg *messages.Lost) {
	a.env.Sometimes("shard lost")
	ctx.Stop(Shard(ctx.ActorSystem(), pool.ShardID(msg.Shard)))
	a.config.Halt(fmt.Sprintf("another hub has taken shard %d of this database", msg.Shard))
}

// spawn starts a child. It fails only when the name is in use, which is a programmer's error.
func spawn(ctx actor.Context, name string, props *actor.Props) *actor.PID {
	pid, err := ctx.SpawnNamed(props, name)
	if err != nil {
		panic(fmt.Errorf("spawn %s: %w", name, err))
	}
	return pid
}

// local is the PID of an actor of this hub, by its path below the root.
func local(ctx actor.Context, name string) *actor.PID {
	return ctx.ActorSystem().NewLocalPID(Root + "/" + name)
}

// restart has an actor start again from what is stored, and its children with it, as after a failure:
// what it is sent meanwhile waits.
func restart(ctx actor.Context) {
	if process, there := ctx.ActorSystem().ProcessRegistry.Get(ctx.Self()); there {
		process.SendSystemMessage(ctx.Self(), &actor.SuspendMailbox{})
		process.SendSystemMessage(ctx.Self(), &actor.Restart{})
	}
}

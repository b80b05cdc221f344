package world

import (
	"reflect"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"

	"truechimer/actors/port"
)

// newSystem makes the actor system of a node: the production's, with everything at hand replaced that would start
// goroutines, read the machine's clock or draw from its randomness.
func newSystem(n *Node) *actor.ActorSystem {
	system := port.NewSystem(n.name, n.Log)
	system.ID = n.name // it would be random
	system.Root.WithSpawnMiddleware(n.spawnMiddleware)
	replaceEventStream(n, system)
	shrinkRegistry(system)
	return system
}

// replaceEventStream puts a fresh event stream in the place of protoactor's, on which a throttle listens that
// starts a goroutine with a ticker at the first dead letter. What else listened there is done by onDeadLetter.
func replaceEventStream(n *Node, system *actor.ActorSystem) {
	system.EventStream = eventstream.NewEventStream()
	system.EventStream.Subscribe(func(event any) {
		if letter, ok := event.(*actor.DeadLetterEvent); ok {
			n.onDeadLetter(system, letter)
		}
	})
}

// onDeadLetter answers a message that found no actor as protoactor does: who asked, or wanted to watch, hears of it.
func (n *Node) onDeadLetter(system *actor.ActorSystem, letter *actor.DeadLetterEvent) {
	path := letter.PID.GetId()
	n.world.record(Event{Kind: Undeliverable, Node: n.name, Actor: path, Message: letter.Message}, nameHash(path))
	if letter.Sender != nil {
		system.Root.Send(letter.Sender, &actor.DeadLetterResponse{Target: letter.PID})
	}
	if watch, ok := letter.Message.(*actor.Watch); ok {
		sendSystemMessage(system, watch.Watcher, &actor.Terminated{Who: letter.PID, Why: actor.TerminatedReason_NotFound})
	}
}

// sendSystemMessage does what protoactor does for itself only.
func sendSystemMessage(system *actor.ActorSystem, to *actor.PID, message any) {
	process, _ := system.ProcessRegistry.Get(to)
	process.SendSystemMessage(to, message)
}

// shrinkRegistry leaves one of the 1,024 maps that processes are spread over, so that many processors don't wait
// for each other: the world has one goroutine and many nodes, and they take 3 MB a node.
func shrinkRegistry(system *actor.ActorSystem) {
	maps := &system.ProcessRegistry.LocalPIDs.LocalPIDs
	*maps = slices.Clone((*maps)[:1])
	// The processes of the system itself may have been in any of the others.
	system.ProcessRegistry.Add(system.DeadLetter, "deadletter")
	system.ProcessRegistry.Add(actor.NewEventStreamProcess(system), "eventstream")
}

// spawnMiddleware gives every actor of the node, at any depth, the kernel's mailbox. It calls the default spawner
// itself: the chain of the root context ends in one that has forgotten the guardian of the props.
func (n *Node) spawnMiddleware(actor.SpawnFunc) actor.SpawnFunc {
	return func(system *actor.ActorSystem, id string, props *actor.Props, parent actor.SpawnerContext) (*actor.PID, error) {
		simulated := props.Clone(
			actor.WithMailbox(func() actor.Mailbox { return newMailbox(n, id, parent.Self() == nil) }),
			actor.WithSpawnMiddleware(n.spawnMiddleware),
			actor.WithReceiverMiddleware(n.inject),
			actor.WithContextDecorator(n.restrict),
		)
		if hasNoSupervisor(props) {
			simulated.Configure(actor.WithSupervisor(machineTimeStrategy{n.world}))
		}
		return actor.DefaultSpawner(system, id, simulated, parent)
	}
}

// hasNoSupervisor reports whether the props leave the supervision of an actor's children to protoactor's default.
// There is no other way to ask.
func hasNoSupervisor(props *actor.Props) bool {
	return reflect.ValueOf(props).Elem().FieldByName("supervisionStrategy").IsNil()
}

// machineTimeStrategy stands for protoactor's default strategy.
type machineTimeStrategy struct{ world *World }

// HandleFailure implements actor.SupervisorStrategy.
func (s machineTimeStrategy) HandleFailure(_ *actor.ActorSystem, _ actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	s.world.refuseDefaultStrategy(child.Address, child.Id, reason)
}

// refuseDefaultStrategy ends the world: protoactor's default strategy would count a failure by the machine's clock.
func (w *World) refuseDefaultStrategy(node, path string, reason any) {
	w.Violate("every actor has a parent or a guardian with a supervision strategy of its own",
		"%s/%s has none, and failed: %v", node, path, reason)
}

// restrict decorates the context of every actor of the node.
func (n *Node) restrict(next actor.ContextDecoratorFunc) actor.ContextDecoratorFunc {
	return func(ctx actor.Context) actor.Context { return next(restricted{ctx, n.world}) }
}

// restricted is protoactor's context without what runs on the machine's clock.
type restricted struct {
	actor.Context
	world *World
}

// SetReceiveTimeout breaks the rules.
func (c restricted) SetReceiveTimeout(time.Duration) { c.refuse("SetReceiveTimeout") }

// RequestFuture breaks the rules.
func (c restricted) RequestFuture(*actor.PID, any, time.Duration) *actor.Future {
	return c.refuse("RequestFuture")
}

// StopFuture breaks the rules.
func (c restricted) StopFuture(*actor.PID) *actor.Future { return c.refuse("StopFuture") }

// PoisonFuture breaks the rules.
func (c restricted) PoisonFuture(*actor.PID) *actor.Future { return c.refuse("PoisonFuture") }

func (c restricted) refuse(method string) *actor.Future {
	c.world.Violate("actors touch time through their environment only", "%s calls %s", c.Self().Id, method)
	return nil
}

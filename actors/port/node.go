package port

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
)

// Node is the place where actors are made: an actor system and the runtime and logger they share.
type Node struct {
	System  *actor.ActorSystem
	Runtime Runtime
	Log     zerolog.Logger
}

// Props makes the props of one actor, for one spawn: every incarnation is made anew with an environment of its own.
// The supervision strategy of its children, if it has any, comes among the options.
func (n *Node) Props(incarnate func(*Environment) actor.Actor, options ...actor.PropsOption) *actor.Props {
	var env *Environment // of the present incarnation; protoactor makes it before its first message
	props := actor.PropsFromProducer(func() actor.Actor {
		env = &Environment{runtime: n.Runtime, system: n.System, log: n.Log}
		return incarnate(env)
	}, actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
			env.receive(next, ctx, envelope)
		}
	}))
	return props.Configure(options...)
}

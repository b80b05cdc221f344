package world

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// Injected is the reason of a panic that was asked for.
type Injected struct {
	Actor string // its path
}

// String is the reason as logs show it.
func (i Injected) String() string { return fmt.Sprintf("injected into %s", i.Actor) }

// Injection is a panic that waits for its message.
type Injection struct {
	matches func(message any) bool
	fired   bool
}

// Fired reports whether the panic has happened. An actor that gets no message never panics.
func (i *Injection) Fired() bool { return i.fired }

// PanicNext makes the actor at path panic at the next message that isn't protoactor's own, which may be a timer's.
// The panic comes from where the actor's handler stands, so that all of the production's handling of panics sees it.
// By chance the handler has done nothing yet, or all of its work.
func (n *Node) PanicNext(path string) *Injection { return n.PanicOn(path, isUserMessage) }

// PanicOn makes the actor at path panic at the next message that matches, which may also be one of protoactor's, such
// as *actor.Started. Where several wait for an actor, each message meets one of them at most, the oldest that matches.
func (n *Node) PanicOn(path string, matches func(message any) bool) *Injection {
	i := &Injection{matches: matches}
	n.injections[path] = append(n.injections[path], i)
	return i
}

// inject is the innermost of an actor's receiver middlewares.
func (n *Node) inject(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
		path := ctx.Self().Id
		if !n.takeInjection(path, envelope.Message) {
			next(ctx, envelope)
			return
		}
		if n.world.Faults.IntN(2) == 0 {
			next(ctx, envelope)
		}
		panic(Injected{path})
	}
}

// takeInjection takes out the injection that a message meets; it reports whether there is one.
func (n *Node) takeInjection(path string, message any) bool {
	waiting := n.injections[path]
	for k, i := range waiting {
		if i.matches(message) {
			i.fired = true
			n.injections[path] = append(waiting[:k:k], waiting[k+1:]...)
			return true
		}
	}
	return false
}

// isUserMessage tells the messages of the product from protoactor's own.
func isUserMessage(message any) bool {
	switch message.(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage, actor.MailboxMessage:
		return false
	}
	return true
}

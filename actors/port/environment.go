package port

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
)

// Environment is one incarnation of one actor's share of its node's runtime.
// What was set in motion by one incarnation (timers, questions to ports) never reaches the next one.
type Environment struct {
	runtime Runtime
	system  *actor.ActorSystem
	log     zerolog.Logger

	self   *actor.PID
	rand   *rand.Rand
	timers map[*note]func() // running timers and how to stop them

	failed   bool // it panicked, and hears nothing more but of its end
	ending   bool // it has heard of its end
	stopping bool // for good
}

// note is a message from an incarnation to itself: a timer that went off, or a port's answer.
type note struct {
	of        *Environment
	message   any
	cancelled bool // a timer that may have gone off all the same
}

// Message is what the note says, for those who trace messages.
func (n *note) Message() any { return n.message }

// Now is the wall clock in UTC; it may be wrong, and it may jump.
func (e *Environment) Now() time.Time { return e.runtime.Now() }

// Elapsed is the time since the node started, by a clock that never jumps.
func (e *Environment) Elapsed() time.Duration { return e.runtime.Elapsed() }

// Log is the actor's logger: it names the actor.
func (e *Environment) Log() *zerolog.Logger { return &e.log }

// Sometimes marks a point that a good simulation must reach.
func (e *Environment) Sometimes(name string) { e.runtime.Sometimes(name) }

// Rand is the actor's own stream of random numbers.
func (e *Environment) Rand() *rand.Rand {
	if e.rand == nil {
		e.rand = e.runtime.Rand(e.self.Id)
	}
	return e.rand
}

// After sends message to the actor itself after d, unless it is cancelled or the actor ends or restarts before.
func (e *Environment) After(d time.Duration, message any) (cancel func()) {
	n := &note{of: e, message: message}
	stop := e.runtime.AfterFunc(d, func() { e.system.Root.Send(e.self, n) })
	if e.timers == nil {
		e.timers = make(map[*note]func())
	}
	e.timers[n] = stop
	return func() {
		n.cancelled = true
		delete(e.timers, n)
		stop()
	}
}

// Answer makes the function by which a port gives its answer: a message of type T to this incarnation.
// It may be called from any goroutine, once, and not before the port's method has returned.
func Answer[T any](e *Environment) func(T) {
	return func(answer T) { e.system.Root.Send(e.self, &note{of: e, message: answer}) }
}

// start binds the environment to its actor.
func (e *Environment) start(ctx actor.ReceiverContext) {
	e.self = ctx.Self()
	e.log = e.log.With().Str("actor", e.self.Id).Logger()
}

// end stops all timers.
func (e *Environment) end() {
	for n, stop := range e.timers {
		stop()
		delete(e.timers, n)
	}
}

// receive stands before the actor's own Receive: it unwraps notes and drops those of an earlier incarnation,
// it logs a panic once, with its stack, and it sees to it that an end is an end.
func (e *Environment) receive(next actor.ReceiverFunc, ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
	switch m := envelope.Message.(type) {
	case *actor.Started:
		e.start(ctx)
	case *actor.Restarting, *actor.Stopping, *actor.Stopped:
		if e.leave(m) {
			return
		}
	case *note:
		if m.of != e || m.cancelled {
			return
		}
		delete(e.timers, m)
		envelope = &actor.MessageEnvelope{Message: m.message}
	}
	if e.failed && !e.ending {
		return // protoactor still tells of the ends of others, though the state may be broken
	}
	defer e.panicked(envelope.Message)
	next(ctx, envelope)
}

// leave takes note of an end, and reports whether the actor has heard of it already. protoactor lets a restart undo
// a stop that waits for children; so such a stop is asked for once more.
func (e *Environment) leave(message any) (again bool) {
	e.end()
	e.ending = true
	again = e.stopping
	switch message.(type) {
	case *actor.Stopping:
		e.stopping = true
	case *actor.Restarting:
		if e.stopping {
			e.system.Root.Stop(e.self)
		}
	case *actor.Stopped:
		again = false
	}
	return again
}

// panicked logs a panic and hands it on to the supervisor. While an actor ends there is nobody to hand it to:
// protoactor would revive the actor, or forget to tell those who watch it.
func (e *Environment) panicked(message any) {
	reason := recover()
	if reason == nil {
		return
	}
	e.log.Error().Str("message_type", fmt.Sprintf("%T", message)).
		Str("reason", fmt.Sprint(reason)).Str("stack", string(debug.Stack())).
		Msg("actor panicked")
	if !e.ending {
		e.failed = true
		panic(reason)
	}
}

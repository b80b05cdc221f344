// Package port is what actors may touch besides messages: an environment with time, timers, randomness and a log,
// and the ports to what lies outside (Store, Prober, Live, ...), each asynchronous: the answer is a message.
//
// In production the runtime is the machine's; in simulation the same actors run on virtual time with
// seeded scheduling. Actors never read a clock, start a goroutine, wait, or draw a random number any other way.
package port

import (
	"math/rand/v2"
	"time"
)

// Runtime is what one node (a hub or an agent) gives all its actors.
type Runtime interface {
	// Now is the node's wall clock in UTC. It may be wrong, and it may jump.
	Now() time.Time

	// Elapsed is how long the node has been running, by a clock that never jumps.
	Elapsed() time.Duration

	// AfterFunc calls f once after d, outside of any actor; stop keeps it from being called if it wasn't yet.
	AfterFunc(d time.Duration, f func()) (stop func())

	// Rand is a new stream of random numbers for an incarnation of the actor at path.
	Rand(path string) *rand.Rand

	// Sometimes marks a point that a good simulation must reach. In production it does nothing.
	Sometimes(name string)
}

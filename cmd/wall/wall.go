// Package wall is the runtime of a node on a real machine: its clock, its timers, its randomness.
package wall

import (
	crand "crypto/rand"
	"math/rand/v2"
	"time"

	"truechimer/actors/port"
)

// Runtime is a machine's. It implements port.Runtime.
type Runtime struct{ started time.Time }

var _ port.Runtime = Runtime{}

// New starts counting Elapsed.
func New() Runtime { return Runtime{started: time.Now()} }

// Now is the machine's wall clock, in UTC and without the reading of the monotonic one.
func (Runtime) Now() time.Time { return time.Now().UTC() }

// Elapsed is by the machine's monotonic clock.
func (r Runtime) Elapsed() time.Duration { return time.Since(r.started) }

// AfterFunc calls f on a goroutine of its own.
func (Runtime) AfterFunc(d time.Duration, f func()) (stop func()) {
	timer := time.AfterFunc(d, f)
	return func() { timer.Stop() }
}

// Rand is a ChaCha8 stream that nobody can predict: probes' jitter and the ids of commits are drawn from it.
func (Runtime) Rand(string) *rand.Rand {
	var seed [32]byte
	crand.Read(seed[:]) // never fails
	return rand.New(rand.NewChaCha8(seed))
}

// Sometimes does nothing.
func (Runtime) Sometimes(string) {}

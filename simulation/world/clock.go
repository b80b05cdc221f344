package world

import (
	"math/rand/v2"
	"strconv"
	"time"

	"truechimer/actors/port"
)

var _ port.Runtime = (*Node)(nil)

// clock is a machine's idea of time. One oscillator drives all of it, so a drift shows in the wall clock,
// in the monotonic one and in timers alike; a step shows in the wall clock alone.
type clock struct {
	since   int64   // virtual time of the last change of drift, ns since 1970
	elapsed int64   // by this clock from the node's start to then, ns
	boot    int64   // what the wall clock would have shown at the node's start, had it been stepped before, ns since 1970
	drift   float64 // seconds gained for each second
}

// elapsedAt is how long the node has been running at a virtual time, by its own clock, in ns.
func (c *clock) elapsedAt(now int64) int64 {
	passed := now - c.since
	return c.elapsed + passed + int64(float64(passed)*c.drift)
}

// Now is the node's wall clock in UTC.
func (n *Node) Now() time.Time {
	return time.Unix(0, n.clock.boot+n.clock.elapsedAt(n.world.now)).UTC()
}

// Elapsed is how long the node has been running by its own clock.
func (n *Node) Elapsed() time.Duration { return time.Duration(n.clock.elapsedAt(n.world.now)) }

// ClockError is by how much the wall clock is ahead of the true time; negative when it is behind.
func (n *Node) ClockError() time.Duration { return n.Now().Sub(n.world.Now()) }

// StepClock makes the wall clock jump, forward or back.
func (n *Node) StepClock(by time.Duration) { n.clock.boot += int64(by) }

// SetDrift makes the node's oscillator gain so many seconds for each second, or lose where negative; more than -1.
// Timers that are already set keep their time.
func (n *Node) SetDrift(rate float64) {
	n.clock.elapsed = n.clock.elapsedAt(n.world.now)
	n.clock.since = n.world.now
	n.clock.drift = rate
}

// AfterFunc calls f on the node when d has passed by the node's own clock.
func (n *Node) AfterFunc(d time.Duration, f func()) (stop func()) {
	d -= time.Duration(float64(d) * n.clock.drift / (1 + n.clock.drift))
	t := n.world.schedule(n.world.now+int64(d), n, f)
	return func() { t.Stop() }
}

// Rand is a new stream of random numbers for an incarnation of the actor at path, which no other actor and
// no other incarnation shares, also not in an earlier or later life of the node.
func (n *Node) Rand(path string) *rand.Rand {
	of := n.name + "/" + path
	n.world.streams[of]++
	return stream(n.world.config.Seed, "actor "+of+" "+strconv.Itoa(n.world.streams[of]))
}

// Sometimes counts that a point was reached.
func (n *Node) Sometimes(name string) {
	n.world.reached[name]++
	n.world.record(Event{Kind: Reached, Node: n.name, Actor: name}, nameHash(n.name), nameHash(name))
}

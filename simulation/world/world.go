// Package world is the kernel of the deterministic simulation. It runs the production's actors, unmodified, on
// virtual time: one goroutine, one seed, one history. The same seed gives the same run, event for event,
// in any process and with any number of processors.
//
//	World ── timers          what happens when; ties are broken by the seed
//	  │   ── mailboxes       each step delivers one message of a mailbox that the seed picks
//	  │   ── Network, Conn   what travels between nodes: delayed, in order, cut off, lost
//	  └── Node               one simulated process: an actor system and its port.Runtime
//	        └── actors       every one, at any depth, has the kernel's mailbox
//
// The kernel knows nothing of NTP, servers or scores. Hubs, agents, stores and NTP servers are put into a world by
// the packages above it, which draw their faults from the world's streams and state what must hold as invariants.
package world

import (
	"io"
	"math/rand/v2"
	"time"

	"github.com/rs/zerolog"
)

// standstill is how many steps in a row may happen at one instant. Ten thousand actors that start together need
// some hundred thousand; whoever reaches a million sends messages in a circle, and the world would never end.
const standstill = 1_000_000

// Config says how a world runs. Its zero value is a world of seed 0 that picks at random and keeps nothing.
type Config struct {
	// Seed decides everything that is left to chance.
	Seed uint64

	// Start is the time at which the world begins; 2026-01-01T00:00:00Z if zero.
	Start time.Time

	// Policy says which mailbox is next.
	Policy Policy

	// StepTime is the most that the handling of one message takes; how long it takes is drawn for each.
	// Zero lets no time pass, so that no timer ever goes off in the middle of a chain of messages.
	StepTime time.Duration

	// Log gets the log lines of all nodes, nil for nobody. The last ones are kept for the report of a violation.
	Log io.Writer

	// Level is the least level that is logged; debug if zero.
	Level zerolog.Level

	// Keep is how many of the last events are kept for people to read.
	Keep int

	// OneGoroutine checks at every message that the world's own goroutine sends it, and panics where another does.
	// It takes 2 µs a message: for tests that look for what escapes from the world, not for long runs.
	OneGoroutine bool
}

// World is virtual time and all that lives in it. Only the goroutine that runs it may touch it.
type World struct {
	// Network is the net between the nodes; its rates may be changed at any time.
	Network *Network

	// Faults is the stream from which faults are drawn, Load the one for what users do. Each is independent of the
	// scheduling, so that a fault plan stays what it was when the actors send one message more.
	Faults, Load *rand.Rand

	config     Config
	scheduling *rand.Rand
	start, now int64 // virtual time, ns since 1970
	steps      uint64
	standing   int // steps since time last moved
	timers     timerQueue
	ready      readyQueue
	running    bool
	goroutine  string // that runs the world, where that is checked

	nodes   map[string]*Node // the living, by name
	cables  []*cable         // the open connections, oldest first
	streams map[string]int   // how many streams of random numbers each actor has had

	trace      trace
	log        zerolog.Logger
	lines      *lastLines
	reached    map[string]int
	invariants []invariant
	onPanic    []func(Panic)
	violation  *Violation
}

// New makes an empty world.
func New(config Config) *World {
	if config.Start.IsZero() {
		config.Start = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	start := config.Start.UnixNano()
	w := &World{
		Faults:     stream(config.Seed, "faults"),
		Load:       stream(config.Seed, "load"),
		config:     config,
		scheduling: stream(config.Seed, "schedule"),
		start:      start,
		now:        start,
		nodes:      make(map[string]*Node),
		streams:    make(map[string]int),
		trace:      newTrace(config.Seed, config.Keep),
		lines:      newLastLines(config.Log),
		reached:    make(map[string]int),
	}
	w.ready.policy, w.ready.rand = config.Policy, w.scheduling
	w.Network = newNetwork(w, stream(config.Seed, "network"))
	w.log = zerolog.New(w.lines).Level(config.Level).Hook(stamp{w})
	return w
}

// Seed is the seed that decides everything.
func (w *World) Seed() uint64 { return w.config.Seed }

// Now is the true time, in UTC. Nodes may think otherwise.
func (w *World) Now() time.Time { return time.Unix(0, w.now).UTC() }

// Since is how long the world has existed.
func (w *World) Since() time.Duration { return time.Duration(w.now - w.start) }

// Steps is how many messages were delivered and timers went off.
func (w *World) Steps() uint64 { return w.steps }

// RunFor runs the world for d of its own time.
func (w *World) RunFor(d time.Duration) error { return w.RunUntil(w.Now().Add(d)) }

// RunUntil runs all that happens up to and including t, and leaves the clock there. It ends early with a *Violation
// when an invariant breaks; such a world doesn't go on. A panic outside of actors is a programmer's error, and passes.
func (w *World) RunUntil(t time.Time) error {
	if w.running {
		panic("world: run from within a run")
	}
	w.running = true
	defer func() { w.running = false }()
	if w.config.OneGoroutine {
		w.goroutine = goroutine()
	}
	limit := t.UnixNano()
	for w.violation == nil && w.now <= limit && w.step(limit) {
	}
	if w.violation != nil {
		return w.violation
	}
	w.now = max(w.now, limit)
	return nil
}

// step delivers one message or lets one timer go off; it reports whether there was anything to do up to limit.
func (w *World) step(limit int64) bool {
	defer w.contain()
	first := w.timers.first()
	if w.ready.empty() {
		if first == nil || first.when > limit {
			return false
		}
		w.advance(first.when)
	}
	if first != nil && first.when > w.now {
		first = nil
	}
	w.steps++
	if m := w.ready.take(first); m != nil {
		m.deliver()
		w.passStepTime()
	} else {
		w.fire(first)
	}
	w.checkStandstill()
	w.checkInvariants()
	return true
}

// passStepTime lets the time pass that the handling of one message takes.
func (w *World) passStepTime() {
	if most := w.config.StepTime; most > 0 {
		w.advance(w.now + w.scheduling.Int64N(int64(most)+1))
	}
}

func (w *World) advance(t int64) {
	if t > w.now {
		w.now, w.standing = t, 0
	}
}

func (w *World) checkStandstill() {
	if w.standing++; w.standing > standstill {
		w.Violate("time goes on", "%d steps at one instant", standstill)
	}
}

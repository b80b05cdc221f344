package world

import (
	"fmt"
	"strings"
	"time"
)

// Violation is a broken invariant: what a simulation is run to find.
type Violation struct {
	Seed   uint64
	Step   uint64    // of the world
	At     time.Time // true time
	Rule   string    // what should hold
	Seen   string    // what was seen instead
	Events []Event   // the last ones, oldest first, as many as Config.Keep says
	Lines  []string  // the last log lines of all nodes, oldest first
}

// Error says in one line what broke, and where to find it again.
func (v *Violation) Error() string {
	return fmt.Sprintf("seed %d, step %d, %s: broken: %s: %s", v.Seed, v.Step, v.At.Format(time.RFC3339Nano), v.Rule, v.Seen)
}

// Report is the error with the events and the log lines that led to it.
func (v *Violation) Report() string {
	var b strings.Builder
	for _, e := range v.Events {
		fmt.Fprintln(&b, e)
	}
	for _, line := range v.Lines {
		fmt.Fprint(&b, line)
	}
	fmt.Fprintln(&b, v.Error())
	return b.String()
}

type invariant struct {
	rule  string
	holds func() error
}

// Invariant is checked after each step from now on: an error says what was seen while the rule was broken.
func (w *World) Invariant(rule string, holds func() error) {
	w.invariants = append(w.invariants, invariant{rule, holds})
}

func (w *World) checkInvariants() {
	for _, i := range w.invariants {
		if err := i.holds(); err != nil {
			w.Violate(i.rule, "%v", err)
		}
	}
}

// Violate ends the world: the rule is broken. It may be called from anywhere inside a run, from actors and ports too,
// and doesn't return: the panic by which it leaves goes through every recover, since the world remembers it.
// The first violation is the one that counts.
func (w *World) Violate(rule, format string, args ...any) {
	if w.violation == nil {
		w.violation = &Violation{
			Seed: w.config.Seed, Step: w.steps, At: w.Now(), Rule: rule, Seen: fmt.Sprintf(format, args...),
			Events: w.LastEvents(), Lines: w.lines.all(),
		}
	}
	panic(w.violation)
}

// contain ends the panic of a violation, by now remembered, at the edge of the step. All other panics pass.
func (w *World) contain() {
	if w.violation != nil {
		_ = recover()
	}
}

// Panic is an actor's handler that panicked.
type Panic struct {
	Node    string
	Actor   string // its path
	Message any
	Reason  any // an Injected, when it was asked for
}

// OnPanic calls f whenever an actor's handler panics, before its supervisor hears of it.
// It may Violate where actors aren't supposed to.
func (w *World) OnPanic(f func(Panic)) { w.onPanic = append(w.onPanic, f) }

func (w *World) panicked(m *mailbox, message, reason any) {
	w.record(Event{Kind: Panicked, Node: m.node.name, Actor: m.path, Message: message}, m.id)
	p := Panic{Node: m.node.name, Actor: m.path, Message: contents(message), Reason: reason}
	for _, f := range w.onPanic {
		f(p)
	}
}

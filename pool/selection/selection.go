// Package selection chooses which monitors watch a server.
//
// Plan is pure: it sees the server's monitors as a View and returns a Round, the changes that it wants,
// each with a reason that a person can read. Who applies them, and when the next round is due, is left to others.
package selection

import (
	"cmp"
	"fmt"
	"slices"

	"truechimer/pool"
)

// Targets of a server.
const (
	// ActiveTarget is how many monitors make up the overall score: the median of seven
	// stands against three that are wrong.
	ActiveTarget = 7
	// TestingTarget is how many more are kept ready to take an active one's place.
	TestingTarget = 5
)

// View is what a round sees.
type View struct {
	Monitors []Monitor
}

// Monitor is one monitor as a round sees it.
type Monitor struct {
	ID     pool.MonitorID
	Global pool.GlobalStatus
	Status pool.Status // for this server; empty: it has none yet
}

// Round is what a round wants changed, by monitor id.
type Round struct {
	Changes []Change
}

// Change is one monitor's change of status for the server.
type Change struct {
	Monitor pool.MonitorID
	From    pool.Status // empty: it had none
	To      pool.Status
	Reason  string
}

// Plan takes blocked monitors away, and fills the places among the active with monitors that are globally active,
// those among the testing with monitors that are globally testing. The result doesn't depend on the input's order.
func Plan(view View) Round {
	monitors := slices.SortedFunc(slices.Values(view.Monitors), func(a, b Monitor) int { return cmp.Compare(a.ID, b.ID) })
	round := Round{}
	block(&round, monitors)
	// Who goes from active to testing leaves a place that another can have, and the other way round.
	for planned := -1; planned != len(round.Changes); {
		planned = len(round.Changes)
		fill(&round, monitors, pool.Active, ActiveTarget, pool.GlobalActive)
		fill(&round, monitors, pool.Testing, TestingTarget, pool.GlobalTesting)
	}
	welcome(&round, monitors)
	slices.SortFunc(round.Changes, func(a, b Change) int { return cmp.Compare(a.Monitor, b.Monitor) })
	return round
}

// block takes the places of monitors that the pool as a whole has stopped, or doesn't know.
func block(round *Round, monitors []Monitor) {
	for i := range monitors {
		m := &monitors[i]
		if blocked(m.Global) && (m.Status == pool.Active || m.Status == pool.Testing) {
			round.change(m, pool.Candidate, fmt.Sprintf("blocked: the monitor is globally %s", m.Global))
		}
	}
}

func blocked(global pool.GlobalStatus) bool {
	return global != pool.GlobalActive && global != pool.GlobalTesting && global != pool.GlobalPending
}

// fill gives the free places of a status to monitors of a global status that don't have it yet, lowest id first.
func fill(round *Round, monitors []Monitor, status pool.Status, target int, global pool.GlobalStatus) {
	taken := 0
	for _, m := range monitors {
		if m.Status == status {
			taken++
		}
	}
	for i := range monitors {
		m := &monitors[i]
		if taken < target && m.Global == global && m.Status != status && m.Status != pool.Paused {
			taken++
			round.change(m, status, fmt.Sprintf("fills place %d of %d", taken, target))
		}
	}
}

// welcome makes candidates of those for whom there was no place.
func welcome(round *Round, monitors []Monitor) {
	for i := range monitors {
		m := &monitors[i]
		if m.Status == "" && (m.Global == pool.GlobalActive || m.Global == pool.GlobalTesting) {
			round.change(m, pool.Candidate, "all places are taken")
		}
	}
}

// change plans a monitor's new status, which the rest of the round sees.
func (r *Round) change(m *Monitor, to pool.Status, reason string) {
	r.Changes = append(r.Changes, Change{Monitor: m.ID, From: m.Status, To: to, Reason: reason})
	m.Status = to
}

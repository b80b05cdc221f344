// Package selection chooses which monitors watch a server, and which of them make up its score.
//
// Plan is pure: it sees a server's monitors as a View and returns a Round, what it wants changed and recorded, each
// change with a reason that a person can read. Welcome says which monitors come in at all. Nothing in a View can stop
// either of them: what is odd in it has a meaning, which is written where it stands. Who gathers the figures, applies
// a round and calls the next one is left to others.
package selection

import (
	"net/netip"
	"time"

	"truechimer/pool"
)

// Targets of a server.
const (
	// ActiveTarget is how many monitors make up the overall score: the median of seven
	// stands against three that are wrong.
	ActiveTarget = 7
	// TestingTarget is how many more are kept ready to take an active one's place. While places among the active are
	// empty, one more is tested for each.
	TestingTarget = 5
)

// View is what a round sees of a server.
type View struct {
	Now    time.Time
	Server Server

	// TestingInterval is how often a testing monitor probes: who can't have 32 samples in a day is promoted with
	// fewer. Zero or less: nothing is known of it.
	TestingInterval time.Duration

	// Monitors are in any order. Of several with one id the one counts whose fields sort first.
	Monitors []Monitor
}

// Server is what selection needs to know of a server.
type Server struct {
	Addr    netip.Addr     // invalid: it shares a network with nobody
	Account pool.AccountID // 0: it belongs to nobody
}

// Monitor is one monitor as a round sees it.
type Monitor struct {
	ID     pool.MonitorID
	Global pool.GlobalStatus // a word that we don't know blocks it

	// Status is what it is for the server. Empty: it has nothing to do with it yet, and Plan leaves it alone.
	// A word that we don't know counts as paused.
	Status pool.Status

	Account  pool.AccountID // 0: it belongs to nobody, so it shares an account with nobody
	Limit    int            // the account's, see LimitOf; less than 1: DefaultLimit
	Addr     netip.Addr     // invalid: not known yet, it shares a network with nobody
	LastSeen time.Time      // when its agent was; zero: not recorded, which counts as seen
	Figures  Figures

	// What earlier rounds have recorded.
	Violation      Violation
	ViolationSince time.Time
	LastCheck      time.Time // when it was last looked at while paused; zero: never
	PauseReason    string
}

// Round is what a round found and wants. All lists are by monitor id, and each names a monitor once at most.
type Round struct {
	// Changes are those that the rules make. Pauses are made besides, outside every budget; what the rules had planned
	// for a monitor that is paused is dropped.
	Changes []Change
	Pauses  []Change

	// Newcomers came in as candidates, and are nothing else yet. Only Review lets any in.
	Newcomers []Change

	Standings  []Standing // of every monitor that has a status for the server
	Violations []Violated // all that the round found and that are to be on record after it
	Checked    []pool.MonitorID

	// Statuses are what is to be stored where it differs from the View. They have no cadence: that is the timetable's.
	Statuses []pool.PairStatus

	Next time.Time // when the next review is due
}

// Change is one monitor's change of status for the server.
type Change struct {
	Monitor pool.MonitorID
	From    pool.Status // empty: it had none
	To      pool.Status
	Reason  string // for people
}

// Violated says which constraint a monitor breaks, and since when rounds have found it to.
type Violated struct {
	Monitor   pool.MonitorID
	Violation Violation
	Since     time.Time
}

// Plan runs one round: the rules in their order, each upon what those before it have left.
func Plan(view View) Round {
	d := newDraft(view)
	d.block()
	d.removeGradually()
	d.demoteExcess()
	d.promoteToActive()
	d.swapActive()
	d.promoteToTesting()
	d.swapTesting()
	d.trimTesting()
	d.resume()
	d.bootstrap()
	d.pause()
	return d.round()
}

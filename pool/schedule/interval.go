package schedule

import (
	"slices"
	"time"

	"truechimer/pool"
)

const (
	// CondemnedInterval is how often a monitor probes a server of which it has seen nothing good for long:
	// often enough to see it come back the same day, seldom enough to leave a dead address in peace.
	CondemnedInterval = 2 * time.Hour

	// CandidatesAtOnce is how many of a server's candidates are probed at a time. Hundreds of monitors may be
	// candidates for a server; 20 of them every 2 h are as much traffic as one and a half active ones.
	CandidatesAtOnce = 20
)

// Interval is how often a monitor probes a server, and whether it does at all, by its status for the server and
// its global status. Unknown words count as paused.
//
// noActive says that the server has no active monitor: its testing ones then do the work of active ones.
// Globally testing monitors use at least the testing interval even so: nobody relies on them yet.
// condemned says that the monitor's own score of the server is -90 or below and its last step was negative.
func Interval(s pool.Settings, status pool.Status, global pool.GlobalStatus, noActive, condemned bool) (time.Duration, bool) {
	var interval time.Duration
	switch {
	case status == pool.Active, status == pool.Testing && noActive:
		interval = s.IntervalActive
	case status == pool.Testing:
		interval = s.IntervalTesting
	case status == pool.Candidate:
		interval = s.IntervalCandidate
	default:
		return 0, false
	}
	switch global {
	case pool.GlobalActive, pool.GlobalPending: // a pending one keeps what it has until selection takes it away
	case pool.GlobalTesting:
		interval = max(interval, s.IntervalTesting)
	default:
		return 0, false
	}
	if condemned {
		interval = max(interval, CondemnedInterval)
	}
	return interval, true
}

// CandidatesOfTheDay are those of a server's candidates that are probed on a day (counted from the Unix epoch),
// by id. All of them stand in a circle by their ids, and each day the next CandidatesAtOnce have their turn: of n
// candidates each waits n/20 days at most. A whole day gives the 9 samples that a promotion asks for.
//
// Where the day begins is the caller's choice: if it differs from server to server, they don't all change at once.
func CandidatesOfTheDay(candidates []pool.MonitorID, day int64) []pool.MonitorID {
	circle := slices.Clone(candidates)
	slices.Sort(circle)
	circle = slices.Compact(circle)
	n := int64(len(circle))
	if n <= CandidatesAtOnce {
		return circle
	}
	day = (day%n + n) % n // the turns repeat after n days
	first := day * CandidatesAtOnce % n
	turn := slices.Concat(circle[first:], circle[:first])[:CandidatesAtOnce]
	slices.Sort(turn)
	return turn
}

package selection

import (
	"time"

	"truechimer/pool"
)

// Why a monitor is paused for a server.
const (
	pausedForConstraint = "constraint" // it breaks network_same_subnet or account
	pausedForExcess     = "excess"     // other writers of the database pause for want of room
)

// When a paused monitor is looked at again. Addresses and owners change rarely; want of room lasts for days.
const (
	checkAfter       = 8 * time.Hour
	excessCheckAfter = 120 * time.Hour
)

// mostResumed is how many a round lets back: as many as it changes of any other kind.
const mostResumed = 2

// resume lets back those that are paused for a reason that is gone. Who is not looked at, since two were let back
// before it, stays due.
func (d *draft) resume() {
	resumed := 0
	for _, m := range d.order {
		if m.status != pool.Paused || !d.checkDue(m) {
			continue
		}
		if m.violation.pauses() {
			m.checked = true
		} else if resumed < mostResumed {
			m.checked = true
			resumed++
			d.change(m, pool.Candidate, "breaks neither %s nor %s, %s", SameSubnet, SameAccount, d.lastCheck(m))
		}
	}
}

// checkDue tells whether a paused monitor is to be looked at. A check in the future isn't due before its time.
func (d *draft) checkDue(m *member) bool {
	wait := checkAfter
	if m.PauseReason == pausedForExcess {
		wait = excessCheckAfter
	}
	return m.LastCheck.IsZero() || d.now.Sub(m.LastCheck) >= wait
}

// lastCheck says when a monitor was last looked at.
func (d *draft) lastCheck(m *member) string {
	if m.LastCheck.IsZero() {
		return "never checked before"
	}
	return "last checked " + inWords(d.now.Sub(m.LastCheck)) + " ago"
}

// pause takes away those that would judge their own, whatever else was planned for them.
func (d *draft) pause() {
	for i := range d.members {
		m := &d.members[i]
		m.paused = m.violation.pauses() && m.status != pool.Paused
	}
}

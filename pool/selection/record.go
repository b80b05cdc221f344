package selection

import (
	"time"

	"truechimer/pool"
)

// When a server's monitors are looked at again: a change is given time to show in the figures.
const (
	reviewAfterChange = 60 * time.Minute
	reviewAfterNone   = 20 * time.Minute

	// LongestPause is the longest that there is between two reviews.
	LongestPause = reviewAfterChange
)

// round is what has become of the draft.
func (d *draft) round() Round {
	round := Round{Standings: make([]Standing, 0, len(d.members))}
	for i := range d.members {
		m := &d.members[i]
		round.Standings = append(round.Standings, Standing{Monitor: m.ID, Verdict: m.verdict, Why: m.why})
		switch {
		case m.paused:
			round.Pauses = append(round.Pauses, Change{m.ID, m.Status, pool.Paused, "breaks " + string(m.violation)})
		case m.changed:
			round.Changes = append(round.Changes, Change{m.ID, m.Status, m.status, m.reason})
		}
		if m.checked {
			round.Checked = append(round.Checked, m.ID)
		}
		after := d.after(m)
		if after.Violation != "" {
			round.Violations = append(round.Violations, Violated{m.ID, Violation(after.Violation), after.ViolationSince})
		}
		if m.differs(after) {
			round.Statuses = append(round.Statuses, after)
		}
	}
	round.Next = d.now.Add(reviewAfterNone)
	if len(round.Changes) > 0 {
		round.Next = d.now.Add(reviewAfterChange)
	}
	return round
}

// after is what is to be on record of a monitor after the round. What it breaks is what the round found, and acted upon;
// the next one finds anew. A candidate never carries limit: it has no place that another could want.
func (d *draft) after(m *member) pool.PairStatus {
	after := pool.PairStatus{Monitor: m.ID, Status: m.status, LastCheck: m.LastCheck, PauseReason: m.PauseReason}
	if m.paused {
		after.Status = pool.Paused
	}
	if m.checked {
		after.LastCheck = d.now
	}
	switch {
	case m.violation.pauses():
		after.PauseReason = pausedForConstraint
	case m.Status != m.status && m.status == pool.Candidate:
		after.PauseReason = ""
	}
	if m.violation == "" || m.violation == Limit && after.Status == pool.Candidate {
		return after
	}
	after.Violation, after.ViolationSince = string(m.violation), d.now
	if m.violation == m.Violation && !m.ViolationSince.IsZero() {
		after.ViolationSince = m.ViolationSince
	}
	return after
}

// differs tells whether a monitor's record is another after the round.
func (m *member) differs(after pool.PairStatus) bool {
	return after.Status != m.Status || after.Violation != string(m.Violation) ||
		!after.ViolationSince.Equal(m.ViolationSince) || !after.LastCheck.Equal(m.LastCheck) ||
		after.PauseReason != m.PauseReason
}

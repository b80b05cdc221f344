package selection

import (
	"testing"

	"pgregory.net/rapid"

	"truechimer/pool"
)

// On frozen figures round after round settles to no change within max(20, n) rounds of n monitors, and then nobody
// waits for an empty place who could fill it.
//
// To fill an empty place among the active a monitor must be globally active and fit, have samples enough, and break
// nothing as an active one. If it is testing, it fills it. If it is a candidate it must get a testing place first:
// it must have samples enough and break nothing for that, too, and there must be a place that is free, or one whose
// holder isn't out and couldn't become active. A place whose holder could become active, but for its samples, isn't
// taken from it: these grow while the figures aren't frozen.
func TestRoundsSettleAndStarveNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := anyView(t)
		rounds := 0
		for {
			round := Plan(view)
			if len(round.Changes)+len(round.Pauses) == 0 {
				break
			}
			if rounds++; rounds > max(20, len(view.Monitors)) {
				t.Fatalf("%d monitors are still changing after %d rounds: %+v", len(view.Monitors), rounds, round.Changes)
			}
			view = apply(view, round)
		}
		for _, m := range view.Monitors {
			if couldFill(view, m) {
				t.Fatalf("monitor %d waits: %+v", m.ID, m)
			}
		}
	})
}

// couldFill tells whether a monitor could fill an empty place among the active.
func couldFill(view View, m Monitor) bool {
	active, testing := countOf(view, pool.Active), countOf(view, pool.Testing)
	enough := threshold(view.TestingInterval)
	if active == 0 {
		enough = 8
	}
	if active >= 7 || m.Global != pool.GlobalActive || !fitIn(view, m) || m.Figures.Count < enough ||
		active > 0 && !roomFor(view, m, pool.Active) || mustPause(view, m) != "" {
		return false
	}
	if m.Status != pool.Candidate {
		return m.Status == pool.Testing
	}
	if m.Figures.Count < 9 || !roomFor(view, m, pool.Testing) {
		return false
	}
	if testing < 5+7-active {
		return true
	}
	for _, holder := range view.Monitors {
		if holder.Status != pool.Testing || bystander(view, holder) || violationOf(view, holder) != "" ||
			holder.Figures.grade() > unknown || !holder.LastSeen.IsZero() && view.Now.Sub(holder.LastSeen) > seenWithin {
			continue
		}
		if holder.Global != pool.GlobalActive || !fitIn(view, holder) {
			return true
		}
	}
	return false
}

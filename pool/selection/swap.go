package selection

import (
	"slices"

	"truechimer/pool"
)

// swapActive lets testing ones that do clearly better change places with active ones, the worst of these first.
func (d *draft) swapActive() {
	for _, leaver := range slices.Backward(d.order) {
		if d.promotions < 1 { // a swap costs more, but may use the last single point
			return
		}
		if leaver.resting(pool.Active) && leaver.verdict != Out &&
			d.swap(leaver, pool.Testing, d.mayBecomeActive, clearlyBetter) {
			d.promotions = max(d.promotions-swapActiveCost, 0)
		}
	}
}

// swapTesting lets candidates change places with testing ones, the worst of these first: those that do clearly better,
// and those that could become active with one that couldn't. Never the reverse of that.
func (d *draft) swapTesting() {
	for _, leaver := range slices.Backward(d.order) {
		if d.promotions < swapTestingCost || d.testing > d.testingTarget() {
			return // the place that is left must count as free
		}
		if !leaver.resting(pool.Testing) || leaver.verdict == Out {
			continue
		}
		leaverCould := d.couldBecomeActive(leaver)
		better := func(m, leaver *member) (why string) {
			switch could := d.couldBecomeActive(m); {
			case could == leaverCould:
				return clearlyBetter(m, leaver)
			case could:
				return "which couldn't become active"
			}
			return ""
		}
		if d.swap(leaver, pool.Candidate, d.mayBecomeTesting, better) {
			d.promotions -= swapTestingCost
		}
	}
}

// reason tells why a monitor is better than the one whose place it would take; empty: it isn't.
type reason func(m, leaver *member) (why string)

// clearlyBetter is the usual reason: the one outperforms the other.
func clearlyBetter(m, leaver *member) (why string) {
	if outperforms(m, leaver) {
		return "which it outperforms"
	}
	return ""
}

// swap gives a monitor's place to the best of those that may have it and are better for a reason, the leaver being
// counted as what it would be then. It tells whether there was one.
func (d *draft) swap(leaver *member, to pool.Status, may func(*member) bool, better reason) bool {
	place := leaver.status
	d.shift(leaver, to)
	for _, m := range d.order {
		if !may(m) {
			continue
		}
		if why := better(m, leaver); why != "" {
			d.change(m, place, "takes the place of %d, %s: %s, against %s", leaver.ID, why, m.merits(), leaver.merits())
			d.change(leaver, to, "gives its place to %d: %s, against %s", m.ID, leaver.merits(), m.merits())
			return true
		}
	}
	d.shift(leaver, place)
	return false
}

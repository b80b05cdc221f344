package selection

import (
	"slices"

	"truechimer/pool"
)

// How many a status keeps when the others of it do badly: a failing server makes all its monitors look unhealthy,
// and must not lose them for it.
const (
	safeActive  = 5
	safeTesting = 3
)

// block takes the places of monitors that the pool as a whole has stopped, or doesn't know. It needs no budget.
func (d *draft) block() {
	for _, m := range d.order {
		if m.verdict == Blocked && placed(m.status) {
			d.change(m, pool.Candidate, "blocked: %s", m.why)
		}
	}
}

// removeGradually takes the places of those that are out, one status down.
func (d *draft) removeGradually() {
	d.removeOut(pool.Active, pool.Testing, safeActive)
	d.removeOut(pool.Testing, pool.Candidate, safeTesting)
}

// removeOut takes a status from those that are out, worst first, as far as the budget and the others' safety allow.
// Who was demoted to it a moment ago is counted, but not removed again.
func (d *draft) removeOut(status, to pool.Status, safe int) {
	n, mustLeave := 0, 0
	for _, m := range d.order {
		if m.status != status {
			continue
		}
		n++
		if m.mustLeave() {
			mustLeave++
		}
	}
	// Who does badly is spared when those who must leave leave too few behind, which holds whenever n is safe or less.
	spare := n-mustLeave <= safe
	most := n - safe
	if spare {
		most = mustLeave
		if status == pool.Testing && d.active == 0 && n > safe {
			most = min(most, n-safe) // nobody else is there to judge the server
		}
	}
	most = min(most, d.budget)
	for _, m := range slices.Backward(d.order) {
		if most <= 0 {
			return
		}
		if m.status != status || m.changed || m.verdict != Out || spare && !m.mustLeave() || d.lastHealthyActive(m) {
			continue
		}
		d.change(m, to, "out: %s", m.why)
		most--
	}
}

// lastHealthyActive tells whether a monitor is the last that is active, healthy and free to stay: it is kept whatever
// it does, since a score by the sick is worse than one by the silent.
func (d *draft) lastHealthyActive(m *member) bool {
	if m.status != pool.Active || m.grade != healthy || m.leaves {
		return false
	}
	for _, other := range d.order {
		if other != m && other.status == pool.Active && other.grade == healthy && !other.leaves {
			return false
		}
	}
	return true
}

// demoteExcess takes the places of the worst among more than seven active that aren't out, slowly: those that are out
// go first, if not in this round then in one of the next.
func (d *draft) demoteExcess() {
	excess := d.active - ActiveTarget
	most := min(excess, d.budget-d.fromActive)
	for _, m := range d.order {
		if m.status == pool.Active && m.verdict == Out {
			most--
		}
	}
	for _, m := range slices.Backward(d.order) {
		if most <= 0 {
			return
		}
		if m.status == pool.Active && !m.changed && m.verdict != Out {
			d.change(m, pool.Testing, "the worst of %d active, %d are enough: %s", d.active, ActiveTarget, m.merits())
			most--
		}
	}
}

// trimTesting takes the places of the worst testing ones beyond the target that aren't out.
func (d *draft) trimTesting() {
	most := min(d.testing-d.testingTarget(), d.budget-d.fromTesting)
	for _, m := range slices.Backward(d.order) {
		if most <= 0 {
			return
		}
		if m.status == pool.Testing && !m.changed && m.verdict != Out {
			d.change(m, pool.Candidate, "the worst of %d testing, %d are enough: %s", d.testing, d.testingTarget(), m.merits())
			most--
		}
	}
}

// testingTarget is how many are to be tested: more while places among the active are empty.
func (d *draft) testingTarget() int {
	return TestingTarget + max(ActiveTarget-d.active, 0)
}

package selection

import "truechimer/pool"

// bootstrapTarget is how many candidates make a beginning: as many as are tested later.
const bootstrapTarget = TestingTarget

// resting tells whether a monitor has had a status from the start, and nothing was planned for it.
func (m *member) resting(status pool.Status) bool {
	return m.Status == status && !m.changed
}

// welcomeGlobally tells whether the pool as a whole lets a monitor be tested.
func welcomeGlobally(global pool.GlobalStatus) bool {
	return global == pool.GlobalActive || global == pool.GlobalTesting
}

// mayBecomeActive tells whether a testing monitor meets the conditions of being promoted.
func (d *draft) mayBecomeActive(m *member) bool {
	return m.resting(pool.Testing) && m.Figures.Count >= d.enough && m.Global == pool.GlobalActive &&
		d.fit(m) && d.against(m, pool.Active) == ""
}

// mayBecomeTesting tells whether a candidate meets the conditions of being promoted.
func (d *draft) mayBecomeTesting(m *member) bool {
	return m.resting(pool.Candidate) && m.Figures.Count >= countForTesting && welcomeGlobally(m.Global) &&
		d.fit(m) && d.against(m, pool.Testing) == ""
}

// couldBecomeActive tells whether a monitor has what can't be had by waiting: it is wanted globally, it is fit, and its
// account has room. A testing place is worth more with such a one.
func (d *draft) couldBecomeActive(m *member) bool {
	return m.Global == pool.GlobalActive && d.fit(m) && !d.breaksLimit(m, pool.Active)
}

// promoteToActive fills the free places among the active with the best testing ones.
func (d *draft) promoteToActive() {
	for _, m := range d.order {
		if d.active >= ActiveTarget || d.promotions < promotionCost {
			return
		}
		if d.mayBecomeActive(m) {
			d.promotions -= promotionCost
			d.change(m, pool.Active, "fills 1 of %s among the active: %s",
				counted(ActiveTarget-d.active, "free place"), m.merits())
		}
	}
}

// promoteToTesting fills the free testing places with the best candidates. While places among the active are empty,
// those who could fill them come first.
func (d *draft) promoteToTesting() {
	if d.active < ActiveTarget {
		d.fillTesting(d.couldBecomeActive)
	}
	d.fillTesting(func(*member) bool { return true })
}

// fillTesting fills free testing places with the best candidates of a kind.
func (d *draft) fillTesting(wanted func(*member) bool) {
	for _, m := range d.order {
		free := d.testingTarget() - d.testing
		if free < 1 || d.promotions < promotionCost || d.toTesting >= mostToTesting {
			return
		}
		if d.mayBecomeTesting(m) && wanted(m) {
			d.promotions -= promotionCost
			d.toTesting++
			d.change(m, pool.Testing, "fills 1 of %s among the testing: %s", counted(free, "free place"), m.merits())
		}
	}
}

// bootstrap makes a beginning where none was testing: nobody has samples yet, and nobody ever would. It needs no budget.
func (d *draft) bootstrap() {
	if !d.untested {
		return
	}
	for _, m := range d.order {
		if d.toTesting >= bootstrapTarget {
			return
		}
		if m.resting(pool.Candidate) && welcomeGlobally(m.Global) && d.against(m, pool.Testing) == "" {
			d.toTesting++
			d.change(m, pool.Testing, "none was testing, the beginning is made with %d: %s", bootstrapTarget, m.merits())
		}
	}
}

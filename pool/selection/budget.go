package selection

import (
	"time"

	"truechimer/pool"
)

// How much of each kind a round changes: removals from active, removals from testing, promotions. A score that
// changes its witnesses slowly stays comparable with itself.
const (
	usualBudget     = 2
	blockedBudget   = 3 // more than one monitor is blocked: the holes are larger
	emergencyBudget = 4 // none is active: the server has no score of its own until some are

	// mostToTesting is how many candidates are promoted in a round, swaps aside, even if the budget is larger:
	// what is left of it in an emergency is for the active.
	mostToTesting = 2
)

// How many samples a monitor must have to be promoted.
const (
	countForActive    = 32 // a day of testing
	countForEmergency = 8  // an hour at the interval that testing monitors have while none is active
	countForTesting   = 9  // most of a day as a candidate
)

// What a promotion and the swaps cost of the promotions. A swap among the active costs two, since it changes two
// witnesses; the last single point will do.
const (
	promotionCost   = 1
	swapActiveCost  = 2
	swapTestingCost = 1
)

// spending is what a round may spend, and what it has spent.
type spending struct {
	budget     int // of each kind
	promotions int // what is left of them
	enough     int // samples that make a testing monitor known well enough to be active

	fromActive  int // how many have left the active so far
	fromTesting int // how many testing ones have become candidates so far
	toTesting   int // how many candidates have become testing so far, swaps aside
}

// budgets are those of the round, by what was there at the start.
func (d *draft) budgets(testingInterval time.Duration) spending {
	stopped := 0
	for i := range d.members {
		if d.members[i].verdict == Blocked {
			stopped++
		}
	}
	s := spending{budget: usualBudget, enough: threshold(testingInterval)}
	switch {
	case d.emergency:
		s.budget, s.enough = emergencyBudget, countForEmergency
	case stopped > 1:
		s.budget = blockedBudget
	}
	s.promotions = s.budget
	return s
}

// threshold is how many samples a testing monitor needs to become active: 32, or three quarters of those that it can
// have in a day where that is less. Parts of a sample are rounded up: at 45 min it is 24, at 50 min 21.6 and so 22.
func threshold(testingInterval time.Duration) int {
	if testingInterval <= 0 {
		return countForActive
	}
	const threeQuarters = 24 * time.Hour / 4 * 3
	perDay := threeQuarters / testingInterval
	if threeQuarters%testingInterval > 0 {
		perDay++
	}
	return int(min(perDay, countForActive))
}

// book notes which kind of change was made. What promotions cost is up to the rule that makes them.
func (s *spending) book(from, to pool.Status) {
	switch {
	case from == pool.Active:
		s.fromActive++
	case from == pool.Testing && to == pool.Candidate:
		s.fromTesting++
	}
}

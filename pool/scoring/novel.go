package scoring

import (
	"math"
	"time"

	"truechimer/pool"
)

// A scorer's value hardly moves from one sample to the next, and a row for each would double the log.
const (
	sameFor    = 15 * time.Minute // an unchanged value is repeated after that, so that a graph of it has no gaps
	similarFor = 5 * time.Minute  // a little change may wait that long, a great one is kept at once

	sameWithin    = 1e-12 // far below what any step moves, far above the rounding of doubles near 20
	similarWithin = 0.05  // of the value last kept: at the ceiling one good step
)

// Novel tells whether a scorer's value says something new against the last one that was kept of it, and so gets a
// row in the log: not when it equals that one (to 1e-12) within 15 min, not when it is within 5 % of it within 5 min,
// both bounds included. Nor when it isn't newer: a scorer has one row for an instant, and its rows move forward.
// Where none was kept yet (last is zero) everything is new.
func Novel(last pool.Kept, value float64, at time.Time) bool {
	if last.At.IsZero() {
		return true
	}
	age := at.Sub(last.At)
	change := math.Abs(value - last.Score)
	switch {
	case age <= 0:
		return false
	case age <= sameFor && change <= sameWithin:
		return false
	case age <= similarFor && change <= similarWithin*math.Abs(last.Score):
		return false
	default:
		return true
	}
}

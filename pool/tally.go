package pool

import (
	"math"
	"time"
)

// FiguresHours is how many hours selection looks at: the running one and the 24 full hours before it,
// so that a monitor's figures cover each time of day once.
const FiguresHours = 25

// FiguresSince is the beginning of the first of these hours. The last of them, the running one, ends FiguresHours later.
// A sample belongs to the hour of its own time, whenever it arrived.
func FiguresSince(now time.Time) time.Time {
	return now.UTC().Truncate(time.Hour).Add(-(FiguresHours - 1) * time.Hour)
}

const (
	// StepUnits is how many units of a Tally's Step make one: fine enough for the mean's 1e-9,
	// and whole, so that a sum is the same in whatever order it is made.
	StepUnits = 1e12

	// MaxTallyStep bounds what one step adds, far beyond any that the rules know: what somebody else wrote into
	// the log spoils no more than the figures of its pair.
	MaxTallyStep = 1000
)

// Tally adds up samples of one monitor and one server. SQL makes the very same numbers from the log.
type Tally struct {
	Count int           // samples
	Timed int           // those with an RTT
	RTT   time.Duration // sum of the RTTs, each in whole microseconds
	Step  int64         // sum of the steps, each in whole units of 1/StepUnits; 9,000 of the largest fit
}

// Add adds a sample. What is finer than a unit is rounded half up, an RTT is cut off to the microsecond as the log does.
func (t *Tally) Add(step float64, rtt *time.Duration) {
	step = max(-MaxTallyStep, min(step, MaxTallyStep))
	// The conversion keeps the product from being fused with the sum, which would round once where SQL rounds twice.
	scaled := float64(step * StepUnits)
	t.Count++
	t.Step += int64(math.Floor(scaled + 0.5))
	if rtt != nil {
		t.Timed++
		t.RTT += rtt.Truncate(time.Microsecond)
	}
}

// Plus is both taken together.
func (t Tally) Plus(other Tally) Tally {
	return Tally{
		Count: t.Count + other.Count,
		Timed: t.Timed + other.Timed,
		RTT:   t.RTT + other.RTT,
		Step:  t.Step + other.Step,
	}
}

// Minus is what is left without the other, which is a part of it.
func (t Tally) Minus(part Tally) Tally {
	return Tally{
		Count: t.Count - part.Count,
		Timed: t.Timed - part.Timed,
		RTT:   t.RTT - part.RTT,
		Step:  t.Step - part.Step,
	}
}

// HourTally is the tally of one hour.
type HourTally struct {
	Hour time.Time // its beginning
	Tally
}

package selection

import (
	"time"

	"truechimer/pool"
)

// Figures are what a monitor's samples of the server come to: those of the hour of now and of the 24 full hours before.
type Figures struct {
	Count int     // samples; less than 1: none
	Timed int     // those that have an RTT
	RTT   float64 // mean RTT of these, in ms
	Step  float64 // mean step of all, rounded to 1e-9
}

// FiguresOf are the means of what was added up.
func FiguresOf(t pool.Tally) Figures {
	f := Figures{Count: t.Count, Timed: t.Timed}
	if t.Timed > 0 {
		f.RTT = float64(t.RTT/time.Microsecond) / (1000 * float64(t.Timed))
	}
	if t.Count > 0 {
		const nano = pool.StepUnits / 1e9
		f.Step = float64(divideRounded(t.Step, nano*int64(t.Count))) / 1e9
	}
	return f
}

// divideRounded divides whole numbers; halves go away from zero, as in SQL. The divisor is positive.
func divideRounded(a, b int64) int64 {
	quotient, rest := a/b, a%b
	if 2*max(rest, -rest) < b {
		return quotient
	}
	if a < 0 {
		return quotient - 1
	}
	return quotient + 1
}

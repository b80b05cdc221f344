// Package scoring turns samples into scores: what one sample is worth (StepOf), what a monitor makes of a server
// (Next), what all of them make of it (Median, NextEvery), and the book that one server keeps of it all (Book).
//
// It is pure: a Book is changed by what it is told and by nothing else, so a score can be computed anew from the
// stored samples at any time. Which query of a burst becomes the sample, and who probes when, is the business of
// pool/schedule; which monitors count for a server is that of pool/selection.
package scoring

// decay is what is left of a score at the next sample. A sample's weight halves in 13.5 samples, two hours at the
// usual nine minutes: long enough to forgive a lost packet, short enough to follow a server that breaks.
const decay = 0.95

// Ceiling is what a score tends to while every sample is good: the sum of 1 + 0.95 + 0.95² and so on, which is 20.
// No score that starts at or below it ever exceeds it.
const Ceiling = stepGood / (1 - decay)

// Fit is the least overall score with which a server is fit for service: half the ceiling. A new server gets there
// with fourteen good samples in a row; a perfect one leaves it with two that get no reply.
const Fit = Ceiling / 2

// CondemnedAt is the score at which a monitor has given a server up. Only silence (which tends to −100) and refusal
// reach it: a server that is merely wrong tends to −80.
const CondemnedAt = -90

// The scorer "every" knows a single cap and starts below zero.
const (
	everyStart  = -5  // as if the first probe had got no reply: a server has to prove itself
	everyFarOff = -20 // the cap of a sample over 3 s off, to which the scorer is set even from below
)

// Next is the score of a monitor for a server after one more sample: 0.95·score + step, then the step's cap.
// A score starts at 0.
func Next(score float64, step Step) float64 {
	next := decayed(score) + step.Value
	if step.Capped {
		return min(next, step.Cap)
	}
	return next
}

// NextEvery is the value of the scorer "every" after one more sample, of whichever monitor: 0.95·score + step.
// A sample more than 3 s off sets it to −20; other caps don't apply. It starts at −5.
func NextEvery(score float64, step Step) float64 {
	if step.Rule == RuleFarOff {
		return everyFarOff
	}
	return decayed(score) + step.Value
}

// Condemned tells whether a monitor has given a server up: its score is −90 or below and its last step was negative.
// It then probes the server only every two hours, so its score counts for longer.
func Condemned(score, lastStep float64) bool {
	return score <= CondemnedAt && lastStep < 0
}

// decayed is 0.95·score. The conversion keeps the compiler from fusing this product into a sum that follows,
// which some processors would then round differently: the same samples give the same score everywhere.
func decayed(score float64) float64 {
	return float64(decay * score)
}

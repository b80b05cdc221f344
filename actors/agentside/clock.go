package agentside

import (
	"time"

	"truechimer/actors/port"
)

// maxShift is how far the wall clock may move against the one that never jumps, from one look to the next, before
// it counts as set anew. Looks are at most 180 s apart, the life of a verdict on the clock; within that, discipline
// moves a sound clock by 0.1 s, at 500 ppm, the most that it does (RFC 5905 appendix A.5.5.6).
const maxShift = time.Second

// clock is what both clocks showed at one moment.
type clock struct {
	wall    time.Time
	elapsed time.Duration
}

func clockOf(env *port.Environment) clock { return clock{wall: env.Now(), elapsed: env.Elapsed()} }

// hasJumped tells whether the wall clock was set between two moments: by somebody, or since the machine slept.
func (c clock) hasJumped(later clock) bool {
	shift := later.wall.Sub(c.wall) - (later.elapsed - c.elapsed)
	return shift.Abs() > maxShift
}

package agentside

import (
	"math/rand/v2"
	"time"
)

// pauses are the waits between attempts that fail one after the other: each is twice the one before, up to a longest,
// and each is drawn from half to one and a half of that, so that those who failed together don't come back together.
type pauses struct {
	first, longest time.Duration
	next           time.Duration // 0: the first
}

func (p *pauses) take(random *rand.Rand) time.Duration {
	mean := max(p.next, p.first)
	p.next = min(2*mean, p.longest)
	return mean/2 + time.Duration(random.Int64N(int64(mean)))
}

// reset begins again with the first.
func (p *pauses) reset() { p.next = 0 }

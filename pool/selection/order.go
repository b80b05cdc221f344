package selection

import (
	"cmp"
	"math"
)

// grade is how far figures speak for a monitor, the best first.
type grade uint8

const (
	healthy   grade = iota // its mean step isn't negative
	unknown                // it has no samples
	unhealthy              // its mean step is negative
	untimed                // unhealthy as well: none of its samples has an RTT, so it can't be compared
)

// String says it in a sentence's words.
func (g grade) String() string {
	switch g {
	case healthy:
		return "healthy"
	case unknown:
		return "no samples yet"
	case untimed:
		return "none of its samples has an RTT"
	default:
		return "unhealthy"
	}
}

// Priority is rtt · (1 + 2·(1 − step)), in ms, rounded half up: the smaller the better. An RTT counts up to threefold
// when the steps that come with it are poor. Without a sample that has an RTT, or with figures that aren't numbers,
// there is none.
func (f Figures) Priority() (priority float64, known bool) {
	if f.Count < 1 || f.Timed < 1 || !(f.RTT >= 0) {
		return 0, false
	}
	exact := f.RTT * (1 + 2*(1-f.Step))
	priority = math.Floor(exact)
	if exact-priority >= 0.5 {
		priority++
	}
	return priority, !math.IsNaN(priority) && !math.IsInf(priority, 0)
}

func (f Figures) grade() grade {
	_, known := f.Priority()
	switch {
	case f.Count < 1:
		return unknown
	case !known:
		return untimed
	case f.Step >= 0:
		return healthy
	default:
		return unhealthy
	}
}

// byMerit sorts the best first.
func byMerit(a, b *member) int {
	switch {
	case a.grade != b.grade:
		return cmp.Compare(a.grade, b.grade)
	case a.priority < b.priority:
		return -1
	case a.priority > b.priority:
		return +1
	}
	return byDetail(a, b)
}

// byDetail tells those apart whose priorities are equal, or who have none. What is unknown tells nothing.
func byDetail(a, b *member) int {
	order := 0
	if a.grade != unknown {
		order = cmp.Compare(b.Figures.Step, a.Figures.Step)
	}
	if order == 0 && a.hasPriority {
		order = cmp.Compare(a.Figures.RTT, b.Figures.RTT)
	}
	return cmp.Or(order, cmp.Compare(a.ID, b.ID))
}

// What outperforms must do so by more than noise: by points where priorities are small, by a share where they are large.
const (
	outperformPoints  = 5
	outperformPercent = 5
)

// outperforms tells whether a monitor's priority is so much lower that it is worth a swap. Who has none neither
// outperforms nor is outperformed: nothing is known to compare.
func outperforms(a, b *member) bool {
	lead := b.priority - a.priority
	return a.hasPriority && b.hasPriority && lead >= outperformPoints && 100*lead >= outperformPercent*b.priority
}

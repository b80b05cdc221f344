package scoring

import (
	"cmp"
	"slices"
	"time"

	"truechimer/pool"
)

// Newest is a monitor's newest score of a server: its vote in the overall score.
type Newest struct {
	Monitor pool.MonitorID
	Status  pool.Status   // of the monitor for the server
	Row     pool.Ref      // the log row that the score comes from
	At      time.Time     // when its sample was taken
	Score   float64       // after that sample
	Step    float64       // what that sample was worth
	RTT     time.Duration // of that sample; 0 where there is none
}

// Tier says which monitors an overall score was computed from. Zero stands for none.
type Tier uint8

// The tiers, in the order in which they are tried.
const (
	TierActive    Tier = iota + 1 // the active ones
	TierTesting                   // the active and the testing ones
	TierCandidate                 // the testing ones and the candidates
)

// How old a score may be to count, with the usual intervals of probing in mind.
const (
	activeFor    = 20 * time.Minute // two active intervals of 9 min: one lost probe takes nobody's vote away
	testingFor   = 45 * time.Minute // one testing interval
	candidateFor = 2 * time.Hour    // one interval of a candidate, two of a testing one

	// A monitor that has given a server up probes it every two hours: this is one such interval with room.
	condemnedFor = 2*time.Hour + 30*time.Minute
)

// fewVotes is the least number of scores whose median says more than a single one of them.
const fewVotes = 3

// String says the tier in words for a person.
func (t Tier) String() string {
	switch t {
	case TierActive:
		return "active within 20 min"
	case TierTesting:
		return "active or testing within 45 min"
	case TierCandidate:
		return "testing or candidate within 2 h"
	default:
		return "no tier"
	}
}

// counts tells whether a score has a vote in the tier at a time. A score of exactly the greatest age still counts.
// So does one that is newer than the time asked for: samples of several monitors don't come in the order in which
// they were taken, and the newest word of each monitor is the best there is.
func (t Tier) counts(n *Newest, at time.Time) bool {
	age := at.Sub(n.At)
	switch t {
	case TierActive:
		return n.Status == pool.Active &&
			(age <= activeFor || age <= condemnedFor && Condemned(n.Score, n.Step))
	case TierTesting:
		return age <= testingFor && (n.Status == pool.Active || n.Status == pool.Testing)
	case TierCandidate:
		return age <= candidateFor && (n.Status == pool.Testing || n.Status == pool.Candidate)
	default:
		return false
	}
}

// Overall is what all monitors together make of a server, and how it came about.
type Overall struct {
	Score   float64
	Tier    Tier
	Counted []*Newest // whose scores were counted, lowest score first
	Median  int       // which of them decided: the index in Counted
}

// Median is the overall score of a server at a time, from the newest score of each of its monitors, in any order.
// It comes from the first tier that has any; without one there is no overall score, and it returns false.
func Median(at time.Time, newest []Newest) (Overall, bool) {
	votes := make([]*Newest, len(newest))
	for i := range newest {
		votes[i] = &newest[i]
	}
	return medianOf(at, votes)
}

// medianOf is Median in place: the overall score's Counted are the first of the votes, whose order is another one then.
func medianOf(at time.Time, votes []*Newest) (Overall, bool) {
	for tier := TierActive; tier <= TierCandidate; tier++ {
		n := 0
		for i := range votes {
			if tier.counts(votes[i], at) {
				votes[n], votes[i] = votes[i], votes[n]
				n++
			}
		}
		if n > 0 {
			counted := votes[:n]
			slices.SortFunc(counted, byScore)
			median := decider(counted)
			return Overall{Score: counted[median].Score, Tier: tier, Counted: counted, Median: median}, true
		}
	}
	return Overall{}, false
}

// byScore orders by score, then RTT; the monitor's id makes the order total, so that the input's never matters.
func byScore(a, b *Newest) int {
	if a.Score != b.Score {
		return cmp.Compare(a.Score, b.Score)
	}
	if a.RTT != b.RTT {
		return cmp.Compare(a.RTT, b.RTT)
	}
	return cmp.Compare(a.Monitor, b.Monitor)
}

// decider is the index of the one whose score is the overall one, of at least one sorted by score: the lower median.
// Of fewer than three it is the oldest, so that a lone new voice doesn't turn the verdict before another one
// confirms it.
func decider(counted []*Newest) int {
	if len(counted) >= fewVotes {
		return (len(counted) - 1) / 2
	}
	oldest := 0
	for i, n := range counted {
		if cmp.Or(n.At.Compare(counted[oldest].At), cmp.Compare(n.Monitor, counted[oldest].Monitor)) < 0 {
			oldest = i
		}
	}
	return oldest
}

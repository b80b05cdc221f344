package scoring

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// vote is a newest score with nothing special about it: an active monitor's, of this minute.
func vote(monitor pool.MonitorID, score float64, changes ...func(*Newest)) Newest {
	n := Newest{Monitor: monitor, Status: pool.Active, At: at(0), Score: score, Step: 1, RTT: 20 * time.Millisecond}
	for _, change := range changes {
		change(&n)
	}
	return n
}

func aged(age time.Duration) func(*Newest) { return func(n *Newest) { n.At = at(0).Add(-age) } }
func as(status pool.Status) func(*Newest)  { return func(n *Newest) { n.Status = status } }
func rtt(d time.Duration) func(*Newest)    { return func(n *Newest) { n.RTT = d } }
func lastStep(step float64) func(*Newest)  { return func(n *Newest) { n.Step = step } }
func monitorsOf(all []*Newest) (ids []pool.MonitorID) {
	for _, n := range all {
		ids = append(ids, n.Monitor)
	}
	return ids
}

// Each row is a rule of the overall score or an edge of one. Counted lists monitors from the lowest score up.
func TestMedianTakesTheFirstTierThatHasAny(t *testing.T) {
	const m = time.Minute
	type ids = []pool.MonitorID
	for _, test := range []struct {
		name    string
		newest  []Newest
		tier    Tier
		counted ids
		median  pool.MonitorID
	}{
		{"nobody", nil, 0, nil, 0},
		{"one", []Newest{vote(1, 7)}, TierActive, ids{1}, 1},
		{"two: the older, though its score is the higher", []Newest{vote(1, 9, aged(m)), vote(2, 3)}, TierActive, ids{2, 1}, 1},
		{"two: the older, though its score is the lower", []Newest{vote(1, 9), vote(2, 3, aged(m))}, TierActive, ids{2, 1}, 2},
		{"two of one time: the lower id", []Newest{vote(2, 3), vote(1, 9)}, TierActive, ids{2, 1}, 1},
		{"three: the middle one, though another is older", []Newest{vote(1, 9, aged(m)), vote(2, 3), vote(3, 5)}, TierActive, ids{2, 3, 1}, 3},
		{"four: the lower of the two in the middle", []Newest{vote(1, 9), vote(2, 3), vote(3, 5), vote(4, 6)}, TierActive, ids{2, 3, 4, 1}, 3},
		{"five", []Newest{vote(1, 9), vote(2, 3), vote(3, 5), vote(4, 6), vote(5, 7)}, TierActive, ids{2, 3, 4, 5, 1}, 4},
		{"equal scores: by RTT", []Newest{vote(1, 5, rtt(3)), vote(2, 5, rtt(1)), vote(3, 5, rtt(2))}, TierActive, ids{2, 3, 1}, 3},
		{"no RTT sorts first", []Newest{vote(1, 5, rtt(0)), vote(2, 5, rtt(1)), vote(3, 4)}, TierActive, ids{3, 1, 2}, 1},
		{"all equal: by id", []Newest{vote(3, 5), vote(1, 5), vote(2, 5)}, TierActive, ids{1, 2, 3}, 2},

		{"active at 20 min", []Newest{vote(1, 5, aged(20*m)), vote(2, 6, as(pool.Testing))}, TierActive, ids{1}, 1},
		{"active past 20 min: the testing ones count too", []Newest{vote(1, 5, aged(20*m+1)), vote(2, 6, as(pool.Testing))}, TierTesting, ids{1, 2}, 1},
		{"a newer one counts", []Newest{vote(1, 5, aged(-m))}, TierActive, ids{1}, 1},
		{"active and testing at 45 min", []Newest{vote(1, 5, aged(45*m)), vote(2, 6, aged(45*m), as(pool.Testing))}, TierTesting, ids{1, 2}, 1},
		{"active past 45 min, testing at 45", []Newest{vote(1, 5, aged(45*m+1)), vote(2, 6, aged(45*m), as(pool.Testing))}, TierTesting, ids{2}, 2},
		{"a candidate waits for its tier", []Newest{vote(1, 5, as(pool.Candidate)), vote(2, 6, aged(45*m), as(pool.Testing))}, TierTesting, ids{2}, 2},
		{"testing and candidate, never the active", []Newest{vote(1, 5, aged(46*m)), vote(2, 6, aged(2*time.Hour), as(pool.Testing)), vote(3, 7, as(pool.Candidate))}, TierCandidate, ids{2, 3}, 2},
		{"candidate past 2 h", []Newest{vote(1, 5, aged(2*time.Hour+1), as(pool.Candidate))}, 0, nil, 0},
		{"testing past 2 h", []Newest{vote(1, 5, aged(2*time.Hour+1), as(pool.Testing))}, 0, nil, 0},
		{"paused", []Newest{vote(1, 5, as(pool.Paused))}, 0, nil, 0},

		{"condemned, at 2 h 30", []Newest{vote(1, -90, aged(150*m), lastStep(-5))}, TierActive, ids{1}, 1},
		{"condemned, past 2 h 30", []Newest{vote(1, -90, aged(150*m+1), lastStep(-5))}, 0, nil, 0},
		{"nearly condemned", []Newest{vote(1, -89.9, aged(21*m), lastStep(-5))}, TierTesting, ids{1}, 1},
		{"as low, but its last step was good", []Newest{vote(1, -95, aged(150*m), lastStep(1))}, 0, nil, 0},
		{"testing ones condemn nothing", []Newest{vote(1, -95, aged(130*m), lastStep(-5), as(pool.Testing))}, 0, nil, 0},
		{"condemned beside a fresh one", []Newest{vote(1, -95, aged(130*m), lastStep(-5)), vote(2, 20)}, TierActive, ids{1, 2}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			overall, known := Median(at(0), test.newest)
			if want := test.tier != 0; known != want {
				t.Fatalf("known: want %v, have %v", want, known)
			}
			if !known {
				return
			}
			if overall.Tier != test.tier {
				t.Errorf("tier: want %v, have %v", test.tier, overall.Tier)
			}
			if diff := cmp.Diff(test.counted, monitorsOf(overall.Counted)); diff != "" {
				t.Errorf("counted: want -, have +:\n%s", diff)
			}
			median := overall.Counted[overall.Median]
			if median.Monitor != test.median || median.Score != overall.Score {
				t.Errorf("median: want monitor %d, have %d with %v for %v", test.median, median.Monitor, median.Score, overall.Score)
			}
		})
	}
}

// Actors hear from monitors in any order; the overall score must not tell which.
func TestMedianIgnoresTheOrderOfItsInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		newest := anyNewest(t, at(0))
		shuffled := rapid.Permutation(newest).Draw(t, "shuffled")
		before := slices.Clone(shuffled)
		want, wantKnown := Median(at(0), newest)
		have, haveKnown := Median(at(0), shuffled)
		if wantKnown != haveKnown {
			t.Fatalf("known: want %v, have %v", wantKnown, haveKnown)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("want -, have +:\n%s", diff)
		}
		if diff := cmp.Diff(before, shuffled); diff != "" {
			t.Errorf("the input was changed, before -, after +:\n%s", diff)
		}
	})
}

// However many count, as many are below the lower median as above it, or one fewer; and nobody left out was entitled
// to an earlier tier.
func TestTheMedianIsInTheMiddle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		newest := anyNewest(t, at(0))
		overall, known := Median(at(0), newest)
		for _, n := range newest {
			for tier := TierActive; tier <= TierCandidate; tier++ {
				if tier.counts(&n, at(0)) && (!known || tier < overall.Tier) {
					t.Errorf("monitor %d counts in %q, but the tier is %q", n.Monitor, tier, overall.Tier)
				}
			}
		}
		if len(overall.Counted) < fewVotes {
			return
		}
		var below, above int
		for _, n := range overall.Counted {
			if n.Score < overall.Score {
				below++
			}
			if n.Score > overall.Score {
				above++
			}
		}
		if half := len(overall.Counted) / 2; below > half || above > half {
			t.Errorf("%d below and %d above %v of %d", below, above, overall.Score, len(overall.Counted))
		}
	})
}

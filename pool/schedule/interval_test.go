package schedule_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

// How often a monitor probes a server follows from both its statuses, and from what it has seen.
func TestWhoProbesHowOften(t *testing.T) {
	const (
		active    = 9 * time.Minute
		testing_  = 45 * time.Minute
		candidate = 2 * time.Hour
		never     = 0
	)
	tests := []struct {
		name      string
		status    pool.Status
		global    pool.GlobalStatus
		noActive  bool
		condemned bool
		want      time.Duration
	}{
		{"active", pool.Active, pool.GlobalActive, false, false, active},
		{"testing", pool.Testing, pool.GlobalActive, false, false, testing_},
		{"candidate", pool.Candidate, pool.GlobalActive, false, false, candidate},
		{"paused", pool.Paused, pool.GlobalActive, false, false, never},
		{"unknown status", "enthusiastic", pool.GlobalActive, false, false, never},

		{"testing stands in for active", pool.Testing, pool.GlobalActive, true, false, active},
		{"candidate stands in for nobody", pool.Candidate, pool.GlobalActive, true, false, candidate},

		{"globally testing, active", pool.Active, pool.GlobalTesting, false, false, testing_},
		{"globally testing, testing", pool.Testing, pool.GlobalTesting, false, false, testing_},
		{"globally testing never stands in", pool.Testing, pool.GlobalTesting, true, false, testing_},
		{"globally testing, candidate", pool.Candidate, pool.GlobalTesting, false, false, candidate},

		{"globally pending, active", pool.Active, pool.GlobalPending, false, false, active},
		{"globally pending, testing", pool.Testing, pool.GlobalPending, false, false, testing_},
		{"globally pending, candidate", pool.Candidate, pool.GlobalPending, false, false, candidate},
		{"globally paused", pool.Active, pool.GlobalPaused, false, false, never},
		{"globally deleted", pool.Active, pool.GlobalDeleted, false, false, never},
		{"globally unknown", pool.Active, "", false, false, never},

		{"condemned, active", pool.Active, pool.GlobalActive, false, true, candidate},
		{"condemned, testing", pool.Testing, pool.GlobalActive, true, true, candidate},
		{"condemned, candidate", pool.Candidate, pool.GlobalActive, false, true, candidate},
		{"condemned, paused", pool.Paused, pool.GlobalActive, false, true, never},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have, probes := schedule.Interval(pool.DefaultSettings(), tt.status, tt.global, tt.noActive, tt.condemned)
			if have != tt.want || probes != (tt.want > 0) {
				t.Errorf("have %s (probes: %t), want %s", have, probes, tt.want)
			}
		})
	}
}

// Being condemned never makes a monitor probe more often.
func TestACondemnedServerIsNotProbedMoreOften(t *testing.T) {
	s := pool.DefaultSettings()
	s.IntervalCandidate = 6 * time.Hour
	have, _ := schedule.Interval(s, pool.Candidate, pool.GlobalActive, false, true)
	if want := 6 * time.Hour; have != want {
		t.Errorf("have %s, want %s", have, want)
	}
}

// Up to 20 candidates are probed every day.
func TestFewCandidatesAllHaveTheirTurn(t *testing.T) {
	candidates := []pool.MonitorID{9, 2, 7}
	have := schedule.CandidatesOfTheDay(candidates, 20_000)
	if diff := cmp.Diff([]pool.MonitorID{2, 7, 9}, have); diff != "" {
		t.Errorf("candidates (-want +have):\n%s", diff)
	}
	if diff := cmp.Diff([]pool.MonitorID{9, 2, 7}, candidates); diff != "" {
		t.Errorf("the input was changed (-want +have):\n%s", diff)
	}
	if have := schedule.CandidatesOfTheDay(nil, 20_000); len(have) != 0 {
		t.Errorf("of none: have %v", have)
	}
}

// Of many candidates 20 have their turn each day, nobody waits longer than it takes for all the others,
// and in the long run all have equally many.
func TestManyCandidatesTakeTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := rapid.SliceOfNDistinct(rapid.Custom(anyMonitor), 21, 90, rapid.ID).Draw(t, "candidates")
		n := len(candidates)
		today := rapid.Int64Range(-1<<62, 1<<62).Draw(t, "today")
		turns := map[pool.MonitorID]int{}
		lastTurn := map[pool.MonitorID]int{}
		for day := range n {
			chosen := schedule.CandidatesOfTheDay(candidates, today+int64(day))
			if len(chosen) != schedule.CandidatesAtOnce || !slices.IsSorted(chosen) {
				t.Fatalf("chosen %v", chosen)
			}
			for _, m := range chosen {
				if wait := day - lastTurn[m]; wait > (n+19)/20 {
					t.Fatalf("monitor %d of %d waited %d days", m, n, wait)
				}
				turns[m]++
				lastTurn[m] = day
			}
		}
		for _, m := range candidates {
			if turns[m] != schedule.CandidatesAtOnce {
				t.Fatalf("monitor %d had %d turns in %d days, want 20", m, turns[m], n)
			}
		}
	})
}

// Who is chosen doesn't depend on the order in which the candidates come, or on one coming twice.
func TestTurnsDontDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := rapid.SliceOfNDistinct(rapid.Custom(anyMonitor), 0, 60, rapid.ID).Draw(t, "candidates")
		day := rapid.Int64().Draw(t, "day")
		want := schedule.CandidatesOfTheDay(candidates, day)
		shuffled := append(rapid.Permutation(candidates).Draw(t, "shuffled"), candidates[:len(candidates)/2]...)
		if have := schedule.CandidatesOfTheDay(shuffled, day); !slices.Equal(have, want) {
			t.Fatalf("have %v, want %v", have, want)
		}
	})
}

func anyMonitor(t *rapid.T) pool.MonitorID {
	return pool.MonitorID(rapid.Uint32Range(1, 1000).Draw(t, "monitor"))
}

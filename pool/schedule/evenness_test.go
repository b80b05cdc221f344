package schedule_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

// Monitors that come every cycle and all at once leave no gap that is wider than it must be: m of them in
// 13 slots are at most ceil(13/m) slots apart, and if they come one by one, less than twice as far.
func TestProbesAreSpreadEvenly(t *testing.T) {
	s := pool.DefaultSettings()
	var grown []schedule.Placed
	for m := 1; m <= 13; m++ {
		wants := someWants(1, m, pool.Active, s.IntervalActive)
		atOnce := schedule.Place(0, s, midnight, wants)
		grown = schedule.Place(0, s, midnight, keeping(wants, grown))
		if have, want := widestGap(atOnce), (13+m-1)/m; have > want {
			t.Errorf("%d at once: widest gap is %d slots, want %d", m, have, want)
		}
		if have, want := widestGap(grown), 2*(13+m-1)/m; have > want {
			t.Errorf("%d one by one: widest gap is %d slots, want %d", m, have, want)
		}
	}
}

// The same holds for those that take turns: m of 5 turns.
func TestTurnsAreSpreadEvenly(t *testing.T) {
	s := pool.DefaultSettings()
	for m, want := range map[int]time.Duration{1: 45, 2: 27, 3: 18, 4: 18, 5: 9} {
		placed := schedule.Place(0, s, midnight, someWants(1, m, pool.Testing, s.IntervalTesting))
		var phases []time.Duration
		for _, p := range placed {
			phases = append(phases, p.Cadence.Phase)
		}
		if have := widestOnCircle(phases, s.IntervalTesting); have != want*time.Minute {
			t.Errorf("%d of 5: widest gap is %s, want %d min", m, have, want)
		}
	}
}

func widestGap(placed []schedule.Placed) int {
	var phases []time.Duration
	for _, p := range placed {
		phases = append(phases, p.Cadence.Phase)
	}
	width := placed[0].Cadence.Window + 20*time.Second
	return int(widestOnCircle(phases, 9*time.Minute) / width)
}

func widestOnCircle(phases []time.Duration, circle time.Duration) time.Duration {
	slices.Sort(phases)
	widest := phases[0] + circle - phases[len(phases)-1]
	for i := 1; i < len(phases); i++ {
		widest = max(widest, phases[i]-phases[i-1])
	}
	return widest
}

// A monitor that has the first place with each of its servers doesn't probe them all at once:
// its probes are spread over the interval.
func TestProbesOfManyServersAreSpreadEvenly(t *testing.T) {
	s := pool.DefaultSettings()
	const servers = 5000
	for status, interval := range map[pool.Status]time.Duration{pool.Active: s.IntervalActive, pool.Testing: s.IntervalTesting} {
		var tenths [10]int
		for server := range servers {
			placed := schedule.Place(pool.ServerID(70_000+server), s, midnight, someWants(1, 1, status, interval))
			tenths[placed[0].Cadence.Phase*10/interval]++
		}
		for i, count := range tenths {
			if share := float64(count) / servers; math.Abs(share-0.1) > 0.01 {
				t.Errorf("%.1f %% of the probes of %s monitors are in tenth %d of the interval", 100*share, status, i)
			}
		}
	}
}

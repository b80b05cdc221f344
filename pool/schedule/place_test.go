package schedule_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

// probe is that a monitor probes the server.
type probe struct {
	at      time.Time
	monitor pool.MonitorID
}

// requireSpacing fails where two probes in a row, by whomever, are closer than the spacing.
func requireSpacing(t *rapid.T, probes []probe, spacing time.Duration) {
	slices.SortFunc(probes, func(a, b probe) int { return a.at.Compare(b.at) })
	for i := 1; i < len(probes); i++ {
		a, b := probes[i-1], probes[i]
		if gap := b.at.Sub(a.at); gap < spacing {
			t.Fatalf("monitor %d probes at %s, monitor %d %s later; spacing is %s", a.monitor, a.at, b.monitor, gap, spacing)
		}
	}
}

// horizon is how long probes are followed: two days, or for 200 cycles where that is less.
func horizon(s pool.Settings) time.Duration {
	return min(48*time.Hour, 200*cycleOf(s))
}

// Whatever the settings, the monitors and their seeds, any two probes of a server are at least the spacing apart.
func TestProbesKeepTheirDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings(t)
		placed := schedule.Place(anyServer(t), s, midnight, anyWants(t, s))
		begin := anyTime(t)
		end := begin.Add(horizon(s))
		var probes []probe
		for _, p := range placed {
			c := p.Cadence
			c.Seed = rapid.Uint64().Draw(t, "seed")
			for at := schedule.Next(c, begin); at.Before(end); at = schedule.Next(c, at) {
				probes = append(probes, probe{at, p.Monitor})
			}
		}
		requireSpacing(t, probes, s.Spacing)
	})
}

// The same for every seed there is: a window begins more than the spacing after the last moment of the one before.
func TestWindowsKeepTheirDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings(t)
		placed := schedule.Place(anyServer(t), s, midnight, anyWants(t, s))
		end := horizon(s)
		var windows []probe // each by its start
		for _, p := range placed {
			if p.Cadence.Window < time.Millisecond {
				t.Fatalf("monitor %d has a window of %s", p.Monitor, p.Cadence.Window)
			}
			for start := p.Cadence.Phase; start < end; start += p.Cadence.Interval {
				windows = append(windows, probe{midnight.Add(start), p.Monitor})
			}
		}
		if len(placed) > 0 { // all windows are equally long
			requireSpacing(t, windows, placed[0].Cadence.Window+s.Spacing)
		}
	})
}

// No observer can predict a probe to within 10 s: he errs by up to half a window. That holds as long as the active
// and testing monitors leave room for it, however many candidates there are.
func TestWindowsAreLongEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings(t)
		wants := anyWants(t, s)
		usual := int(s.IntervalActive / (s.Spacing + 20*time.Second + time.Millisecond))
		if s.Spacing == 0 || s.IntervalActive > cycleOf(s) || usual == 0 || columns(s, wants, pool.Candidate) > usual {
			return
		}
		for _, p := range schedule.Place(anyServer(t), s, midnight, wants) {
			if p.Cadence.Window < 20*time.Second {
				t.Fatalf("window of %s for monitor %d", p.Cadence.Window, p.Monitor)
			}
		}
	})
}

// columns is how many slots the wanted need, but those of one status: one for each that comes in every cycle,
// one for up to 5 that come in every fifth, and so on.
func columns(s pool.Settings, wants []schedule.Want, but pool.Status) int {
	byTurns := map[int]int{}
	for _, w := range wants {
		if w.Status != but {
			byTurns[max(1, int(w.Interval/cycleOf(s)))]++
		}
	}
	n := 0
	for turns, monitors := range byTurns {
		n += int(math.Ceil(float64(monitors) / float64(turns)))
	}
	return n
}

func cycleOf(s pool.Settings) time.Duration {
	shortest := min(s.IntervalActive, s.IntervalTesting, s.IntervalCandidate, schedule.CondemnedInterval)
	return max(shortest.Truncate(time.Millisecond), s.Spacing.Truncate(time.Millisecond)+2*time.Millisecond)
}

// In the pool as it is meant to be, with no more monitors than selection chooses, everybody has a place.
func TestEverybodyWhoIsChosenHasAPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := pool.DefaultSettings()
		active := rapid.IntRange(1, 7).Draw(t, "active")
		testing := rapid.IntRange(0, 12-active).Draw(t, "testing")
		candidates := rapid.IntRange(0, 20).Draw(t, "candidates")
		wants := slices.Concat(
			someWants(1, active, pool.Active, s.IntervalActive),
			someWants(101, testing, pool.Testing, s.IntervalTesting),
			someWants(201, candidates, pool.Candidate, s.IntervalCandidate))
		if placed := schedule.Place(anyServer(t), s, midnight, wants); len(placed) != len(wants) {
			t.Fatalf("%d of %d have a place", len(placed), len(wants))
		}
	})
}

func someWants(first pool.MonitorID, n int, status pool.Status, interval time.Duration) []schedule.Want {
	wants := make([]schedule.Want, n)
	for i := range wants {
		wants[i] = schedule.Want{Monitor: first + pool.MonitorID(i), Status: status, Interval: interval}
	}
	return wants
}

// Nobody is left out while somebody of a lesser status has a place, and nobody at all while there are slots enough.
func TestTheImportantOnesComeFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings(t)
		wants := anyWants(t, s)
		has := byMonitor(schedule.Place(anyServer(t), s, midnight, wants))
		rank := map[pool.Status]int{pool.Active: 1, pool.Testing: 2, pool.Candidate: 3}
		bestOut, worstIn := 4, 0
		for _, w := range wants {
			if _, in := has[w.Monitor]; in {
				worstIn = max(worstIn, rank[w.Status])
			} else {
				bestOut = min(bestOut, rank[w.Status])
			}
		}
		if bestOut < worstIn {
			t.Fatalf("one of rank %d is left out, one of rank %d has a place", bestOut, worstIn)
		}
		most := int(cycleOf(s) / (s.Spacing + 2*time.Millisecond))
		if bestOut < 3 && columns(s, wants, pool.Candidate) <= most || bestOut == 3 && s.Spacing == 0 && columns(s, wants, "") <= most {
			t.Fatalf("one of rank %d is left out of %d slots", bestOut, most)
		}
	})
}

// Everybody probes about as often as he is to: his interval is rounded down to whole cycles.
func TestIntervalsAreWholeCycles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings(t)
		wants := anyWants(t, s)
		has := byMonitor(schedule.Place(anyServer(t), s, midnight, wants))
		cycle := max(cycleOf(s), s.Spacing)
		for _, w := range wants {
			p, in := has[w.Monitor]
			if in && (p.Cadence.Interval > max(w.Interval, cycle) || p.Cadence.Interval <= w.Interval-cycle) {
				t.Fatalf("interval %s became %s", w.Interval, p.Cadence.Interval)
			}
		}
	})
}

// A timetable depends on who is wanted, not on the order in which they are named, and names each monitor once.
func TestTheOrderOfWantsDoesntMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server, s := anyServer(t), anySettings(t)
		before := schedule.Place(server, s, midnight, anyWants(t, s))
		wants := keeping(anyWants(t, s), before)
		for i := range wants {
			wants[i].AtOnce = rapid.Bool().Draw(t, "at once")
		}
		want := schedule.Place(server, s, midnight, wants)
		have := schedule.Place(server, s, midnight, rapid.Permutation(wants).Draw(t, "shuffled"))
		if diff := cmp.Diff(want, have); diff != "" {
			t.Fatalf("timetable (-want +have):\n%s", diff)
		}
		for i := 1; i < len(have); i++ {
			if have[i-1].Monitor >= have[i].Monitor {
				t.Fatalf("monitor %d comes before %d", have[i-1].Monitor, have[i].Monitor)
			}
		}
	})
}

// Whatever a monitor claims to have had, it gets a place that exists. Phases come from a table
// that others can write too.
func TestStrangePhasesAreNotKept(t *testing.T) {
	s := pool.DefaultSettings()
	const afterTheLastSlot = 13 * 41_538 * time.Millisecond // what is left of the cycle is less than a slot
	for _, phase := range []time.Duration{-1, 1, 41 * time.Second, afterTheLastSlot, 9 * time.Minute, math.MinInt64, math.MaxInt64} {
		wants := someWants(1, 1, pool.Active, s.IntervalActive)
		want := schedule.Place(0, s, midnight, wants)
		wants[0].Had = &pool.Cadence{Phase: phase}
		if diff := cmp.Diff(want, schedule.Place(0, s, midnight, wants)); diff != "" {
			t.Errorf("timetable with phase %d (-want +have):\n%s", phase, diff)
		}
	}
}

// If two claim the same slot, the more important one has it.
func TestAClaimedSlotGoesToTheMoreImportant(t *testing.T) {
	s := pool.DefaultSettings()
	tests := []struct {
		name         string
		loser        schedule.Want
		loserClaims  time.Duration
		winnerClaims time.Duration
	}{
		{"same cell", schedule.Want{Status: pool.Active, Interval: s.IntervalActive}, 0, 0},
		{"same slot, other turns", schedule.Want{Status: pool.Testing, Interval: s.IntervalTesting}, s.IntervalActive, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			winner := schedule.Want{Monitor: 1, Status: pool.Active, Interval: s.IntervalActive}
			winner.Had, tt.loser.Had = &pool.Cadence{Phase: tt.winnerClaims}, &pool.Cadence{Phase: tt.loserClaims}
			tt.loser.Monitor = 2
			placed := schedule.Place(0, s, midnight, []schedule.Want{tt.loser, winner})
			if have := placed[0].Cadence.Phase; have != tt.winnerClaims {
				t.Errorf("phase of the winner: have %s, want %s", have, tt.winnerClaims)
			}
			if have := placed[1].Cadence.Phase % s.IntervalActive; have == 0 {
				t.Error("the loser has the same slot")
			}
		})
	}
}

// Nobody stands in his own way: who has a place already may be told to begin at once in the middle of his window.
func TestNobodyStandsInHisOwnWay(t *testing.T) {
	s := pool.DefaultSettings()
	wants := keeping(someWants(1, 1, pool.Active, s.IntervalActive), schedule.Place(0, s, midnight, someWants(1, 1, pool.Active, s.IntervalActive)))
	wants[0].AtOnce = true
	if placed := schedule.Place(0, s, midnight.Add(10*time.Second), wants); !placed[0].AtOnce {
		t.Errorf("placed %+v", placed)
	}
}

// Who isn't to probe has no place, and a server that nobody watches has no timetable.
func TestWhoIsNotToProbeHasNoPlace(t *testing.T) {
	s := pool.DefaultSettings()
	wants := []schedule.Want{
		{Monitor: 1, Status: pool.Paused, Interval: time.Hour},
		{Monitor: 2, Status: "unknown", Interval: time.Hour},
		{Monitor: 3, Status: pool.Active, Interval: 0},
		{Monitor: 4, Status: pool.Active, Interval: -time.Hour},
	}
	if placed := schedule.Place(1, s, midnight, wants); len(placed) != 0 {
		t.Errorf("placed %+v", placed)
	}
	for _, settings := range []pool.Settings{s, lab, {}} {
		if placed := schedule.Place(1, settings, midnight, nil); len(placed) != 0 {
			t.Errorf("placed %+v", placed)
		}
	}
}

func BenchmarkPlace(b *testing.B) {
	s := pool.DefaultSettings()
	wants := slices.Concat(
		someWants(1, 7, pool.Active, s.IntervalActive),
		someWants(101, 5, pool.Testing, s.IntervalTesting),
		someWants(201, 20, pool.Candidate, s.IntervalCandidate))
	for b.Loop() {
		schedule.Place(1, s, midnight, wants)
	}
}

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

// A timetable may change at any time, and the news take up to the spacing to reach the monitors. Even so the
// probes keep their distance: those of the old times, those of the new ones, and the one that goes at once.
func TestChangesKeepTheDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server, s, now := anyServer(t), anySettings(t), midnight
		var placed []schedule.Placed
		followers := map[pool.MonitorID]*follower{}
		for change := range rapid.IntRange(2, 6).Draw(t, "changes") {
			wants := keeping(anyWants(t, s), placed)
			for i := range wants {
				wants[i].AtOnce = change == 0
			}
			placed = schedule.Place(server, s, now, wants)
			told := byMonitor(placed)
			for _, id := range monitors(105) {
				if followers[id] == nil {
					followers[id] = &follower{monitor: id, seed: rapid.Uint64().Draw(t, "seed")}
				}
				delay := time.Duration(rapid.Int64Range(0, int64(s.Spacing)).Draw(t, "delay"))
				p, has := told[id]
				followers[id].hear(now.Add(delay), p, has)
			}
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*s.IntervalActive)).Draw(t, "until the next change")))
		}
		var probes []probe
		for _, f := range followers {
			f.follow(now.Add(2 * s.IntervalActive))
			probes = append(probes, f.probes...)
		}
		requireSpacing(t, probes, s.Spacing)
	})
}

// follower is a monitor that follows the cadences that it is told.
type follower struct {
	monitor pool.MonitorID
	seed    uint64
	cadence pool.Cadence // Interval 0: none
	since   time.Time    // how far it has been followed
	probes  []probe
}

// follow makes the probes that are due before a time.
func (f *follower) follow(until time.Time) {
	if f.cadence.Interval == 0 {
		return
	}
	for at := schedule.Next(f.cadence, f.since); at.Before(until); at = schedule.Next(f.cadence, at) {
		f.probes = append(f.probes, probe{at, f.monitor})
		f.since = at
	}
}

// hear is told a new place, or that it has none any more. News come in their order.
func (f *follower) hear(at time.Time, p schedule.Placed, has bool) {
	f.follow(at)
	if p.AtOnce {
		f.probes = append(f.probes, probe{at, f.monitor})
	}
	c := p.Cadence
	c.Seed = f.seed
	switch {
	case !has:
		f.cadence = pool.Cadence{}
	case c != f.cadence:
		f.cadence, f.since = c, p.From
	}
}

// Who keeps his interval keeps his cadence when others come and go, as long as there are as many slots as before
// and those that are in use leave room for the newcomers.
func TestWhoStaysKeepsHisPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server, s := anyServer(t), pool.DefaultSettings()
		wants := keeping(anyWants(t, s), schedule.Place(server, s, midnight, anyWants(t, s)))
		placed := schedule.Place(server, s, midnight, wants)

		has := byMonitor(placed)
		inUse := map[time.Duration]map[time.Duration]bool{} // by interval: the slots of those who stay, by their phase in the cycle
		need := map[time.Duration]int{}                     // by interval: monitors
		var staying []schedule.Want
		for _, w := range wants {
			p, in := has[w.Monitor]
			if !in {
				continue
			}
			need[p.Cadence.Interval]++
			if w.Had == nil || w.Had.Interval != p.Cadence.Interval || w.Had.Window != p.Cadence.Window {
				continue
			}
			staying = append(staying, w)
			if inUse[w.Had.Interval] == nil {
				inUse[w.Had.Interval] = map[time.Duration]bool{}
			}
			inUse[w.Had.Interval][w.Had.Phase%s.IntervalActive] = true
		}
		slots := 0
		for interval, monitors := range need {
			turns := int(interval / s.IntervalActive)
			slots += max(len(inUse[interval]), (monitors+turns-1)/turns)
		}
		if len(placed) == 0 || slots > int(s.IntervalActive/(placed[0].Cadence.Window+s.Spacing)) {
			return
		}
		for _, w := range staying {
			if diff := cmp.Diff(*w.Had, has[w.Monitor].Cadence); diff != "" {
				t.Fatalf("cadence of monitor %d (-had +has):\n%s", w.Monitor, diff)
			}
		}
	})
}

// In the pool as it is meant to be there is always room, so nobody ever moves who keeps his status.
func TestNobodyMovesInANormalPool(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server, s := anyServer(t), pool.DefaultSettings()
		all := slices.Concat(
			someWants(1, 12, pool.Active, s.IntervalActive),
			someWants(101, 10, pool.Testing, s.IntervalTesting),
			someWants(201, 60, pool.Candidate, s.IntervalCandidate))
		most := map[pool.Status]int{pool.Active: 7, pool.Testing: 5, pool.Candidate: 20}
		var placed []schedule.Placed
		for range 10 {
			var wants []schedule.Want
			chosen := map[pool.Status]int{}
			for _, w := range rapid.Permutation(all).Draw(t, "all") {
				if chosen[w.Status] < most[w.Status] && rapid.IntRange(0, 3).Draw(t, "absent") > 0 {
					chosen[w.Status]++
					wants = append(wants, w)
				}
			}
			before := byMonitor(placed)
			placed = schedule.Place(server, s, midnight, keeping(wants, placed))
			for _, p := range placed {
				if b, had := before[p.Monitor]; had && b.Cadence != p.Cadence {
					t.Fatalf("monitor %d moved from %+v to %+v", p.Monitor, b.Cadence, p.Cadence)
				}
			}
		}
	})
}

// After a restart only phases are known. They are enough to find everybody's place again.
func TestPhasesAreEnoughAfterARestart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server, s := anyServer(t), anySettings(t)
		wants := anyWants(t, s)
		want := schedule.Place(server, s, midnight, keeping(wants, schedule.Place(server, s, midnight, wants)))
		wants = keeping(wants, want)
		for i, w := range wants {
			if w.Had != nil {
				wants[i].Had = &pool.Cadence{Phase: w.Had.Phase.Truncate(time.Millisecond)}
			}
		}
		have := schedule.Place(server, s, midnight, wants)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Fatalf("timetable (-want +have):\n%s", diff)
		}
	})
}

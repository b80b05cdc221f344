package selection

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// A new server gets all monitors as candidates, and its beginning is made at once with five of them, in the order of
// their ids, since nothing else is known.
func TestANewServersBeginningIsMadeAtOnce(t *testing.T) {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	view := View{Now: now}
	for id := range pool.MonitorID(8) {
		view.Monitors = append(view.Monitors, Monitor{ID: id + 1, Global: pool.GlobalActive})
	}
	round := Review(view)
	said := ""
	for _, c := range round.Changes {
		said += fmt.Sprintf("%d %q→%s ", c.Monitor, c.From, c.To)
	}
	for _, c := range round.Newcomers {
		said += fmt.Sprintf("%d %q→%s ", c.Monitor, c.From, c.To)
	}
	want := `1 ""→testing 2 ""→testing 3 ""→testing 4 ""→testing 5 ""→testing 6 ""→candidate 7 ""→candidate 8 ""→candidate `
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
	if len(round.Statuses) != 8 {
		t.Errorf("want 8 statuses to be stored, have %+v", round.Statuses)
	}
}

// That somebody comes in as a candidate is no change: the next review is as soon as after none.
func TestNewcomersDontPutTheNextReviewOff(t *testing.T) {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	view := View{Now: now, Monitors: []Monitor{{ID: 1, Global: pool.GlobalTesting, Status: pool.Testing}, {ID: 2, Global: pool.GlobalActive}}}
	if round := Review(view); len(round.Newcomers) != 1 || !round.Next.Equal(now.Add(20*time.Minute)) {
		t.Errorf("newcomers %v, next review in %v", round.Newcomers, round.Next.Sub(now))
	}
}

// What a review wants stored is what it tells: applied, it leaves each monitor as its changes, pauses and newcomers say,
// each of which is told once; and who was there already fares as in a plan with the newcomers as candidates.
func TestAReviewStoresWhatItTells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := anyView(t)
		for i := range view.Monitors {
			if rapid.IntRange(0, 3).Draw(t, "new") == 0 {
				view.Monitors[i].Status = ""
			}
		}
		round := Review(view)
		stored := make(map[pool.MonitorID]pool.Status)
		for i, s := range round.Statuses {
			if i > 0 && round.Statuses[i-1].Monitor >= s.Monitor {
				t.Fatalf("statuses out of order: %v", round.Statuses)
			}
			stored[s.Monitor] = s.Status
		}
		told := make(map[pool.MonitorID]bool)
		for _, list := range [][]Change{round.Changes, round.Pauses, round.Newcomers} {
			for _, c := range list {
				if told[c.Monitor] || stored[c.Monitor] != c.To {
					t.Fatalf("told %+v, stored as %q, told before: %v", c, stored[c.Monitor], told[c.Monitor])
				}
				told[c.Monitor] = true
			}
		}
		for _, m := range gather(view) {
			if status, is := stored[m.ID]; is && status != m.Status && !told[m.ID] && known(m.Status) {
				t.Fatalf("monitor %d goes from %q to %q, and nobody is told", m.ID, m.Status, status)
			}
		}
	})
}

func known(status pool.Status) bool {
	switch status {
	case "", pool.Active, pool.Testing, pool.Candidate, pool.Paused:
		return true
	}
	return false
}

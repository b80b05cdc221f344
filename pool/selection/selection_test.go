package selection

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// Each scenario lists monitors as "id global status" and what the round wants of them.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/plan", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "plan" {
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			var text strings.Builder
			for _, c := range Plan(read(t, d)).Changes {
				from := string(c.From)
				if from == "" {
					from = "none"
				}
				fmt.Fprintf(&text, "%d %s → %s: %s\n", c.Monitor, from, c.To, c.Reason)
			}
			if text.Len() == 0 {
				return "no change\n"
			}
			return text.String()
		})
	})
}

// read reads the monitors of a scenario.
func read(t *testing.T, d *datadriven.TestData) View {
	var view View
	for _, line := range strings.Split(d.Input, "\n") {
		var m Monitor
		var global, status string
		if n, _ := fmt.Sscan(line, &m.ID, &global, &status); n < 2 {
			d.Fatalf(t, "not a monitor: %q", line)
		}
		m.Global, m.Status = pool.GlobalStatus(global), pool.Status(status)
		view.Monitors = append(view.Monitors, m)
	}
	return view
}

// draw draws any set of monitors.
func draw(t *rapid.T) View {
	var view View
	for id := range rapid.IntRange(0, 30).Draw(t, "monitors") {
		view.Monitors = append(view.Monitors, Monitor{
			ID: pool.MonitorID(id + 1),
			Global: rapid.SampledFrom([]pool.GlobalStatus{
				pool.GlobalPending, pool.GlobalTesting, pool.GlobalActive, pool.GlobalPaused, pool.GlobalDeleted, "mad",
			}).Draw(t, "global"),
			Status: rapid.SampledFrom([]pool.Status{"", pool.Active, pool.Testing, pool.Candidate, pool.Paused}).Draw(t, "status"),
		})
	}
	return view
}

// apply makes a round's changes.
func apply(view View, round Round) View {
	next := View{Monitors: slices.Clone(view.Monitors)}
	for _, c := range round.Changes {
		for i := range next.Monitors {
			if next.Monitors[i].ID == c.Monitor {
				next.Monitors[i].Status = c.To
			}
		}
	}
	return next
}

// The plan doesn't depend on the order in which the monitors come.
func TestPlanIgnoresTheOrderOfItsInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := draw(t)
		shuffled := View{Monitors: slices.Clone(view.Monitors)}
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, seed)).Shuffle(len(shuffled.Monitors), func(i, j int) {
			shuffled.Monitors[i], shuffled.Monitors[j] = shuffled.Monitors[j], shuffled.Monitors[i]
		})
		if diff := cmp.Diff(Plan(view), Plan(shuffled)); diff != "" {
			t.Fatalf("want -, have +:\n%s", diff)
		}
	})
}

// A monitor changes once at most in a round, and says from what it comes.
func TestAMonitorChangesOnceAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := draw(t)
		seen := make(map[pool.MonitorID]bool)
		for _, c := range Plan(view).Changes {
			if seen[c.Monitor] || c.From == c.To || c.Reason == "" {
				t.Fatalf("%+v", c)
			}
			seen[c.Monitor] = true
		}
	})
}

// A plan that was applied leaves nothing to do.
func TestPlansSettleAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := draw(t)
		if again := Plan(apply(view, Plan(view))); len(again.Changes) > 0 {
			t.Fatalf("want no change, have %+v", again.Changes)
		}
	})
}

// No round raises the active above seven, promotes who isn't globally active, or leaves a blocked one in place.
func TestPlansKeepToTheTargets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := draw(t)
		active := 0
		round := Plan(view)
		for _, m := range apply(view, round).Monitors {
			if m.Status == pool.Active {
				active++
			}
			if blocked(m.Global) && (m.Status == pool.Active || m.Status == pool.Testing) {
				t.Fatalf("monitor %d is globally %s and %s", m.ID, m.Global, m.Status)
			}
		}
		for _, c := range round.Changes {
			if c.To == pool.Active && active > ActiveTarget {
				t.Fatalf("monitor %d became the %d. active one", c.Monitor, active)
			}
		}
	})
}

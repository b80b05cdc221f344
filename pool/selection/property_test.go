package selection

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// byID finds a view's monitors.
func byID(view View) map[pool.MonitorID]Monitor {
	monitors := make(map[pool.MonitorID]Monitor)
	for _, m := range view.Monitors {
		monitors[m.ID] = m
	}
	return monitors
}

// checkViews holds what a round makes of any view to a rule.
func checkViews(t *testing.T, rule func(t *rapid.T, view View, round Round)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		view := anyView(t)
		rule(t, view, Plan(view))
	})
}

// A monitor changes once at most in a round, from what it was, to something else, for a reason; and what is to be
// stored is what was changed.
func TestAMonitorChangesOnceAtMost(t *testing.T) {
	checkViews(t, func(t *rapid.T, view View, round Round) {
		seen := make(map[pool.MonitorID]bool)
		before, after := byID(view), byID(apply(view, round))
		for _, c := range slices.Concat(round.Changes, round.Pauses) {
			if seen[c.Monitor] || c.From == c.To || c.Reason == "" || c.From == "" {
				t.Fatalf("%+v", c)
			}
			if before[c.Monitor].Status != c.From || after[c.Monitor].Status != c.To {
				t.Fatalf("%+v: it was %q, and is %q", c, before[c.Monitor].Status, after[c.Monitor].Status)
			}
			seen[c.Monitor] = true
		}
		for id, m := range after {
			if m.Status != before[id].Status && !seen[id] && before[id].Status != "mad" {
				t.Fatalf("monitor %d becomes %s without a change", id, m.Status)
			}
		}
	})
}

// A round never raises the active above seven.
func TestNoRoundRaisesTheActiveAboveSeven(t *testing.T) {
	checkViews(t, func(t *rapid.T, view View, round Round) {
		before, after := countOf(view, pool.Active), countOf(apply(view, round), pool.Active)
		if after > max(before, ActiveTarget) {
			t.Fatalf("%d active before, %d after: %+v", before, after, round.Changes)
		}
	})
}

// Budgets are kept, but for blocking, pausing, the beginning that bootstrap makes, and a swap's last point.
func TestBudgetsAreKept(t *testing.T) {
	checkViews(t, func(t *rapid.T, view View, round Round) {
		stopped := 0
		for _, m := range view.Monitors {
			if m.Status != "" && blocked(m.Global) {
				stopped++
			}
		}
		budget := 2
		if stopped > 1 {
			budget = 3
		}
		if countOf(view, pool.Active) == 0 {
			budget = 4
		}
		spent := spentIn(view, round)
		points := spent.promotions + 2*spent.activeSwaps + spent.testingSwaps
		if spent.activeSwaps > 0 {
			points-- // it may have used the last single point
		}
		if points > budget || spent.fromActive > budget || spent.fromTesting > budget {
			t.Fatalf("a budget of %d, spent %+v: %+v", budget, spent, round.Changes)
		}
	})
}

// spent says how much of what a round did. Swaps aside.
type spent struct{ fromActive, fromTesting, promotions, activeSwaps, testingSwaps int }

// spentIn reads off the reasons what was a swap, and leaves out what needs no budget.
func spentIn(view View, round Round) spent {
	var s spent
	monitors := byID(view)
	for _, c := range round.Changes {
		swap := len(c.Reason) > 5 && (c.Reason[:5] == "takes" || c.Reason[:5] == "gives")
		switch {
		case blocked(monitors[c.Monitor].Global) || c.From == pool.Paused || c.From == "mad":
		case swap && c.To == pool.Active:
			s.activeSwaps++
		case swap && c.From == pool.Candidate:
			s.testingSwaps++
		case swap:
		case c.From == pool.Active:
			s.fromActive++
		case c.From == pool.Testing && c.To == pool.Candidate:
			s.fromTesting++
		case c.From == pool.Candidate && c.To == pool.Testing && countOf(view, pool.Testing) == 0:
		default:
			s.promotions++
		}
	}
	return s
}

// The last healthy active one is never taken away unless it is blocked, pending or must be paused.
func TestTheLastHealthyActiveStays(t *testing.T) {
	checkViews(t, func(t *rapid.T, view View, round Round) {
		free := func(view View) int {
			n := 0
			for _, m := range view.Monitors {
				if m.Status == pool.Active && m.Figures.grade() == healthy && !bystander(view, m) {
					n++
				}
			}
			return n
		}
		if free(view) > 0 && free(apply(view, round)) == 0 {
			t.Fatalf("no healthy one is left: %+v", round.Changes)
		}
	})
}

// What is on record after a round is what each monitor breaks by the words of the constraints, but that a candidate
// never carries limit; what held before goes on since then.
func TestViolationsAreThoseOfTheWords(t *testing.T) {
	checkViews(t, func(t *rapid.T, view View, round Round) {
		after := byID(apply(view, round))
		var want []Violated
		for _, m := range view.Monitors {
			v := violationOf(view, m)
			if m.Status == "" || v == "" || v == Limit && after[m.ID].Status == pool.Candidate {
				continue
			}
			since := view.Now
			if m.Violation == v && !m.ViolationSince.IsZero() {
				since = m.ViolationSince
			}
			want = append(want, Violated{m.ID, v, since})
		}
		if diff := cmp.Diff(want, round.Violations); diff != "" {
			t.Fatalf("want -, have +:\n%s", diff)
		}
	})
}

// Who was promoted breaks no constraint after the round; in an emergency, if it became active, none but limit and
// diversity.
func TestNobodyIsPromotedIntoAViolation(t *testing.T) {
	checkViews(t, func(t *rapid.T, view View, round Round) {
		after := apply(view, round)
		monitors := byID(after)
		for _, c := range round.Changes {
			if c.To != pool.Active && (c.To != pool.Testing || c.From != pool.Candidate) {
				continue
			}
			m := monitors[c.Monitor]
			have := violationOf(after, m)
			if mustPause(after, m) != "" || have != "" && (countOf(view, pool.Active) > 0 || c.To == pool.Testing) {
				t.Fatalf("%+v breaks %s", c, have)
			}
			if !welcomeGlobally(m.Global) || c.To == pool.Active && (m.Global != pool.GlobalActive || !fitIn(view, m)) {
				t.Fatalf("%+v is globally %s, %+v", c, m.Global, m.Figures)
			}
		}
	})
}

// Who is blocked has no place after the round, and who would judge its own is paused.
func TestNobodyKeepsAPlaceThatMustNot(t *testing.T) {
	checkViews(t, func(t *rapid.T, view View, round Round) {
		for _, m := range apply(view, round).Monitors {
			if placed(m.Status) && blocked(m.Global) {
				t.Fatalf("monitor %d is globally %s and %s", m.ID, m.Global, m.Status)
			}
			if m.Status != "" && m.Status != pool.Paused && mustPause(view, m) != "" {
				t.Fatalf("monitor %d breaks %s and is %s", m.ID, mustPause(view, m), m.Status)
			}
		}
	})
}

// The round doesn't depend on the order of its input, even where ids are there twice and nothing makes sense.
func TestPlanIgnoresTheOrderOfItsInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := anyView(t)
		if rapid.Bool().Draw(t, "strange") {
			view = strangeView(t)
		}
		shuffled := view
		shuffled.Monitors = slices.Clone(view.Monitors)
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, seed)).Shuffle(len(shuffled.Monitors), func(i, j int) {
			shuffled.Monitors[i], shuffled.Monitors[j] = shuffled.Monitors[j], shuffled.Monitors[i]
		})
		if diff := cmp.Diff(Plan(view), Plan(shuffled)); diff != "" {
			t.Fatalf("want -, have +:\n%s", diff)
		}
		if diff := cmp.Diff(Welcome(view), Welcome(shuffled)); diff != "" {
			t.Fatalf("want -, have +:\n%s", diff)
		}
	})
}

// Plan changes nothing that it is given.
func TestPlanLeavesTheViewAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := anyView(t)
		before := slices.Clone(view.Monitors)
		Plan(view)
		Welcome(view)
		if !slices.Equal(before, view.Monitors) {
			t.Fatal("the view is another one")
		}
	})
}

// Nothing that a view may hold stops a round, puts a monitor into it twice, or makes an unknown status of one.
func TestNoViewStopsARound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := strangeView(t)
		round := Plan(view)
		seen := make(map[pool.MonitorID]bool)
		for _, s := range round.Standings {
			if seen[s.Monitor] {
				t.Fatalf("monitor %d is there twice", s.Monitor)
			}
			seen[s.Monitor] = true
		}
		for _, s := range round.Statuses {
			if !placed(s.Status) && s.Status != pool.Candidate && s.Status != pool.Paused {
				t.Fatalf("%+v", s)
			}
		}
		Welcome(view)
	})
}

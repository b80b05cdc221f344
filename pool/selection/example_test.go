package selection_test

import (
	"fmt"
	"time"

	"truechimer/pool"
	"truechimer/pool/selection"
)

// A seventh place is free, and of two testing monitors the nearer one gets it.
func ExamplePlan() {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	view := selection.View{Now: now, TestingInterval: 45 * time.Minute}
	for id := range pool.MonitorID(8) {
		m := selection.Monitor{ID: id + 1, Global: pool.GlobalActive, Status: pool.Active}
		if m.ID > 6 {
			m.Status = pool.Testing
		}
		var tally pool.Tally
		for range 40 {
			rtt := time.Duration(10*m.ID) * time.Millisecond
			tally.Add(1, &rtt)
		}
		m.Figures = selection.FiguresOf(tally)
		view.Monitors = append(view.Monitors, m)
	}

	round := selection.Plan(view)
	for _, c := range round.Changes {
		fmt.Printf("monitor %d: %s → %s, %s\n", c.Monitor, c.From, c.To, c.Reason)
	}
	fmt.Println("again in", round.Next.Sub(now))
	// Output:
	// monitor 7: testing → active, fills 1 of 1 free place among the active: priority 70, 40 samples
	// again in 1h0m0s
}

package selection

import (
	"testing"

	"truechimer/pool"
)

// hundred is a server with a hundred monitors: two rules have something to do, and most others look for it.
func hundred() View {
	view := View{Now: noon, Server: Server{Account: 1}, TestingInterval: 0}
	for id := 1; id <= 100; id++ {
		m := ordinary(id)
		m.Account = pool.AccountID(10 + id%40)
		m.Figures.RTT = float64(20 + id)
		switch {
		case id <= 7:
			m.Status = pool.Active
			m.Figures.RTT = 90
		case id <= 12:
			m.Status = pool.Testing
		default:
			m.Status = pool.Candidate
		}
		view.Monitors = append(view.Monitors, m)
	}
	view.Monitors[40].Figures.Step = -1
	return view
}

func BenchmarkPlan(b *testing.B) {
	view := hundred()
	b.ReportAllocs()
	for b.Loop() {
		Plan(view)
	}
}

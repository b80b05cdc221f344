package schedule_test

import (
	"time"

	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

// anySettings are those of the pool half of the time, else whatever an operator might set, a lab's included.
func anySettings(t *rapid.T) pool.Settings {
	if rapid.Bool().Draw(t, "default settings") {
		return pool.DefaultSettings()
	}
	between := func(least, most time.Duration, what string) time.Duration {
		return time.Duration(rapid.Int64Range(int64(least), int64(most)).Draw(t, what))
	}
	s := pool.Settings{
		IntervalActive:    between(time.Second, 20*time.Minute, "active"),
		IntervalTesting:   between(time.Second, time.Hour, "testing"),
		IntervalCandidate: between(time.Minute, 3*time.Hour, "candidate"),
	}
	if rapid.Bool().Draw(t, "spaced") {
		s.Spacing = between(time.Microsecond, time.Minute, "spacing")
	}
	return s
}

// anyWants are those of a server with as many monitors as usual, or with too many of everything.
func anyWants(t *rapid.T, s pool.Settings) []schedule.Want {
	crowd := 1
	if rapid.IntRange(0, 3).Draw(t, "crowd") == 0 {
		crowd = 4
	}
	active := rapid.IntRange(0, 8*crowd).Draw(t, "active monitors")
	testing := rapid.IntRange(0, 12*crowd).Draw(t, "testing monitors")
	candidates := rapid.IntRange(0, 25).Draw(t, "candidates")

	ids := rapid.Permutation(monitors(active+testing+candidates)).Draw(t, "ids")
	var wants []schedule.Want
	for i, id := range ids {
		status := pool.Candidate
		switch {
		case i < active:
			status = pool.Active
		case i < active+testing:
			status = pool.Testing
		}
		wants = append(wants, anyWant(t, s, id, status, active == 0))
	}
	return wants
}

func monitors(n int) []pool.MonitorID {
	ids := make([]pool.MonitorID, n)
	for i := range ids {
		ids[i] = pool.MonitorID(i + 1)
	}
	return ids
}

func anyWant(t *rapid.T, s pool.Settings, id pool.MonitorID, status pool.Status, noActive bool) schedule.Want {
	global, condemned := pool.GlobalActive, false
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		global = pool.GlobalTesting
	case 1:
		condemned = true
	}
	interval, _ := schedule.Interval(s, status, global, noActive, condemned)
	return schedule.Want{Monitor: id, Status: status, Interval: interval}
}

func anyServer(t *rapid.T) pool.ServerID {
	return pool.ServerID(rapid.Uint32().Draw(t, "server"))
}

// keeping are the wants with what their monitors had.
func keeping(wants []schedule.Want, placed []schedule.Placed) []schedule.Want {
	had := byMonitor(placed)
	kept := make([]schedule.Want, len(wants))
	for i, w := range wants {
		w.Had = nil
		if p, has := had[w.Monitor]; has {
			w.Had = &p.Cadence
		}
		kept[i] = w
	}
	return kept
}

func byMonitor(placed []schedule.Placed) map[pool.MonitorID]schedule.Placed {
	m := map[pool.MonitorID]schedule.Placed{}
	for _, p := range placed {
		m[p.Monitor] = p
	}
	return m
}

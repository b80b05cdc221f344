package messages

import (
	"time"

	"truechimer/pool"
)

// FromPairTally makes the message of what a monitor's samples add up to.
func FromPairTally(monitor pool.MonitorID, t pool.Tally) *PairTally {
	return &PairTally{
		MonitorId: uint32(monitor),
		Count:     uint32(t.Count),
		Timed:     uint32(t.Timed),
		RttUs:     t.RTT.Microseconds(),
		StepPico:  t.Step,
	}
}

// ToPairTally is what a monitor's samples add up to.
func ToPairTally(m *PairTally) (pool.MonitorID, pool.Tally) {
	return pool.MonitorID(m.GetMonitorId()), pool.Tally{
		Count: int(m.GetCount()),
		Timed: int(m.GetTimed()),
		RTT:   time.Duration(m.GetRttUs()) * time.Microsecond,
		Step:  m.GetStepPico(),
	}
}

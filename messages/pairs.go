package messages

import (
	"time"

	"truechimer/pool"
)

// FromCadence makes the message of a cadence. The seed stays behind: only an Assignment carries it.
func FromCadence(c pool.Cadence) *Cadence {
	return &Cadence{
		IntervalMs: fromMillis(c.Interval),
		PhaseMs:    fromMillis(c.Phase),
		WindowMs:   fromMillis(c.Window),
	}
}

// ToCadence is the cadence of a message, without a seed.
func ToCadence(m *Cadence) pool.Cadence {
	return pool.Cadence{
		Interval: toMillis(m.GetIntervalMs()),
		Phase:    toMillis(m.GetPhaseMs()),
		Window:   toMillis(m.GetWindowMs()),
	}
}

// FromKept makes the message of a pair's newest row.
func FromKept(k pool.Kept) *Kept {
	return &Kept{
		Id:    uint64(k.ID),
		AtUs:  fromTime(k.At),
		Score: k.Score,
		Step:  k.Step,
		RttNs: (*int64)(k.RTT),
	}
}

// ToKept is a pair's newest row of a message.
func ToKept(m *Kept) pool.Kept {
	if m == nil {
		return pool.Kept{}
	}
	return pool.Kept{
		ID:    pool.LogID(m.Id),
		At:    toTime(m.AtUs),
		Score: m.Score,
		Step:  m.Step,
		RTT:   (*time.Duration)(m.RttNs),
	}
}

// FromHourTally makes the message of an hour's tally.
func FromHourTally(h pool.HourTally) *HourTally {
	return &HourTally{
		HourUs:   fromTime(h.Hour),
		Count:    uint32(h.Count),
		Timed:    uint32(h.Timed),
		RttUs:    h.RTT.Microseconds(),
		StepPico: h.Step,
	}
}

// ToHourTally is the hour's tally of a message.
func ToHourTally(m *HourTally) pool.HourTally {
	return pool.HourTally{Hour: toTime(m.GetHourUs()), Tally: pool.Tally{
		Count: int(m.GetCount()),
		Timed: int(m.GetTimed()),
		RTT:   time.Duration(m.GetRttUs()) * time.Microsecond,
		Step:  m.GetStepPico(),
	}}
}

// FromPair makes the message of a pair. The server isn't in it: a pair never travels without its server.
func FromPair(p pool.Pair) *Pair {
	return &Pair{
		MonitorId: uint32(p.Monitor),
		Score:     p.Score,
		ScoreUs:   fromTime(p.ScoreAt),
		Stratum:   uint32(p.Stratum),
		Kept:      FromKept(p.Kept),
		Status: FromPairStatus(pool.PairStatus{
			Monitor:        p.Monitor,
			Status:         p.Status,
			Cadence:        p.Cadence,
			Violation:      p.Violation,
			ViolationSince: p.ViolationSince,
			LastCheck:      p.LastCheck,
			PauseReason:    p.PauseReason,
		}),
		Hours: each(p.Hours, FromHourTally),
	}
}

// ToPair is the pair of a message that came with this server.
func ToPair(server pool.ServerID, m *Pair) pool.Pair {
	status := ToPairStatus(m.GetStatus())
	return pool.Pair{
		Monitor:        pool.MonitorID(m.GetMonitorId()),
		Server:         server,
		Score:          m.GetScore(),
		ScoreAt:        toTime(m.GetScoreUs()),
		Stratum:        uint8(m.GetStratum()),
		Kept:           ToKept(m.GetKept()),
		Status:         status.Status,
		Cadence:        status.Cadence,
		Violation:      status.Violation,
		ViolationSince: status.ViolationSince,
		LastCheck:      status.LastCheck,
		PauseReason:    status.PauseReason,
		Hours:          each(m.GetHours(), ToHourTally),
	}
}

// FromPairStatus makes the message of a pair's status.
func FromPairStatus(p pool.PairStatus) *PairStatus {
	return &PairStatus{
		MonitorId:        uint32(p.Monitor),
		Status:           string(p.Status),
		Cadence:          fromOptional(p.Cadence, FromCadence),
		Violation:        p.Violation,
		ViolationSinceUs: fromTime(p.ViolationSince),
		LastCheckUs:      fromTime(p.LastCheck),
		PauseReason:      p.PauseReason,
	}
}

// ToPairStatus is the pair's status of a message.
func ToPairStatus(m *PairStatus) pool.PairStatus {
	return pool.PairStatus{
		Monitor:        pool.MonitorID(m.GetMonitorId()),
		Status:         pool.Status(m.GetStatus()),
		Cadence:        toOptional(m.GetCadence(), ToCadence),
		Violation:      m.GetViolation(),
		ViolationSince: toTime(m.GetViolationSinceUs()),
		LastCheck:      toTime(m.GetLastCheckUs()),
		PauseReason:    m.GetPauseReason(),
	}
}

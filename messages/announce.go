package messages

import (
	"net/netip"
	"time"

	"truechimer/pool"
)

// NewLiveSample tells watchers what a monitor, known by its agent's name, said of a server.
func NewLiveSample(server netip.Addr, monitor string, row pool.LogRow) *LiveSample {
	live := &LiveSample{
		Server:  server.String(),
		Monitor: Legible(monitor),
		Ts:      unixSeconds(row.At),
		Leap:    leapWord(pool.LeapNone),
		Step:    row.Step,
		Score:   row.Score,
		Reason:  Legible(row.Rule),
	}
	if s := row.Sample; s != nil {
		live.OffsetMs = milliseconds(s.Offset)
		live.RttMs = milliseconds(s.RTT)
		live.Stratum = uint32(s.Stratum)
		live.Leap = leapWord(s.Leap)
		live.Error = Legible(whyUnusable(*s))
	}
	return live
}

// NewLiveScore tells watchers how a server stands, and which sample has changed it, if there was one. The name of a
// monitor is that of its agent.
func NewLiveScore(told *Announcement, nameOf func(pool.MonitorID) string) *LiveScore {
	overall := told.GetOverall()
	live := &LiveScore{
		Server:   toAddr(told.GetIp()).String(),
		Hostname: Legible(told.GetHostname()),
		Score:    overall.GetScore(),
		Ts:       unixSeconds(toTime(overall.GetAtUs())),
		Active:   told.GetActive(),
		Testing:  told.GetTesting(),
		Stratum:  overall.GetStratum(),
		Known:    overall.GetKnown(),
	}
	if cause := told.GetCause(); cause != nil {
		live.Step = cause.GetStep()
		live.Monitor = Legible(nameOf(pool.MonitorID(cause.GetMonitorId())))
		live.Reason = Legible(cause.GetRule())
	}
	return live
}

// NewLiveSelection tells watchers of a change of what a monitor, known by its agent's name, is for a server.
func NewLiveSelection(server netip.Addr, monitor string, at time.Time, move *Move) *LiveSelection {
	return &LiveSelection{
		Server:  server.String(),
		Monitor: Legible(monitor),
		Ts:      unixSeconds(at),
		From:    Legible(move.GetFrom()),
		To:      Legible(move.GetTo()),
		Reason:  Legible(move.GetReason()),
	}
}

// NewLiveAgent tells watchers that an agent is there since a time, or is gone.
func NewLiveAgent(online bool, version, session string, since time.Time) *LiveAgent {
	return &LiveAgent{
		Online:  online,
		Version: Legible(version),
		Session: Legible(session),
		Since:   since.UTC().Format(time.RFC3339),
	}
}

// NewLiveHub tells watchers that a hub is there and what it carries, or is gone.
func NewLiveHub(online bool, version string, servers, agents int) *LiveHub {
	return &LiveHub{Online: online, Version: Legible(version), Servers: uint32(servers), Agents: uint32(agents)}
}

// whyUnusable says in words why a sample carries no time; empty where it does.
func whyUnusable(s pool.Sample) string {
	switch {
	case s.NoReply:
		return "no reply"
	case s.Kiss != "":
		return "kiss code " + string(s.Kiss)
	}
	return s.Error
}

// leapWord names the values of the leap indicator as live.proto does.
func leapWord(leap pool.Leap) string {
	switch leap {
	case pool.LeapNone:
		return "none"
	case pool.LeapInsert:
		return "insert"
	case pool.LeapDelete:
		return "delete"
	}
	return "unknown"
}

// unixSeconds is a time as JSON has it: seconds since the Unix epoch, exact to the microsecond.
func unixSeconds(t time.Time) float64 {
	return float64(fromTime(t)) / 1e6
}

func milliseconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	ms := float64(*d) / float64(time.Millisecond)
	return &ms
}

package hubside

import (
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/selection"
)

// What a selector sees.

// view is what the round sees: all monitors of the server's IP version, and those that have a status for it
// though the pool doesn't know them any more.
func (a *selector) view(now time.Time, msg *messages.Weighed) selection.View {
	tallies := make(map[pool.MonitorID]pool.Tally, len(msg.Tallies))
	for _, t := range msg.Tallies {
		id, tally := messages.ToPairTally(t)
		tallies[id] = tally
	}
	view := selection.View{
		Now:             now,
		Server:          selection.Server{Addr: a.server.Addr.Addr(), Account: a.server.Account},
		TestingInterval: a.roster.settings().IntervalTesting,
	}
	version := pool.VersionOf(a.server.Addr.Addr())
	for _, m := range a.roster.GetMonitors() {
		id := pool.MonitorID(m.Id)
		if _, placed := a.pairs[id]; !placed && pool.IPVersion(m.IpVersion) != version {
			continue
		}
		monitor := messages.ToMonitor(m)
		monitor.LastSeen = a.lastSeen(now, monitor.LastSeen)
		limit := a.roster.limit(monitor.Account)
		view.Monitors = append(view.Monitors, selection.MonitorOf(monitor, limit, a.pairs[id], tallies[id]))
	}
	for _, id := range sortedKeys(a.pairs) {
		if a.roster.monitor(id) == nil {
			gone := pool.Monitor{ID: id, Status: pool.GlobalDeleted}
			view.Monitors = append(view.Monitors, selection.MonitorOf(gone, 0, a.pairs[id], tallies[id]))
		}
	}
	return view
}

// lastSeen is when a monitor's agent was last seen, as far as we looked: it isn't held against an agent that the hub
// was down, or that it can't read who was seen since the database is away.
func (a *selector) lastSeen(now, recorded time.Time) time.Time {
	if recorded.IsZero() {
		return recorded
	}
	if started := now.Add(-a.env.Elapsed()); recorded.Before(started) {
		return started
	}
	return recorded.Add(max(0, now.Sub(a.heard)))
}

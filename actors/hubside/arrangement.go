package hubside

import (
	"maps"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/schedule"
)

// How a server works out who watches it, and when.

// arrange works out who watches the server and when, and asks for what is new of it to be kept.
func (a *server) arrange(ctx actor.Context) {
	if a.server == nil {
		return
	}
	if a.under != nil {
		a.again = true
		return
	}
	a.again = false
	wanted := maps.Clone(a.pairs)
	under := &arrangement{}
	if a.planned != nil {
		for _, p := range a.planned.Pairs {
			status := messages.ToPairStatus(p)
			status.Cadence = wanted[status.Monitor].Cadence
			wanted[status.Monitor] = status
		}
		review := messages.ToReview(a.planned.Review)
		under.review, a.planned = &review, nil
	}
	under.places = a.timetable(wanted)
	for _, monitor := range sortedKeys(wanted) {
		if before, had := a.pairs[monitor]; !had || !sameStatus(before, wanted[monitor]) {
			under.statuses = append(under.statuses, wanted[monitor])
		}
	}
	if len(under.statuses) == 0 && under.review == nil {
		return
	}
	commit := messages.FromServerCommit(a.env.Rand().Uint64(), pool.ServerCommit{
		Shard: a.shard, Epoch: a.epoch, Server: a.id, Statuses: under.statuses, Review: under.review,
	})
	under.commit, a.under = commit.Id, under
	a.keep.put(ctx, local(ctx, archivistName), commit)
}

// timetable gives every pair that is to be probed its place, and takes it from the others.
func (a *server) timetable(pairs map[pool.MonitorID]pool.PairStatus) map[pool.MonitorID]schedule.Placed {
	places := make(map[pool.MonitorID]schedule.Placed)
	for _, p := range schedule.Place(a.id, a.roster.Settings, a.env.Now(), a.wants(pairs)) {
		places[p.Monitor] = p
	}
	for monitor, status := range pairs {
		status.Cadence = nil
		if p, placed := places[monitor]; placed {
			status.Cadence = &p.Cadence
		}
		pairs[monitor] = status
	}
	return places
}

// wants are the pairs that are to be probed, and how often.
func (a *server) wants(pairs map[pool.MonitorID]pool.PairStatus) []schedule.Want {
	now := a.env.Now()
	if !a.server.Deletion.IsZero() && !now.Before(a.server.Deletion) {
		return nil
	}
	global := make(map[pool.MonitorID]pool.GlobalStatus, len(a.roster.Monitors))
	for _, m := range a.roster.Monitors {
		global[m.ID] = m.Status
	}
	noActive := true
	var candidates []pool.MonitorID
	for monitor, p := range pairs {
		noActive = noActive && p.Status != pool.Active
		if p.Status == pool.Candidate && probing(global[monitor]) {
			candidates = append(candidates, monitor)
		}
	}
	ofTheDay := make(map[pool.MonitorID]bool)
	for _, monitor := range schedule.CandidatesOfTheDay(candidates, now.Unix()/int64(24*time.Hour/time.Second)) {
		ofTheDay[monitor] = true
	}
	var wants []schedule.Want
	for _, monitor := range sortedKeys(pairs) {
		p := pairs[monitor]
		if p.Status == pool.Candidate && !ofTheDay[monitor] {
			continue
		}
		// In a lab people want to see what is condemned go on failing.
		condemned := a.condemned[monitor] && !a.roster.Settings.Lab
		interval, ok := schedule.Interval(a.roster.Settings, p.Status, global[monitor], noActive, condemned)
		if !ok || global[monitor] == pool.GlobalPending && p.Cadence == nil {
			continue
		}
		wants = append(wants, schedule.Want{
			Monitor: monitor, Status: p.Status, Interval: interval, Had: p.Cadence,
			AtOnce: a.unprobed && p.Status == pool.Active,
		})
	}
	return wants
}

// probing tells whether a monitor of this global status may be given work.
func probing(global pool.GlobalStatus) bool {
	return global == pool.GlobalActive || global == pool.GlobalTesting
}

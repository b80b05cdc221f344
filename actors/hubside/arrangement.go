package hubside

import (
	"maps"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/schedule"
)

// How a server works out who watches it and when, and has it kept.

// arrangement is a change of statuses and timetable on its way to the store.
type arrangement struct {
	statuses []pool.PairStatus
	places   map[pool.MonitorID]schedule.Placed
	review   *pool.Review
	moves    []*messages.Move // what the selector has planned, in words
}

// arrange works out who watches the server and when, and asks for what is new of it to be kept.
func (a *server) arrange(ctx actor.Context) {
	if a.server == nil || a.load.isOpen() {
		return // with the image
	}
	if a.under != nil {
		a.again = true
		return
	}
	a.again = false
	under := a.arrangement()
	if len(under.statuses) == 0 && under.review == nil {
		return
	}
	a.under = under
	a.keep.put(ctx, local(ctx, archivistName), messages.FromServerCommit(a.keep.draw(), pool.ServerCommit{
		Shard: a.shard, Epoch: a.epoch, Server: a.id, Statuses: under.statuses, Review: under.review,
	}))
}

// arrangement is what has to change.
func (a *server) arrangement() *arrangement {
	wanted := maps.Clone(a.pairs)
	under := &arrangement{}
	if a.planned != nil {
		for _, p := range a.planned.Pairs {
			status := messages.ToPairStatus(p)
			status.Cadence = a.cadenceAfter(status, wanted[status.Monitor])
			wanted[status.Monitor] = status
		}
		review := messages.ToReview(a.planned.Review)
		under.review, under.moves, a.planned = &review, a.planned.Moves, nil
	}
	under.places = a.timetable(wanted)
	for _, monitor := range sortedKeys(wanted) {
		if before, had := a.pairs[monitor]; !had || !sameStatus(before, wanted[monitor]) {
			under.statuses = append(under.statuses, wanted[monitor])
		}
	}
	return under
}

// cadenceAfter is the place that a pair has when it is given a new status, before the timetable is made. A monitor that
// pends keeps what it has, but no less than that: when it is testing no more it has lost its work.
func (a *server) cadenceAfter(status, before pool.PairStatus) *pool.Cadence {
	lost := status.Status == pool.Candidate && before.Status != pool.Candidate
	if lost && a.roster.global(status.Monitor) == pool.GlobalPending {
		return nil
	}
	return before.Cadence
}

// timetable gives every pair that is to be probed its place, and takes it from the others.
func (a *server) timetable(pairs map[pool.MonitorID]pool.PairStatus) map[pool.MonitorID]schedule.Placed {
	places := make(map[pool.MonitorID]schedule.Placed)
	for _, p := range schedule.Place(a.id, a.roster.settings(), a.env.Now(), a.wants(pairs)) {
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
	if !a.server.Deletion.IsZero() && !a.env.Now().Before(a.server.Deletion) {
		return nil
	}
	settings, ofTheDay, noActive := a.roster.settings(), a.candidatesOfTheDay(pairs), true
	for _, p := range pairs {
		noActive = noActive && p.Status != pool.Active
	}
	var wants []schedule.Want
	for _, monitor := range sortedKeys(pairs) {
		p, global := pairs[monitor], a.roster.global(monitor)
		if p.Status == pool.Candidate && !slices.Contains(ofTheDay, monitor) {
			continue
		}
		// In a lab people want to see what is condemned go on failing.
		condemned := a.condemned[monitor] && !settings.Lab
		interval, ok := schedule.Interval(settings, p.Status, global, noActive, condemned)
		if !ok || !mayWork(global, p.Cadence != nil) {
			continue
		}
		wants = append(wants, schedule.Want{
			Monitor: monitor, Status: p.Status, Interval: interval, Had: p.Cadence,
			AtOnce: a.unprobed,
		})
	}
	return wants
}

// candidatesOfTheDay are the candidates whose turn it is. Days begin at midnight UTC.
func (a *server) candidatesOfTheDay(pairs map[pool.MonitorID]pool.PairStatus) []pool.MonitorID {
	var candidates []pool.MonitorID
	for monitor, p := range pairs {
		if p.Status == pool.Candidate && mayWork(a.roster.global(monitor), p.Cadence != nil) {
			candidates = append(candidates, monitor)
		}
	}
	const day = int64(24 * time.Hour / time.Second)
	return schedule.CandidatesOfTheDay(candidates, a.env.Now().Unix()/day)
}

// mayWork tells whether a monitor of this global status may be given work, or keep what it has.
func mayWork(global pool.GlobalStatus, has bool) bool {
	switch global {
	case pool.GlobalActive, pool.GlobalTesting:
		return true
	case pool.GlobalPending:
		return has
	}
	return false
}

// onCommitted makes the arrangement that was kept the present one, and tells everybody.
func (a *server) onCommitted(ctx actor.Context, msg *messages.Committed) {
	if !a.keep.answeredBy(msg.Id) {
		return // asked by an earlier incarnation
	}
	under := a.under
	a.under = nil
	switch msg.Outcome {
	case messages.Committed_FENCED:
		a.server = nil
		return
	case messages.Committed_REFUSED:
		a.retreat()
		a.retreat = a.env.After(refusedPause, loadAnew{})
		return
	}
	a.images.expire()
	changed := &messages.PairsChanged{Planned: under.review != nil}
	for _, status := range under.statuses {
		a.pairs[status.Monitor] = status
		place := under.places[status.Monitor]
		a.unprobed = a.unprobed && !place.AtOnce
		a.tell(ctx, status, place)
		changed.Pairs = append(changed.Pairs, messages.FromPairStatus(status))
	}
	if len(changed.Pairs) > 0 {
		ctx.Send(a.score, changed)
	}
	ctx.Send(a.selector, changed)
	if len(under.moves) > 0 {
		ctx.Send(local(ctx, announcerName), &messages.Selected{
			Ip: a.server.Addr.Addr().AsSlice(), AtUs: under.review.Last.UnixMicro(), Moves: under.moves,
		})
	}
	if a.again {
		a.arrange(ctx)
	}
}

// statusOf is the part of a pair that selection and timetable decide. A status that isn't one, which only others can
// have stored, counts as paused: it couldn't be stored again.
func statusOf(p pool.Pair) pool.PairStatus {
	decided := p.Decided()
	switch p.Status {
	case pool.Active, pool.Testing, pool.Candidate, pool.Paused:
	default:
		decided.Status = pool.Paused
	}
	return decided
}

// sameStatus tells whether two are the same as stored.
func sameStatus(a, b pool.PairStatus) bool {
	return a.Status == b.Status && sameCadence(a.Cadence, b.Cadence) && a.Violation == b.Violation &&
		a.ViolationSince.Equal(b.ViolationSince) && a.LastCheck.Equal(b.LastCheck) && a.PauseReason == b.PauseReason
}

func sameCadence(a, b *pool.Cadence) bool {
	return a == b || a != nil && b != nil && *a == *b
}

package hubside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/selection"
)

const (
	// reviewAfterChange and reviewAfterNone are when the next round is due: a change is given time to show.
	reviewAfterChange = 60 * time.Minute
	reviewAfterNone   = 20 * time.Minute
)

// selector plans the rounds of selection for one server. It holds no state of its own but the view;
// the server applies what it plans. When it fails it is given the view anew.
type selector struct {
	env    *port.Environment
	config *Config
	id     pool.ServerID

	version pool.IPVersion // 0: waiting for the image
	review  pool.Review
	roster  roster
	pairs   map[pool.MonitorID]pool.PairStatus
	waiting bool   // for the server to apply a round
	missed  bool   // something changed meanwhile
	cancel  func() // of the next review
}

// reviewDue is the timer for the next round.
type reviewDue struct{}

func newSelector(env *port.Environment, config *Config, id pool.ServerID) *selector {
	return &selector{env: env, config: config, id: id, cancel: func() {}}
}

func (a *selector) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		ctx.Request(ctx.Parent(), &messages.LoadServer{ServerId: uint32(a.id), Question: a.env.Rand().Uint64()})
	case *messages.Roster:
		a.roster = roster{msg}
		a.plan(ctx, false) // at once what a change of a monitor's global status asks for
	case *messages.ServerLoaded:
		a.onLoaded(ctx, msg)
	case *messages.PairsChanged:
		a.onPairsChanged(ctx, msg)
	case reviewDue:
		a.onReviewDue(ctx)
	}
}

// onLoaded takes the view from the server, which knows best, whatever was asked.
func (a *selector) onLoaded(ctx actor.Context, msg *messages.ServerLoaded) {
	image := messages.ToServerImage(msg.Image)
	a.version = pool.VersionOf(image.Server.Addr.Addr())
	a.review = image.Review
	a.pairs = make(map[pool.MonitorID]pool.PairStatus)
	for _, p := range image.Pairs {
		a.pairs[p.Monitor] = statusOf(p)
	}
	a.waiting = false
	a.plan(ctx, false)
}

// onPairsChanged notes what the server has applied, and plans what was asked for meanwhile.
func (a *selector) onPairsChanged(ctx actor.Context, msg *messages.PairsChanged) {
	if a.version == 0 {
		return // the image will have them
	}
	for _, p := range msg.Pairs {
		status := messages.ToPairStatus(p)
		a.pairs[status.Monitor] = status
	}
	if !msg.Planned {
		return
	}
	a.waiting = false
	if a.missed {
		a.plan(ctx, false)
	}
}

func (a *selector) onReviewDue(ctx actor.Context) {
	a.waiting = false // what the server has not applied until now was lost
	a.plan(ctx, true)
}

// plan runs a round, and tells the server if it changes something or was due.
func (a *selector) plan(ctx actor.Context, due bool) {
	if a.version == 0 {
		return
	}
	if a.missed = a.waiting; a.waiting {
		return
	}
	now := a.env.Now()
	due = due || !now.Before(a.review.Next)
	round := selection.Plan(a.view())
	if len(round.Changes) > 0 || due {
		a.propose(ctx, round, now)
	}
	a.remind(a.review.Next.Sub(now))
}

// propose tells the server a round.
func (a *selector) propose(ctx actor.Context, round selection.Round, now time.Time) {
	a.review.Last, a.review.Next = now, now.Add(reviewAfterNone)
	if len(round.Changes) > 0 {
		a.review.Change, a.review.Next = now, now.Add(reviewAfterChange)
	}
	planned := &messages.Planned{Review: messages.FromReview(a.review)}
	for _, c := range round.Changes {
		status := a.pairs[c.Monitor]
		status.Monitor, status.Status = c.Monitor, c.To
		planned.Pairs = append(planned.Pairs, messages.FromPairStatus(status))
		planned.Moves = append(planned.Moves, &messages.Move{
			MonitorId: uint32(c.Monitor), From: string(c.From), To: string(c.To), Reason: c.Reason,
		})
	}
	a.waiting = true
	ctx.Send(ctx.Parent(), planned)
}

// remind sets the timer of the next review. What is stored may be from a clock that was wrong.
func (a *selector) remind(wait time.Duration) {
	a.cancel()
	a.cancel = a.env.After(min(max(wait, 0), reviewAfterChange), reviewDue{})
}

// view is what the round sees: all monitors of the server's IP version, and those that have a status for it
// though the pool doesn't know them any more.
func (a *selector) view() selection.View {
	var view selection.View
	for _, m := range a.roster.GetMonitors() {
		if id := pool.MonitorID(m.Id); pool.IPVersion(m.IpVersion) == a.version {
			view.Monitors = append(view.Monitors, selection.Monitor{
				ID: id, Global: pool.GlobalStatus(m.Status), Status: a.pairs[id].Status,
			})
		}
	}
	for _, id := range sortedKeys(a.pairs) {
		if a.roster.monitor(id) == nil && !a.roster.isScorer(id) {
			view.Monitors = append(view.Monitors, selection.Monitor{
				ID: id, Global: pool.GlobalDeleted, Status: a.pairs[id].Status,
			})
		}
	}
	return view
}

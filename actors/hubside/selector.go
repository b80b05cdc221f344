package hubside

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/selection"
)

// selector runs the rounds of selection for one server: when a review is due, and at once when the roster changes.
// Between reviews it only waits. Its server owns the statuses and applies what it plans; its score weighs the monitors.
// It plans nothing while the server is at its last round: each sees what the one before has left.
// When it fails it is given the view anew.
type selector struct {
	env    *port.Environment
	config *Config
	id     pool.ServerID

	server  *pool.Server // nil: waiting for the image
	review  pool.Review
	roster  roster
	heard   time.Time // when the roster came
	judged  roster    // that of the last round, or the first
	pairs   map[pool.MonitorID]pool.PairStatus
	due     bool     // a review is
	asked   bool     // a round is, by what has changed
	weigh   question // of the score: its figures make the view
	applied bool     // the server has applied what was planned last
	cancel  func()   // of the next review
}

// reviewDue is the timer for the next round.
type reviewDue struct{}

func newSelector(env *port.Environment, config *Config, id pool.ServerID) *selector {
	return &selector{
		env: env, config: config, id: id, weigh: question{env: env}, applied: true, cancel: func() {},
	}
}

func (a *selector) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		ctx.Request(ctx.Parent(), &messages.LoadServer{ServerId: uint32(a.id), Question: a.env.Rand().Uint64()})
	case *messages.Roster:
		a.onRoster(ctx, msg)
	case *messages.Sighted:
		a.roster, a.heard = roster{msg.Roster}, a.env.Now()
	case *messages.ServerLoaded:
		a.onLoaded(ctx, msg)
	case *messages.PairsChanged:
		a.onPairsChanged(ctx, msg)
	case *messages.Weighed:
		a.onWeighed(ctx, msg)
	case reviewDue:
		a.due = true
		a.begin(ctx)
	case askAgain:
		msg.again(ctx)
	}
}

// onRoster begins a round at once if a monitor's global status, account or address has changed, or an account's limit.
// A lab's pace holds at once too.
func (a *selector) onRoster(ctx actor.Context, msg *messages.Roster) {
	a.roster, a.heard = roster{msg}, a.env.Now()
	if a.judged.Roster == nil {
		a.judged = a.roster // nobody has seen another one; the image is on its way, and begins a round
	}
	if !a.roster.selectsAs(a.judged) {
		a.asked = true
		a.begin(ctx)
	}
	if a.server != nil {
		a.remind(a.review.Next.Sub(a.env.Now()))
	}
}

// onLoaded takes the view from the server, which knows best, whatever was asked. What was planned and isn't in it
// is lost. A round follows in any case: something that can't wait may have changed while nobody looked.
func (a *selector) onLoaded(ctx actor.Context, msg *messages.ServerLoaded) {
	image := messages.ToServerImage(msg.Image)
	a.asked = a.asked || !a.applied
	a.server, a.review, a.applied = &image.Server, image.Review, true
	a.pairs = make(map[pool.MonitorID]pool.PairStatus)
	for _, p := range image.Pairs {
		if !a.roster.isScorer(p.Monitor) {
			a.pairs[p.Monitor] = statusOf(p)
		}
	}
	a.weigh.drop() // by what it is asked next the server knows that this image was seen
	a.begin(ctx)
}

// onPairsChanged notes what the server has applied, and begins the round that was asked for meanwhile.
func (a *selector) onPairsChanged(ctx actor.Context, msg *messages.PairsChanged) {
	if a.server == nil {
		return // the image will have them
	}
	for _, p := range msg.Pairs {
		status := messages.ToPairStatus(p)
		a.pairs[status.Monitor] = status
	}
	if !msg.Planned {
		return
	}
	a.applied = true
	if a.due || a.asked {
		a.begin(ctx)
	}
}

// begin asks the score for its figures; with them the round is planned. While it waits for them, for the image,
// or for the server to apply a round, what comes next begins it or is seen by it.
func (a *selector) begin(ctx actor.Context) {
	if a.server != nil && a.applied && !a.weigh.isOpen() {
		a.weigh.put(ctx, ctx.Parent(), &messages.Weigh{Question: a.weigh.draw()})
	}
}

// onWeighed plans the round. The server is told of it if it was due, or has something to be stored that was asked for
// or can't wait.
func (a *selector) onWeighed(ctx actor.Context, msg *messages.Weighed) {
	if !a.weigh.answeredBy(msg.Question) {
		return
	}
	now := a.env.Now()
	due, asked := a.due || !now.Before(a.review.Next), a.asked
	a.due, a.asked, a.judged = false, false, a.roster
	round := selection.Review(a.view(now, msg))
	if due || asked && len(round.Statuses) > 0 || a.presses(round) {
		a.propose(ctx, round, now)
	}
	a.remind(a.review.Next.Sub(now))
}

// presses tells whether a round has what can't wait for the next review: somebody comes in, or has to go since it is
// nobody who watches this server, or any.
func (a *selector) presses(round selection.Round) bool {
	return len(round.Newcomers) > 0 || len(round.Pauses) > 0 ||
		slices.ContainsFunc(round.Changes, func(c selection.Change) bool {
			return c.From == "" || !mayWork(a.roster.global(c.Monitor), false)
		})
}

// propose tells the server a round.
func (a *selector) propose(ctx actor.Context, round selection.Round, now time.Time) {
	a.review.Last, a.review.Next = now, now.Add(a.pace(round.Next.Sub(now)))
	if len(round.Changes) > 0 {
		a.review.Change = now
	}
	planned := &messages.Planned{Review: messages.FromReview(a.review)}
	for _, status := range round.Statuses {
		planned.Pairs = append(planned.Pairs, messages.FromPairStatus(status))
	}
	for _, c := range slices.Concat(round.Newcomers, round.Changes, round.Pauses) {
		planned.Moves = append(planned.Moves, &messages.Move{
			MonitorId: uint32(c.Monitor), From: string(c.From), To: string(c.To), Reason: c.Reason,
		})
	}
	a.applied = false
	ctx.Send(ctx.Parent(), planned)
}

// pace is how long until the next review. In a lab, where everything is probed more often than every few minutes,
// reviews come so much more often too.
func (a *selector) pace(wait time.Duration) time.Duration {
	settings, usual := a.roster.settings(), pool.DefaultSettings().IntervalActive
	if settings.Lab && settings.IntervalActive < usual {
		return time.Duration(float64(wait) * settings.IntervalActive.Seconds() / usual.Seconds())
	}
	return wait
}

// remind sets the timer of the next review. What is stored may be from a clock that was wrong, or of another pace.
func (a *selector) remind(wait time.Duration) {
	a.cancel()
	a.cancel = a.env.After(min(max(wait, 0), a.pace(selection.LongestPause)), reviewDue{})
}

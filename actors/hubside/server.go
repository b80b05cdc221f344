package hubside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/scoring"
)

const (
	// refusedPause is how long a server whose arrangement can't be kept waits before it starts again from the store:
	// what is wrong there won't be mended within a moment.
	refusedPause = time.Minute
	// tellEvery is how often every monitor is told its place again: a message may have been lost with a hub. With it
	// come the candidates of a new day. A probe gives up what it hasn't been told for three times as long.
	tellEvery = time.Hour
)

// server owns which monitors watch one NTP server, and when: the status of each pair and its place in the
// server's timetable. What it decides is kept first and told then. Samples go to its score, views to its selector.
// When it fails it starts again from the store, and so do its children.
type server struct {
	env    *port.Environment
	config *Config
	shard  pool.ShardID
	epoch  uint64
	id     pool.ServerID
	reborn bool // the one before may have had kept what it told nobody

	score, selector *actor.PID
	load            question
	images          handout[messages.ServerImage]

	roster    roster
	server    *pool.Server // nil: waiting for the image
	expiry    func()       // stops the timer of its deletion
	pairs     map[pool.MonitorID]pool.PairStatus
	gone      map[pool.MonitorID]string // the agents of monitors that were deleted while they had a place
	condemned map[pool.MonitorID]bool
	unprobed  bool // nobody has ever probed the server, nor been told to at once

	keep    question
	viewed  bool              // the selector has begun a round since it was given the newest image
	under   *arrangement      // what is being kept
	planned *messages.Planned // a round that waits for it
	again   bool              // look at the timetable again after it
	retreat func()            // stops the timer by which it starts again from the store
}

// timers of a server.
type (
	deletionDue struct{} // the end of its life
	tellDue     struct{}
	loadAnew    struct{}
)

func newServer(env *port.Environment, config *Config, shard pool.ShardID, epoch uint64, id pool.ServerID) *server {
	return &server{
		env: env, config: config, shard: shard, epoch: epoch, id: id,
		load: question{env: env}, keep: question{env: env},
		images: newHandout[messages.ServerImage](),
		expiry: func() {}, retreat: func() {},
		gone: make(map[pool.MonitorID]string),
	}
}

func (a *server) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.onStarted(ctx)
	case *messages.Roster:
		a.onRoster(ctx, msg)
	case *messages.LoadServer:
		a.onLoadServer(ctx, msg)
	case *messages.Changed, loadAnew, deletionDue:
		a.loadImage(ctx)
	case *messages.ServerLoaded:
		a.onLoaded(ctx, msg)
	case *messages.Sighted:
		a.takeRoster(msg.Roster)
		ctx.Send(a.selector, msg)
	case *messages.Samples:
		ctx.Forward(a.score)
	case *messages.Weigh:
		a.viewed = true
		ctx.Forward(a.score)
	case *messages.Condemned:
		a.onCondemned(ctx, msg)
	case *messages.Planned:
		a.onPlanned(ctx, msg)
	case *messages.Committed:
		a.onCommitted(ctx, msg)
	case tellDue:
		a.onTellDue(ctx)
	case askAgain:
		msg.again(ctx)
	}
}

func (a *server) onStarted(ctx actor.Context) {
	a.score = spawn(ctx, "score", a.config.Node.Props(func(env *port.Environment) actor.Actor {
		return newScore(env, a.config, a.shard, a.epoch, a.id)
	}))
	a.selector = spawn(ctx, "selector", a.config.Node.Props(func(env *port.Environment) actor.Actor {
		return newSelector(env, a.config, a.id)
	}))
	a.loadImage(ctx)
	a.env.After(time.Duration(a.env.Rand().Int64N(int64(tellEvery))), tellDue{}) // not all servers at once
}

// loadImage asks for what is stored. Until it comes nothing new is arranged, which it would lack.
func (a *server) loadImage(ctx actor.Context) {
	a.load.put(ctx, ctx.Parent(), &messages.LoadServer{ServerId: uint32(a.id), Question: a.load.draw()})
}

// onLoadServer gives a child that has started what it starts from: the roster first, which it may have missed.
func (a *server) onLoadServer(ctx actor.Context, msg *messages.LoadServer) {
	child := ctx.Sender()
	if a.roster.Roster != nil {
		ctx.Send(child, a.roster.Roster)
	}
	if image := a.images.ask(child.Id, msg.Question); image != nil {
		ctx.Send(child, &messages.ServerLoaded{ServerId: uint32(a.id), Question: msg.Question, Image: image})
		return
	}
	if a.server != nil { // else the first image is on its way
		a.loadImage(ctx)
	}
}

// takeRoster takes a new roster, and keeps in mind the agents of those that are not in it any more.
func (a *server) takeRoster(msg *messages.Roster) {
	now := roster{msg}
	for monitor, p := range a.pairs {
		if agent := a.roster.agent(monitor); p.Cadence != nil && agent != "" && now.agent(monitor) == "" {
			a.gone[monitor] = agent
		}
	}
	a.roster = now
}

func (a *server) onRoster(ctx actor.Context, msg *messages.Roster) {
	a.takeRoster(msg)
	ctx.Send(a.score, msg)
	ctx.Send(a.selector, msg)
	a.arrange(ctx)
}

// onLoaded starts from what is stored, and hands it to the children.
func (a *server) onLoaded(ctx actor.Context, msg *messages.ServerLoaded) {
	if !a.load.answeredBy(msg.Question) {
		return
	}
	if msg.Image == nil {
		ctx.Stop(ctx.Self()) // there is no such server (any more)
		return
	}
	tell := a.reborn || a.server != nil
	a.takeImage(messages.ToServerImage(msg.Image))
	for _, child := range []*actor.PID{a.score, a.selector} {
		if question, now := a.images.loaded(child.Id, msg.Image); now {
			ctx.Send(child, &messages.ServerLoaded{ServerId: msg.ServerId, Question: question, Image: msg.Image})
		}
	}
	if tell {
		a.tellAll(ctx)
	}
	a.arrange(ctx)
}

// takeImage takes the place of all that was known. What was being kept has been, or never will be.
func (a *server) takeImage(image pool.ServerImage) {
	a.keep.drop()
	a.under, a.planned, a.viewed = nil, nil, false
	a.server = &image.Server
	a.pairs = make(map[pool.MonitorID]pool.PairStatus)
	a.condemned = make(map[pool.MonitorID]bool)
	a.unprobed = image.Server.ScoreAt.IsZero()
	for _, p := range image.Pairs {
		if a.roster.isScorer(p.Monitor) {
			continue
		}
		a.pairs[p.Monitor] = statusOf(p)
		if scoring.Condemned(p.Kept.Score, p.Kept.Step) {
			a.condemned[p.Monitor] = true
		}
		a.unprobed = a.unprobed && p.Kept.ID == 0
	}
	a.expiry()
	if wait := a.server.Deletion.Sub(a.env.Now()); !a.server.Deletion.IsZero() && wait > 0 {
		a.expiry = a.env.After(wait, deletionDue{})
	}
}

// onCondemned changes the pair's interval.
func (a *server) onCondemned(ctx actor.Context, msg *messages.Condemned) {
	if a.server == nil {
		return // the image will tell
	}
	if msg.Condemned {
		a.condemned[pool.MonitorID(msg.MonitorId)] = true
	} else {
		delete(a.condemned, pool.MonitorID(msg.MonitorId))
	}
	a.arrange(ctx)
}

// onPlanned takes a round of selection over. One that was made of what an image has replaced is dropped: the selector
// has the image, and makes another one. Both together would be more than one round may change.
func (a *server) onPlanned(ctx actor.Context, msg *messages.Planned) {
	if !a.viewed {
		a.env.Sometimes("round of an earlier view dropped")
		return
	}
	a.planned = msg
	a.arrange(ctx)
}

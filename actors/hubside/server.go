package hubside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/placement"
	"truechimer/pool/schedule"
	"truechimer/pool/scoring"
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

	score, selector *actor.PID
	asking          map[string]bool // which children wait for the image
	load            question
	keep            question
	loading         bool

	roster    pool.Roster
	names     map[pool.MonitorID]string // the agent of each monitor, also of those that are gone
	server    *pool.Server              // nil: waiting for the image
	pairs     map[pool.MonitorID]pool.PairStatus
	condemned map[pool.MonitorID]bool
	unprobed  bool // nobody has ever probed the server, nor been told to at once

	under   *arrangement      // what is being kept
	planned *messages.Planned // a round that waits for it
	again   bool              // look at the timetable again after it
}

// arrangement is a change of statuses and timetable on its way to the store.
type arrangement struct {
	commit   uint64
	statuses []pool.PairStatus
	places   map[pool.MonitorID]schedule.Placed
	review   *pool.Review
}

// refusedPause is how long a server whose arrangement can't be kept waits before it starts again from the store:
// what is wrong there won't be mended within a moment.
const refusedPause = time.Minute

// timers of a server.
type (
	deletionDue struct{} // the end of its life
	loadAnew    struct{}
)

func newServer(env *port.Environment, config *Config, shard pool.ShardID, epoch uint64, id pool.ServerID) *server {
	return &server{
		load: question{env: env}, keep: question{env: env},
		env: env, config: config, shard: shard, epoch: epoch, id: id,
		names:     make(map[pool.MonitorID]string),
		condemned: make(map[pool.MonitorID]bool),
		asking:    make(map[string]bool),
	}
}

func (a *server) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.onStarted(ctx)
	case *messages.Roster:
		a.onRoster(ctx, msg)
	case *messages.LoadServer:
		a.onLoadServer(ctx)
	case *messages.Changed, loadAnew:
		a.loadImage(ctx)
	case *messages.ServerLoaded:
		a.onLoaded(ctx, msg)
	case *messages.Samples:
		ctx.Forward(a.score)
	case *messages.Scored:
		ctx.Forward(a.selector)
	case *messages.Condemned:
		a.onCondemned(ctx, msg)
	case *messages.Planned:
		a.onPlanned(ctx, msg)
	case *messages.Committed:
		a.onCommitted(ctx, msg)
	case deletionDue:
		a.arrange(ctx)
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
}

// onLoadServer loads what is stored for a child that has started anew; at the start, for both at once.
func (a *server) onLoadServer(ctx actor.Context) {
	a.asking[ctx.Sender().Id] = true
	if len(a.asking) == 2 || a.server != nil {
		a.loadImage(ctx)
	}
}

// loadImage asks for what is stored. The answer goes to the children too.
func (a *server) loadImage(ctx actor.Context) {
	if !a.loading {
		a.loading = true
		a.load.put(ctx, ctx.Parent(), &messages.LoadServer{ServerId: uint32(a.id)})
	}
}

func (a *server) onRoster(ctx actor.Context, msg *messages.Roster) {
	a.roster = messages.ToRoster(msg)
	for _, m := range a.roster.Monitors {
		a.names[m.ID] = m.Agent
	}
	ctx.Send(a.score, msg)
	ctx.Send(a.selector, msg)
	a.arrange(ctx)
}

func (a *server) onLoaded(ctx actor.Context, msg *messages.ServerLoaded) {
	if msg.Image == nil {
		ctx.Stop(ctx.Self()) // there is no such server (any more)
		return
	}
	a.loading = false
	a.load.answered()
	a.keep.answered()
	clear(a.asking)
	clear(a.condemned)
	image := messages.ToServerImage(msg.Image)
	a.server = &image.Server
	a.pairs = make(map[pool.MonitorID]pool.PairStatus)
	a.under, a.planned = nil, nil
	scorers := make(map[pool.MonitorID]bool)
	for _, s := range a.roster.Scorers {
		scorers[s.ID] = true
	}
	a.unprobed = image.Server.ScoreAt.IsZero()
	for _, p := range image.Pairs {
		if scorers[p.Monitor] {
			continue
		}
		a.pairs[p.Monitor] = statusOf(p)
		if scoring.Condemned(p.Kept.Score, p.Kept.Step) {
			a.condemned[p.Monitor] = true
		}
		a.unprobed = a.unprobed && p.Kept.ID == 0
	}
	ctx.Send(a.score, msg.Image)
	ctx.Send(a.selector, msg.Image)
	if wait := a.server.Deletion.Sub(a.env.Now()); !a.server.Deletion.IsZero() && wait > 0 {
		a.env.After(wait, deletionDue{})
	}
	a.arrange(ctx)
}

// onCondemned changes the pair's interval.
func (a *server) onCondemned(ctx actor.Context, msg *messages.Condemned) {
	if msg.Condemned {
		a.condemned[pool.MonitorID(msg.MonitorId)] = true
	} else {
		delete(a.condemned, pool.MonitorID(msg.MonitorId))
	}
	a.arrange(ctx)
}

// onPlanned takes a round of selection over.
func (a *server) onPlanned(ctx actor.Context, msg *messages.Planned) {
	a.planned = msg
	a.arrange(ctx)
	a.tellAll(ctx)
}

// onCommitted makes the arrangement that was kept the present one, and tells everybody.
func (a *server) onCommitted(ctx actor.Context, msg *messages.Committed) {
	if a.under == nil || msg.Id != a.under.commit {
		return
	}
	under := a.under
	a.under = nil
	a.keep.answered()
	switch msg.Outcome {
	case messages.Committed_FENCED:
		a.server = nil
		return
	case messages.Committed_REFUSED:
		a.env.After(refusedPause, loadAnew{})
		return
	}
	for _, status := range under.statuses {
		a.pairs[status.Monitor] = status
		place := under.places[status.Monitor]
		a.unprobed = a.unprobed && !place.AtOnce
		a.tell(ctx, status, place)
	}
	changed := &messages.PairsChanged{}
	for _, monitor := range sortedKeys(a.pairs) {
		changed.Pairs = append(changed.Pairs, messages.FromPairStatus(a.pairs[monitor]))
	}
	ctx.Send(a.score, changed)
	ctx.Send(a.selector, changed)
	if a.again || a.planned != nil {
		a.arrange(ctx)
	}
}

// tellAll tells every monitor its place once more: a message may have been lost with a hub.
func (a *server) tellAll(ctx actor.Context) {
	for _, monitor := range sortedKeys(a.pairs) {
		if a.pairs[monitor].Cadence != nil {
			a.tell(ctx, a.pairs[monitor], schedule.Placed{})
		}
	}
}

// tell tells a monitor's actor its place in the timetable, or that it has none.
func (a *server) tell(ctx actor.Context, status pool.PairStatus, place schedule.Placed) {
	agent := a.names[status.Monitor]
	if agent == "" || a.server == nil {
		return
	}
	assigned := &messages.Assigned{
		ServerId:  uint32(a.id),
		Ip:        a.server.Addr.Addr().AsSlice(),
		Port:      uint32(a.server.Addr.Port()),
		MonitorId: uint32(status.Monitor),
		Status:    string(status.Status),
		AtOnce:    place.AtOnce,
	}
	if !place.From.IsZero() {
		assigned.StartUs = place.From.UnixMicro()
	}
	if status.Cadence != nil {
		assigned.Cadence = messages.FromCadence(*status.Cadence)
	}
	ctx.Send(a.config.Directory.Shard(placement.OfAgent(agent)), &messages.ForAgent{
		Agent: agent, Message: &messages.ForAgent_Assigned{Assigned: assigned},
	})
}

// statusOf is the part of a pair that selection and timetable decide.
func statusOf(p pool.Pair) pool.PairStatus {
	return pool.PairStatus{
		Monitor: p.Monitor, Status: p.Status, Cadence: p.Cadence, Violation: p.Violation,
		ViolationSince: p.ViolationSince, LastCheck: p.LastCheck, PauseReason: p.PauseReason,
	}
}

// sameStatus tells whether two are the same as stored.
func sameStatus(a, b pool.PairStatus) bool {
	return proto.Equal(messages.FromPairStatus(a), messages.FromPairStatus(b))
}

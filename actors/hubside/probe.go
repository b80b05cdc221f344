package hubside

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/ticket"
)

const (
	// renewEvery is how often assignments are looked through for those that end soon.
	renewEvery = 10 * time.Minute
	// giveUpAfter is how long an order lives that its server doesn't say again. It does so once in tellEvery;
	// one that is away for so long can't have samples stored either.
	giveUpAfter = 3 * tellEvery
)

// probe owns the assignments of one monitor: what its agent is told to watch, over one IP version.
// Each assignment carries a ticket, by which any hub knows the samples that were asked for.
// When it fails it starts again from the store; the agent goes on meanwhile.
type probe struct {
	env     *port.Environment
	config  *Config
	agent   string
	version pool.IPVersion

	asked    uint64        // the question that waits for the image
	loaded   bool          // it has come
	monitor  *pool.Monitor // nil: there is none of this version, or it isn't loaded yet
	settings pool.Settings
	assigned map[pool.ServerID]*assignment
	early    map[pool.ServerID]*messages.Assigned // what came before the image
	session  *actor.PID                           // nil: the agent has no link
	linked   string                               // the session's ULID
	terms    *messages.Terms                      // as the agent was last told over this link
	said     bool                                 // it was told all orders over this link
	revoked  map[pool.ServerID]bool               // it has yet to be told that these are taken back
}

// assignment is one of a monitor's orders.
type assignment struct {
	pool.Assignment
	hurry     time.Time     // until then its first probe may go at once; zero: it may not
	until     time.Time     // end of its newest ticket; zero: none was given
	confirmed time.Duration // when its server last said it, by Elapsed
}

// renewDue is the timer for the renewal of assignments.
type renewDue struct{}

func newProbe(env *port.Environment, config *Config, agent string, version pool.IPVersion) *probe {
	return &probe{
		env: env, config: config, agent: agent, version: version,
		settings: pool.DefaultSettings(),
		assigned: make(map[pool.ServerID]*assignment),
		early:    make(map[pool.ServerID]*messages.Assigned),
		revoked:  make(map[pool.ServerID]bool),
	}
}

func (a *probe) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.onStarted(ctx)
	case *messages.AgentLoaded:
		a.onLoaded(ctx, msg)
	case *messages.Roster:
		a.onRoster(ctx, msg)
	case *messages.Assigned:
		a.onAssigned(ctx, msg)
	case *messages.AgentHere:
		a.onHere(ctx, msg)
	case *messages.AgentGone:
		if msg.SessionId == a.linked {
			a.session, a.linked, a.said = nil, "", false
		}
	case renewDue:
		a.onRenewDue(ctx)
	}
}

func (a *probe) onStarted(ctx actor.Context) {
	a.env.After(renewEvery, renewDue{})
	a.asked = a.env.Rand().Uint64()
	ctx.Request(ctx.Parent(), &messages.LoadAgent{Name: a.agent, Question: a.asked})
}

// onLoaded starts from what is stored; what servers said since is newer than that. When it has started, only the
// monitor itself is news: the servers say themselves what they assign.
func (a *probe) onLoaded(ctx actor.Context, msg *messages.AgentLoaded) {
	if !a.loaded && msg.Question != a.asked {
		return // asked by an earlier incarnation
	}
	image := messages.ToAgentImage(msg.Image)
	before := a.monitor
	a.monitor = nil
	for _, m := range image.Monitors {
		if m.Version == a.version {
			a.monitor = &m
		}
	}
	if a.loaded && before != nil && a.monitor != nil && a.monitor.ID == before.ID {
		a.tellTerms(ctx)
		return
	}
	if !a.loaded {
		a.loaded = true
		a.restore(image.Assignments)
	}
	a.sendAll(ctx)
}

// restore takes the stored orders, and over them what servers said meanwhile.
func (a *probe) restore(stored []pool.Assigned) {
	for _, s := range stored {
		if a.monitor != nil && s.Monitor == a.monitor.ID {
			a.assigned[s.Server] = a.order(s)
		}
	}
	for _, server := range sortedKeys(a.early) {
		a.take(a.early[server])
	}
	clear(a.early)
}

// order is the assignment that a place in a timetable makes.
func (a *probe) order(place pool.Assigned) *assignment {
	cadence := place.Cadence
	cadence.Seed = a.config.Keys.Seed(place.Monitor, place.Server)
	return &assignment{
		Assignment: pool.Assignment{
			Server: place.Server, Addr: place.Addr, Monitor: place.Monitor,
			Status: place.Status, Cadence: cadence,
		},
		confirmed: a.env.Elapsed(),
	}
}

// onRoster follows settings and the monitor's own row.
func (a *probe) onRoster(ctx actor.Context, msg *messages.Roster) {
	roster := roster{msg}
	a.settings = roster.settings()
	if a.monitor == nil {
		return
	}
	if row := roster.monitor(a.monitor.ID); row != nil { // a deleted one is told of by its agent's image
		now := messages.ToMonitor(row)
		a.monitor = &now
	}
	a.tellTerms(ctx)
}

// onAssigned takes an order over from its server.
func (a *probe) onAssigned(ctx actor.Context, msg *messages.Assigned) {
	server := pool.ServerID(msg.ServerId)
	if !a.loaded {
		a.early[server] = msg
		return
	}
	changed := a.take(msg)
	switch {
	case !changed:
	case a.assigned[server] == nil:
		a.sayRevoked(ctx)
	default:
		a.send(ctx, []*assignment{a.assigned[server]}, nil, false)
	}
}

// take notes an order, and tells whether it is a new one. One that is taken back the agent may have from an earlier
// incarnation over the same link: saying all that is left wouldn't take it back.
func (a *probe) take(msg *messages.Assigned) (changed bool) {
	server := pool.ServerID(msg.ServerId)
	if msg.Cadence == nil {
		if _, had := a.assigned[server]; !had && a.said {
			return false
		}
		delete(a.assigned, server)
		a.revoked[server] = true
		return true
	}
	delete(a.revoked, server)
	order := a.order(messages.ToAssigned(msg))
	if had := a.assigned[server]; had != nil && had.sameAs(order) {
		had.confirmed = order.confirmed
		return false
	}
	if msg.StartUs != 0 {
		order.Start = time.UnixMicro(msg.StartUs).UTC()
	}
	if msg.AtOnce {
		order.hurry = a.env.Now().Add(a.settings.Spacing)
	}
	a.assigned[server] = order
	return true
}

// onHere notes the agent's session; a new one is told everything.
func (a *probe) onHere(ctx actor.Context, msg *messages.AgentHere) {
	if msg.SessionId == a.linked {
		return
	}
	a.linked, a.terms, a.said = msg.SessionId, nil, false
	a.session = actor.NewPID(msg.SessionAddress, msg.SessionActor)
	a.sendAll(ctx)
}

// onRenewDue gives new tickets to assignments that end soon, and gives up what no server knows of any more.
func (a *probe) onRenewDue(ctx actor.Context) {
	a.env.After(renewEvery, renewDue{})
	a.giveUp(ctx)
	soon := a.env.Now().Add(ticket.RenewBefore)
	var ending []*assignment
	for _, server := range sortedKeys(a.assigned) {
		if x := a.assigned[server]; x.until.Before(soon) {
			ending = append(ending, x)
		}
	}
	for some := range slices.Chunk(ending, assignmentsAtOnce) {
		a.send(ctx, some, nil, false)
	}
}

// giveUp drops the orders that their servers haven't said again: that they took them back was lost on its way.
func (a *probe) giveUp(ctx actor.Context) {
	for _, server := range sortedKeys(a.assigned) {
		if a.env.Elapsed()-a.assigned[server].confirmed > giveUpAfter {
			a.env.Sometimes("order given up")
			delete(a.assigned, server)
			a.revoked[server] = true
		}
	}
	a.sayRevoked(ctx)
}

// sameAs tells whether an order says nothing new.
func (x *assignment) sameAs(other *assignment) bool {
	return x.Addr == other.Addr && x.Status == other.Status && x.Cadence == other.Cadence
}

// mayHurry tells whether the first probe may still go at once: the timetable keeps others away for one spacing.
func (x *assignment) mayHurry(now time.Time, spacing time.Duration) bool {
	return !x.hurry.IsZero() && (spacing == 0 || now.Before(x.hurry))
}

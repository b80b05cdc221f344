package hubside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/ticket"
)

const (
	// assignmentsAtOnce bounds one message of assignments: some 60 kB.
	assignmentsAtOnce = 500
	// renewEvery is how often assignments are looked through for those that end soon.
	renewEvery = 10 * time.Minute
)

// probe owns the assignments of one monitor: what its agent is told to watch, over one IP version.
// Each assignment carries a ticket, by which any hub knows the samples that were asked for.
// When it fails it starts again from the store; the agent goes on meanwhile.
type probe struct {
	env     *port.Environment
	config  *Config
	agent   string
	version pool.IPVersion

	monitor  *pool.Monitor // nil: there is none of this version, or it isn't loaded yet
	settings pool.Settings
	assigned map[pool.ServerID]*assignment
	early    []*messages.Assigned // what came before the image
	loaded   bool
	session  *actor.PID // nil: the agent has no link
	linked   string     // the session's ULID
}

// assignment is one of a monitor's orders.
type assignment struct {
	pool.Assignment
	hurry time.Time // until then its first probe may go at once; zero: it may not
	until time.Time // end of its newest ticket; zero: none was given
}

// renewDue is the timer for the renewal of assignments.
type renewDue struct{}

func newProbe(env *port.Environment, config *Config, agent string, version pool.IPVersion) *probe {
	return &probe{
		env: env, config: config, agent: agent, version: version,
		settings: pool.DefaultSettings(),
		assigned: make(map[pool.ServerID]*assignment),
	}
}

func (a *probe) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.env.After(renewEvery, renewDue{})
		ctx.Request(ctx.Parent(), &messages.LoadAgent{Name: a.agent})
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
			a.session, a.linked = nil, ""
		}
	case renewDue:
		a.onRenewDue(ctx)
	}
}

// onLoaded starts from what is stored; what servers said since is newer than that. When it is told again,
// since something about the agent was changed, only that is news: the servers say themselves what they assign.
func (a *probe) onLoaded(ctx actor.Context, msg *messages.AgentLoaded) {
	image := messages.ToAgentImage(msg.Image)
	a.monitor = nil
	for _, m := range image.Monitors {
		if m.Version == a.version {
			a.monitor = &m
		}
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
	for _, early := range a.early {
		a.take(early)
	}
	a.early = nil
}

// order is the assignment that a place in a timetable makes.
func (a *probe) order(place pool.Assigned) *assignment {
	cadence := place.Cadence
	cadence.Seed = a.config.Keys.Seed(place.Monitor, place.Server)
	return &assignment{Assignment: pool.Assignment{
		Server: place.Server, Addr: place.Addr, Monitor: place.Monitor,
		Status: place.Status, Cadence: cadence,
	}}
}

// onRoster follows settings and the monitor's own row.
func (a *probe) onRoster(ctx actor.Context, msg *messages.Roster) {
	roster := messages.ToRoster(msg)
	a.settings = roster.Settings
	if a.monitor == nil {
		return
	}
	for _, m := range roster.Monitors {
		if m.ID == a.monitor.ID {
			a.monitor = &m
			a.send(ctx, nil, nil, false)
			return
		}
	}
}

// onAssigned takes an order over from its server.
func (a *probe) onAssigned(ctx actor.Context, msg *messages.Assigned) {
	if !a.loaded {
		a.early = append(a.early, msg)
		return
	}
	changed := a.take(msg)
	server := pool.ServerID(msg.ServerId)
	switch {
	case !changed:
	case a.assigned[server] == nil:
		a.send(ctx, nil, []uint32{msg.ServerId}, false)
	default:
		a.send(ctx, []*assignment{a.assigned[server]}, nil, false)
	}
}

// take notes an order, and tells whether it is a new one.
func (a *probe) take(msg *messages.Assigned) (changed bool) {
	server := pool.ServerID(msg.ServerId)
	if msg.Cadence == nil {
		_, had := a.assigned[server]
		delete(a.assigned, server)
		return had
	}
	order := a.order(messages.ToAssigned(msg))
	if had := a.assigned[server]; had != nil && had.sameAs(order) {
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
	a.linked = msg.SessionId
	a.session = actor.NewPID(msg.SessionAddress, msg.SessionActor)
	a.sendAll(ctx)
}

// onRenewDue gives new tickets to assignments that end soon.
func (a *probe) onRenewDue(ctx actor.Context) {
	a.env.After(renewEvery, renewDue{})
	soon := a.env.Now().Add(ticket.RenewBefore)
	var ending []*assignment
	for _, server := range sortedKeys(a.assigned) {
		if x := a.assigned[server]; x.until.Before(soon) {
			ending = append(ending, x)
		}
	}
	for len(ending) > 0 {
		n := min(len(ending), assignmentsAtOnce)
		a.send(ctx, ending[:n], nil, false)
		ending = ending[n:]
	}
}

// sendAll tells the agent all its orders; the last message says that these were all.
func (a *probe) sendAll(ctx actor.Context) {
	if !a.loaded || a.session == nil || a.monitor == nil {
		return
	}
	var orders []*assignment
	for _, server := range sortedKeys(a.assigned) {
		orders = append(orders, a.assigned[server])
	}
	for len(orders) > assignmentsAtOnce {
		a.send(ctx, orders[:assignmentsAtOnce], nil, false)
		orders = orders[assignmentsAtOnce:]
	}
	a.send(ctx, orders, nil, true)
}

// send tells the agent orders, each with a new ticket, and the terms. Without a link it does nothing:
// the next session will be told everything.
func (a *probe) send(ctx actor.Context, orders []*assignment, dropped []uint32, whole bool) {
	if a.session == nil || a.monitor == nil {
		return
	}
	now := a.env.Now().Truncate(time.Second)
	msg := &messages.Assignments{
		IpVersion: uint32(a.version),
		MonitorId: uint32(a.monitor.ID),
		Whole:     whole,
		Dropped:   dropped,
		Terms:     messages.FromTerms(*a.monitor, a.settings),
	}
	for _, x := range orders {
		grant := a.grant(x, now)
		proof := a.config.Keys.Issue(grant)
		order := x.Assignment
		order.AtOnce = x.mayHurry(a.env.Now(), a.settings.Spacing)
		msg.Set = append(msg.Set, messages.FromAssignment(order, grant, proof[:]))
		x.until, x.hurry = grant.Until, time.Time{} // once is enough
	}
	ctx.Send(a.session, msg)
}

// grant is the life of an assignment from now on.
func (a *probe) grant(x *assignment, now time.Time) ticket.Grant {
	return ticket.Grant{
		Agent: a.agent, Monitor: x.Monitor, Server: x.Server,
		Interval: x.Cadence.Interval.Truncate(time.Millisecond), From: now, Until: now.Add(ticket.Lifetime),
	}
}

// sameAs tells whether an order says nothing new.
func (x *assignment) sameAs(other *assignment) bool {
	return x.Addr == other.Addr && x.Status == other.Status && x.Cadence == other.Cadence
}

// mayHurry tells whether the first probe may still go at once: the timetable keeps others away for one spacing.
func (x *assignment) mayHurry(now time.Time, spacing time.Duration) bool {
	return !x.hurry.IsZero() && (spacing == 0 || now.Before(x.hurry))
}

package agentside

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/schedule"
)

const (
	// tooLate is how late a probe may go. Later it would come too close to that of another monitor,
	// whose time it is then.
	tooLate = 2 * time.Second

	// longestProbe is what a probe takes at most; its sample must be taken within the assignment's life.
	longestProbe = schedule.MaxQueries * schedule.QueryTimeout
)

// probe carries out the orders of one monitor, the agent's for one IP version. It takes no samples while the clock
// isn't known to be fit, and says so.
//
// When it fails its orders are lost, and the hub gives them again over a new link.
type probe struct {
	env        *port.Environment
	config     *Config
	version    pool.IPVersion
	neighbours probeNeighbours

	agenda *agenda
	clock  clock     // when it was last looked at
	wakeAt time.Time // when the timer for the first order of the agenda goes off; zero: there is none
	stop   func()    // stops it

	monitor   pool.MonitorID // 0: it isn't known yet
	terms     messages.MonitorTerms
	link      uint64 // counts links: orders that come now are given over this one
	dismissed bool   // another agent does our work: no probes until a hub welcomes us again

	check     *messages.CheckClock // what the clock guard was asked; nil: nothing yet
	fit       bool
	unfit     string // why it isn't
	forgetFit func() // stops the timer that ends the verdict

	underway  map[uint64]flight
	lastBurst uint64 // begins anywhere: what an earlier incarnation ordered must not be taken for ours
}

// probeNeighbours are the actors that a probe talks to.
type probeNeighbours struct{ bursts, clockguard, spool *actor.PID }

// private messages of the probe.
type (
	ordersDue      struct{}
	verdictExpired struct{}
)

func newProbe(env *port.Environment, config *Config, version pool.IPVersion, neighbours probeNeighbours) *probe {
	return &probe{
		env: env, config: config, version: version, neighbours: neighbours,
		agenda:    newAgenda(),
		stop:      func() {},
		unfit:     "not checked yet",
		forgetFit: func() {},
		underway:  make(map[uint64]flight),
	}
}

func (a *probe) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.clock = clockOf(a.env)
		a.lastBurst = a.env.Rand().Uint64()
	case *messages.LinkUp:
		a.dismissed = false
		a.goOn(a.look(ctx))
	case *messages.LinkDown:
		a.link++
		a.dismissed = msg.Dismissed
	case *messages.Assignments:
		a.onAssignments(ctx, msg)
	case ordersDue:
		a.onOrdersDue(ctx)
	case *messages.Measured:
		a.onMeasured(ctx, msg)
	case *messages.Fitness:
		a.onFitness(ctx, msg)
	case verdictExpired:
		a.doubt(ctx, "no verdict on the clock")
	}
}

// onAssignments takes the hub's orders. Once they have all been said, those that weren't said over this link are gone.
func (a *probe) onAssignments(ctx actor.Context, msg *messages.Assignments) {
	now := a.look(ctx)
	a.monitor = pool.MonitorID(msg.MonitorId)
	a.takeTerms(ctx, msg.Terms)
	a.takeOrders(msg.Set, now)
	for _, server := range msg.Dropped {
		a.agenda.drop(pool.ServerID(server), a.clock.elapsed)
	}
	if msg.Whole {
		a.agenda.sweep(a.link, a.clock.elapsed)
		a.env.Log().Info().Uint32("monitor", msg.MonitorId).Int("servers", a.agenda.Len()).
			Str("status", string(a.terms.Status)).Msg("took the hub's orders")
	}
	a.tellStanding(ctx)
	a.goOn(now)
}

// takeTerms follows how the hub wants this monitor to work, and has the clock checked by new references.
func (a *probe) takeTerms(ctx actor.Context, msg *messages.Terms) {
	if msg == nil {
		return
	}
	terms, err := messages.ToTerms(msg)
	if err != nil {
		a.env.Log().Warn().Err(err).Msg("new terms of the hub were left alone")
		return
	}
	a.terms = terms
	check := &messages.CheckClock{
		IpVersion:  uint32(a.version),
		References: terms.Config.BaseChecks,
		Samples:    uint32(terms.Config.Samples),
		NatIp:      terms.Config.NatIP,
	}
	if !proto.Equal(check, a.check) {
		a.check = check
		a.checkClock(ctx)
	}
}

// takeOrders takes each order that it may. One that it may not carry out voids what was ordered before it.
func (a *probe) takeOrders(set []*messages.Assignment, now time.Time) {
	refused := 0
	var why error
	for _, m := range set {
		granted, err := messages.ToAssignment(m)
		if err == nil {
			err = a.refuse(granted)
		}
		if err != nil {
			refused++
			why = err
			a.agenda.drop(pool.ServerID(m.GetServerId()), a.clock.elapsed)
			continue
		}
		a.agenda.set(granted, a.link, now, a.terms.Spacing)
	}
	if refused > 0 {
		a.env.Log().Warn().Int("servers", refused).AnErr("reason", why).Msg("orders of the hub were refused")
	}
}

// refuse tells why a server isn't probed from here, whoever orders it; nil if it may be.
func (a *probe) refuse(granted messages.Granted) error {
	addr := granted.Assignment.Addr.Addr()
	switch {
	case pool.VersionOf(addr) != a.version:
		return fmt.Errorf("server %d: %s is not of IP %s", granted.Assignment.Server, addr, a.version)
	case !a.config.AllowPrivate && !pool.AddrIsPublic(addr):
		return fmt.Errorf("server %d: %s is not an address of the internet", granted.Assignment.Server, addr)
	}
	return nil
}

// onOrdersDue carries out what is due.
func (a *probe) onOrdersDue(ctx actor.Context) {
	a.wakeAt = time.Time{}
	now := a.look(ctx)
	before := a.agenda.Len()
	for o := a.agenda.first(); o != nil && !o.due.After(now); o = a.agenda.first() {
		a.carryOut(ctx, o, now)
	}
	if a.agenda.Len() != before {
		a.tellStanding(ctx)
	}
	a.arm(now)
}

// carryOut carries out an order that is due, if it may, and plans the next time. One that has ended is dropped.
func (a *probe) carryOut(ctx actor.Context, o *order, now time.Time) {
	if now.Add(longestProbe).After(o.Grant.Until) {
		a.env.Sometimes("assignment expired")
		a.agenda.drop(o.Assignment.Server, a.clock.elapsed)
		return
	}
	if a.mayProbe() && a.isRipe(o, now) {
		a.measure(ctx, o)
	}
	a.agenda.postpone(o, now)
}

// mayProbe tells whether this monitor takes samples at all.
func (a *probe) mayProbe() bool {
	switch a.terms.Status {
	case pool.GlobalActive, pool.GlobalTesting, pool.GlobalPending:
		return a.fit && !a.dismissed
	}
	return false
}

// isRipe tells whether a server may be probed now.
func (a *probe) isRipe(o *order, now time.Time) bool {
	switch {
	case o.burst != 0, a.clock.elapsed < o.rested:
		return false
	case now.Sub(o.due) > tooLate && !o.mayHurry(now):
		a.env.Sometimes("probe too late")
		return false
	}
	return true
}

// goOn has first probes go that waited for leave, and waits for what is due next.
func (a *probe) goOn(now time.Time) {
	if a.mayProbe() {
		a.agenda.hurry(now)
	}
	a.arm(now)
}

// arm sets the one timer for the first order.
func (a *probe) arm(now time.Time) {
	o := a.agenda.first()
	if o != nil && o.due.Equal(a.wakeAt) {
		return
	}
	a.stop()
	a.wakeAt, a.stop = time.Time{}, func() {}
	if o != nil {
		a.wakeAt = o.due
		a.stop = a.env.After(max(0, o.due.Sub(now)), ordersDue{})
	}
}

// tellStanding tells the agent how this monitor is, if there is one.
func (a *probe) tellStanding(ctx actor.Context) {
	if a.monitor == 0 {
		return
	}
	ctx.Request(ctx.Parent(), &messages.Standing{Pulse: messages.FromVitals(messages.Vitals{
		Version: a.version, Fit: a.fit, Reason: a.unfit, Assignments: a.agenda.Len(),
	})})
}

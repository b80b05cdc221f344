package agentside

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/actors/supervision"
	"truechimer/messages"
	"truechimer/pool"
)

const (
	// protocol is what this program speaks over the link, for hubs that must tell old agents from new ones.
	protocol = 1

	// pulseEvery is how often the hub is told how the agent is: often enough for a person who watches.
	pulseEvery = 30 * time.Second
)

// agent owns the link with the hub, and tells its children when it comes and goes. They go on working without it.
//
// When it fails it starts again with all its children: samples that weren't acknowledged yet are lost, and the hub
// gives its orders again, over a new link.
type agent struct {
	env      *port.Environment
	config   *Config
	line     *line
	restart  *supervision.Restart
	behavior actor.Behavior

	spool, uplink *actor.PID
	probes        map[pool.IPVersion]*actor.PID

	welcome   *messages.Welcome // of the present link; nil: there is none
	session   *actor.PID        // on the hub
	since     time.Time         // when the present link was welcomed, by the wall clock
	up        time.Duration     // and by the other
	stopPulse func()

	redial    redial
	takenOver bool // another agent with our certificate has taken the present link's place

	standing map[pool.IPVersion]messages.Vitals
	spooled  map[pool.IPVersion]int
}

// private messages of the agent.
type (
	dialDue  struct{}
	pulseDue struct{}
)

func newAgent(env *port.Environment, config *Config, line *line) *agent {
	a := &agent{
		env:       env,
		config:    config,
		line:      line,
		restart:   supervision.NewRestart(config.Node.Runtime),
		behavior:  actor.NewBehavior(),
		redial:    newRedial(),
		stopPulse: func() {},
		probes:    make(map[pool.IPVersion]*actor.PID),
		standing:  make(map[pool.IPVersion]messages.Vitals),
		spooled:   make(map[pool.IPVersion]int),
	}
	a.behavior.Become(a.joining)
	return a
}

func (a *agent) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.onStarted(ctx)
	case *actor.Stopping:
		a.onStopping(ctx)
	case *messages.Standing:
		a.onStanding(ctx, msg)
		a.behavior.Receive(ctx)
	default:
		a.behavior.Receive(ctx)
	}
}

// joining is life without a link.
func (a *agent) joining(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case dialDue:
		a.line.dial(ctx)
	case *messages.Welcome:
		a.onWelcome(ctx, msg)
	case lineEnded:
		a.onLinkEnded(ctx, msg)
	}
}

// checking is life with a link as long as the clock of neither IP version is known to be fit.
func (a *agent) checking(ctx actor.Context) {
	if _, is := ctx.Message().(*messages.Standing); is && a.isFit() {
		a.env.Log().Info().Msg("monitoring")
		a.behavior.Become(a.monitoring)
		a.pulse(ctx) // who set the agent up is waiting for it
		return
	}
	a.linked(ctx)
}

// monitoring is life with a link and a clock that may judge others.
func (a *agent) monitoring(ctx actor.Context) {
	if _, is := ctx.Message().(*messages.Standing); is && !a.isFit() {
		a.behavior.Become(a.checking)
		a.pulse(ctx)
		return
	}
	a.linked(ctx)
}

// linked is what checking and monitoring have in common.
func (a *agent) linked(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *messages.Welcome:
		a.onWelcome(ctx, msg)
	case *messages.Dismissal:
		a.onDismissal(msg)
	case lineEnded:
		a.onLinkEnded(ctx, msg)
	case pulseDue:
		a.stopPulse = a.env.After(pulseEvery, pulseDue{})
		a.pulse(ctx)
	}
}

func (a *agent) onStarted(ctx actor.Context) {
	c := a.config
	bursts := spawn(ctx, "bursts", c.Node.Props(func(env *port.Environment) actor.Actor {
		return newBursts(env, c)
	}, actor.WithSupervisor(giveUp{c.Node.Runtime})))
	clockguard := spawn(ctx, "clockguard", c.Node.Props(func(env *port.Environment) actor.Actor {
		return newClockguard(env, c, bursts)
	}))
	a.spool = spawn(ctx, "spool", c.Node.Props(func(env *port.Environment) actor.Actor {
		return newSpool(env)
	}))
	a.uplink = spawn(ctx, "uplink", c.Node.Props(func(env *port.Environment) actor.Actor {
		return newUplink(env, a.spool)
	}))
	for _, version := range versions {
		a.probes[version] = spawn(ctx, fmt.Sprintf("probe/%s", version), c.Node.Props(func(env *port.Environment) actor.Actor {
			return newProbe(env, c, version, probeNeighbours{bursts: bursts, clockguard: clockguard, spool: a.spool})
		}))
	}
	if a.line.isBusy() {
		a.line.hang() // it is an earlier incarnation's: what the hub said over it is forgotten
		return
	}
	a.line.dial(ctx)
}

// onStopping says goodbye, so that nobody waits for this agent.
func (a *agent) onStopping(ctx actor.Context) {
	if a.session != nil {
		ctx.Send(a.session, &messages.Goodbye{})
	}
	a.config.Presence.Withdraw()
	a.line.hang()
	a.behavior.Become(a.leaving)
}

// leaving is life after the goodbye: that the link ends is no news then.
func (a *agent) leaving(actor.Context) {}

// HandleFailure makes the agent the supervisor of its children: each starts again, alone, as everywhere else.
// What it has forgotten of the hub is told again.
func (a *agent) HandleFailure(system *actor.ActorSystem, parent actor.Supervisor, child *actor.PID, stats *actor.RestartStatistics, reason, message any) {
	a.restart.HandleFailure(system, parent, child, stats, reason, message)
	switch {
	case child.Equal(a.uplink) && a.welcome != nil:
		system.Root.Send(a.uplink, &messages.LinkUp{Welcome: a.welcome})
	case child.Equal(a.probes[pool.IPv4]), child.Equal(a.probes[pool.IPv6]):
		a.line.hang() // a hub gives all its orders with each new link
	}
}

// onWelcome begins a link. Within one the hub says it again to renew what has a short life.
func (a *agent) onWelcome(ctx actor.Context, welcome *messages.Welcome) {
	renewal := a.welcome != nil && a.welcome.SessionId == welcome.SessionId
	a.welcome = welcome
	if !renewal {
		a.begin(ctx)
	}
	if welcome.Live != nil {
		a.config.Presence.Announce(welcome.Live, messages.NewLiveAgent(true, a.config.Version, welcome.SessionId, a.since))
	}
}

// begin tells everybody of the new link.
func (a *agent) begin(ctx actor.Context) {
	a.env.Log().Info().Str("session", a.welcome.SessionId).Msg("joined the hub")
	a.since, a.up = a.env.Now(), a.env.Elapsed()
	a.takenOver = false
	a.session = actor.NewPID(messages.HubAddress, a.welcome.Session)
	ctx.Request(a.session, &messages.Hello{Protocol: protocol, Version: a.config.Version})
	a.tellChildren(ctx, &messages.LinkUp{Welcome: a.welcome})
	a.stopPulse()
	a.stopPulse = a.env.After(pulseEvery, pulseDue{})
	a.pulse(ctx)
	a.behavior.Become(a.checking)
	if a.isFit() {
		a.behavior.Become(a.monitoring)
	}
}

// onDismissal leaves when the hub says so.
func (a *agent) onDismissal(msg *messages.Dismissal) {
	a.env.Log().Warn().Str("reason", msg.Reason).Bool("taken_over", msg.TakenOver).Msg("dismissed by the hub")
	a.takenOver = msg.TakenOver
	a.line.hang()
}

// onLinkEnded dials again after a pause, whether there had been a link or not.
func (a *agent) onLinkEnded(ctx actor.Context, ended lineEnded) {
	if !a.line.isNews(ended) {
		return
	}
	held := time.Duration(0)
	if a.welcome != nil {
		held = a.env.Elapsed() - a.up
		a.end(ctx)
	}
	pause := a.redial.pause(held, a.takenOver, a.env.Rand())
	a.takenOver = false
	a.env.Log().Warn().AnErr("reason", ended.Err).Stringer("again_in", pause.Round(time.Millisecond)).Msg("no link with the hub")
	a.env.After(pause, dialDue{})
}

// end tells everybody that the link is gone.
func (a *agent) end(ctx actor.Context) {
	a.env.Sometimes("link ended")
	if a.takenOver {
		a.config.Presence.Withdraw() // the other agent with our certificate shows itself now
	}
	a.welcome, a.session = nil, nil
	a.tellChildren(ctx, &messages.LinkDown{Dismissed: a.takenOver})
	a.behavior.Become(a.joining)
}

// tellChildren tells those of the link who use it. Before each dial the probes have been told that the link before it
// is gone: so they know which orders are of the new one, even if these come to them before its LinkUp.
func (a *agent) tellChildren(ctx actor.Context, msg any) {
	ctx.Send(a.uplink, msg)
	for _, version := range versions {
		ctx.Send(a.probes[version], msg)
	}
}

// onStanding notes how a monitor is, by its probe, or how many of its samples wait, by the spool.
func (a *agent) onStanding(ctx actor.Context, msg *messages.Standing) {
	version := pool.IPVersion(msg.Pulse.IpVersion)
	if a.spool.Equal(ctx.Sender()) {
		a.spooled[version] = int(msg.Pulse.Spooled)
		return
	}
	a.standing[version] = messages.Vitals{
		Version: version, Fit: msg.Pulse.Fit, Reason: msg.Pulse.Reason, Assignments: int(msg.Pulse.Assignments),
	}
}

func (a *agent) isFit() bool {
	return a.standing[pool.IPv4].Fit || a.standing[pool.IPv6].Fit
}

// pulse tells the hub how the monitors are that it has given terms to.
func (a *agent) pulse(ctx actor.Context) {
	var vitals []messages.Vitals
	for _, version := range versions {
		if v, there := a.standing[version]; there {
			v.Spooled = a.spooled[version]
			vitals = append(vitals, v)
		}
	}
	ctx.Request(a.session, messages.FromPulse(vitals))
}

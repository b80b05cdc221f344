package hubside

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

// monitor stands for one agent: it has a probe for each IP version, and says when the agent was seen.
// When it fails it starts again from the store, and so do its probes; the session says again where it is.
type monitor struct {
	env    *port.Environment
	config *Config
	name   string

	probes   map[pool.IPVersion]*actor.PID
	roster   *messages.Roster
	load     question
	images   handout[messages.AgentImage]
	loaded   bool
	monitors []uint32 // their ids
}

func newMonitor(env *port.Environment, config *Config, name string) *monitor {
	return &monitor{
		env: env, config: config, name: name,
		probes: make(map[pool.IPVersion]*actor.PID),
		load:   question{env: env},
		images: newHandout[messages.AgentImage](),
	}
}

func (a *monitor) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.onStarted(ctx)
	case *messages.LoadAgent:
		a.onLoadAgent(ctx, msg)
	case *messages.Changed:
		a.loadImage(ctx)
	case *messages.AgentLoaded:
		a.onLoaded(ctx, msg)
	case *messages.Roster:
		a.roster = msg
		a.toProbes(ctx, msg)
	case *messages.ForAgent:
		a.onForAgent(ctx, msg)
	case askAgain:
		msg.again(ctx)
	}
}

func (a *monitor) onStarted(ctx actor.Context) {
	for _, version := range versions {
		a.probes[version] = spawn(ctx, fmt.Sprintf("probe/%s", version), a.config.Node.Props(func(env *port.Environment) actor.Actor {
			return newProbe(env, a.config, a.name, version)
		}))
	}
	a.loadImage(ctx)
}

// loadImage asks for what is stored.
func (a *monitor) loadImage(ctx actor.Context) {
	a.load.put(ctx, ctx.Parent(), &messages.LoadAgent{Name: a.name, Question: a.load.draw()})
}

// onLoadAgent gives a probe that has started what it starts from: the roster first, which it may have missed.
func (a *monitor) onLoadAgent(ctx actor.Context, msg *messages.LoadAgent) {
	probe := ctx.Sender()
	if a.roster != nil {
		ctx.Send(probe, a.roster)
	}
	if image := a.images.ask(probe.Id, msg.Question); image != nil {
		ctx.Send(probe, &messages.AgentLoaded{Name: a.name, Question: msg.Question, Image: image})
		return
	}
	if a.loaded { // else the first image is on its way
		a.loadImage(ctx)
	}
}

func (a *monitor) onLoaded(ctx actor.Context, msg *messages.AgentLoaded) {
	if !a.load.answeredBy(msg.Question) {
		return
	}
	if msg.Image == nil {
		ctx.Stop(ctx.Self()) // there is no such agent (any more)
		return
	}
	a.loaded = true
	a.monitors = nil
	for _, m := range msg.Image.Monitors {
		a.monitors = append(a.monitors, m.Id)
	}
	for _, version := range versions {
		probe := a.probes[version]
		if question, now := a.images.loaded(probe.Id, msg.Image); now {
			ctx.Send(probe, &messages.AgentLoaded{Name: a.name, Question: question, Image: msg.Image})
		}
	}
}

// versions are the two of IP.
var versions = [...]pool.IPVersion{pool.IPv4, pool.IPv6}

func (a *monitor) toProbes(ctx actor.Context, msg any) {
	for _, version := range versions {
		ctx.Send(a.probes[version], msg)
	}
}

func (a *monitor) onForAgent(ctx actor.Context, msg *messages.ForAgent) {
	switch m := msg.Message.(type) {
	case *messages.ForAgent_Assigned:
		if addr, ok := netip.AddrFromSlice(m.Assigned.Ip); ok {
			ctx.Send(a.probes[pool.VersionOf(addr)], m.Assigned)
		}
	case *messages.ForAgent_Here:
		a.toProbes(ctx, m.Here)
		a.seen(ctx, m.Here)
	case *messages.ForAgent_Gone:
		a.toProbes(ctx, m.Gone)
	}
}

// seen has it recorded that the agent was here.
func (a *monitor) seen(ctx actor.Context, here *messages.AgentHere) {
	now := a.env.Now().UnixMicro()
	seen := &messages.Seen{}
	for _, id := range a.monitors {
		m := &messages.MonitorSeen{MonitorId: id, SeenUs: now, Version: here.Version}
		if slices.Contains(here.Submitted, id) {
			m.SubmittedUs = now
		}
		seen.Monitors = append(seen.Monitors, m)
	}
	if len(seen.Monitors) > 0 {
		ctx.Send(local(ctx, archivistName), seen)
	}
}

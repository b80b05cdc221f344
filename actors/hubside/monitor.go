package hubside

import (
	"fmt"
	"net/netip"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

// monitor stands for one agent: it knows where its link is, and has a probe for each IP version.
// When it fails it starts again from the store, and asks nobody: the session says again where it is.
type monitor struct {
	env    *port.Environment
	config *Config
	name   string

	probes   map[pool.IPVersion]*actor.PID
	versions map[pool.MonitorID]pool.IPVersion
	asking   map[string]bool // which probes wait for the image
	load     question
	loading  bool
	loaded   bool
}

func newMonitor(env *port.Environment, config *Config, name string) *monitor {
	return &monitor{
		env: env, config: config, name: name,
		versions: make(map[pool.MonitorID]pool.IPVersion),
		asking:   make(map[string]bool),
		load:     question{env: env},
	}
}

func (a *monitor) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.onStarted(ctx)
	case *messages.LoadAgent:
		a.onLoadAgent(ctx)
	case *messages.Changed:
		a.loadImage(ctx)
	case *messages.AgentLoaded:
		a.onLoaded(ctx, msg)
	case *messages.Roster:
		a.toProbes(ctx, msg)
	case *messages.ForAgent:
		a.onForAgent(ctx, msg)
	case askAgain:
		msg.again(ctx)
	}
}

func (a *monitor) onStarted(ctx actor.Context) {
	a.probes = make(map[pool.IPVersion]*actor.PID)
	for _, version := range []pool.IPVersion{pool.IPv4, pool.IPv6} {
		a.probes[version] = spawn(ctx, fmt.Sprintf("probe/%s", version), a.config.Node.Props(func(env *port.Environment) actor.Actor {
			return newProbe(env, a.config, a.name, version)
		}))
	}
}

// onLoadAgent loads what is stored for a probe that has started anew; at the start, for both at once.
func (a *monitor) onLoadAgent(ctx actor.Context) {
	a.asking[ctx.Sender().Id] = true
	if len(a.asking) == len(a.probes) || a.loaded {
		a.loadImage(ctx)
	}
}

// loadImage asks for what is stored. The answer goes to the probes.
func (a *monitor) loadImage(ctx actor.Context) {
	if !a.loading {
		a.loading = true
		a.load.put(ctx, ctx.Parent(), &messages.LoadAgent{Name: a.name})
	}
}

func (a *monitor) onLoaded(ctx actor.Context, msg *messages.AgentLoaded) {
	if msg.Image == nil {
		ctx.Stop(ctx.Self()) // there is no such agent (any more)
		return
	}
	a.loading, a.loaded = false, true
	a.load.answered()
	clear(a.asking)
	for _, m := range msg.Image.Monitors {
		a.versions[pool.MonitorID(m.Id)] = pool.IPVersion(m.IpVersion)
	}
	a.toProbes(ctx, msg)
}

func (a *monitor) toProbes(ctx actor.Context, msg any) {
	ctx.Send(a.probes[pool.IPv4], msg)
	ctx.Send(a.probes[pool.IPv6], msg)
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
	submitted := make(map[uint32]bool)
	for _, id := range here.Submitted {
		submitted[id] = true
	}
	seen := &messages.Seen{}
	for _, id := range sortedKeys(a.versions) {
		m := &messages.MonitorSeen{MonitorId: uint32(id), SeenUs: now, Version: here.Version}
		if submitted[uint32(id)] {
			m.SubmittedUs = now
		}
		seen.Monitors = append(seen.Monitors, m)
	}
	if len(seen.Monitors) > 0 {
		ctx.Send(local(ctx, archivistName), seen)
	}
}

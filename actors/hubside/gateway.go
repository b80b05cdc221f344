package hubside

import (
	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
)

// gateway has a session for each live link. A newer link of an agent takes over from an older one.
// When it fails, all links are closed: the agents come back.
type gateway struct {
	env    *port.Environment
	config *Config

	links   map[uint64]link   // by the link's number
	current map[string]uint64 // the newest link of each agent
}

type link struct {
	agent   string
	session *actor.PID
}

func newGateway(env *port.Environment, config *Config) *gateway {
	return &gateway{env: env, config: config, links: make(map[uint64]link), current: make(map[string]uint64)}
}

func (a *gateway) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case port.LinkOpened:
		a.onLinkOpened(ctx, msg)
	case port.LinkClosed:
		a.onLinkClosed(ctx, msg)
	case *actor.Restarting, *actor.Stopping:
		a.hangAll()
	}
}

func (a *gateway) onLinkOpened(ctx actor.Context, opened port.LinkOpened) {
	a.config.Count(port.CountLinks, "opened", 1)
	if older, there := a.current[opened.Agent]; there {
		a.takeOver(ctx, older)
	}
	session := spawn(ctx, sessionName(opened.Agent, opened.Link), a.config.Node.Props(func(env *port.Environment) actor.Actor {
		return newSession(env, a.config, opened)
	}))
	a.links[opened.Link] = link{agent: opened.Agent, session: session}
	a.current[opened.Agent] = opened.Link
	a.env.Log().Info().Str("agent", opened.Agent).Str("session", opened.Session).
		Stringer("remote", opened.Remote).Msg("agent joined")
}

// takeOver dismisses an older link of an agent whose newer one has come.
func (a *gateway) takeOver(ctx actor.Context, older uint64) {
	a.env.Sometimes("link taken over")
	a.config.Count(port.CountLinks, "taken over", 1)
	a.config.Links.Hang(older, &messages.Dismissal{
		Reason:    "another program with the same certificate has connected",
		TakenOver: true,
	})
	ctx.Stop(a.links[older].session)
}

func (a *gateway) onLinkClosed(ctx actor.Context, closed port.LinkClosed) {
	l, there := a.links[closed.Link]
	if !there {
		return
	}
	a.config.Count(port.CountLinks, "closed", 1)
	ctx.Stop(l.session)
	delete(a.links, closed.Link)
	if a.current[l.agent] == closed.Link {
		delete(a.current, l.agent)
		a.env.Log().Info().Str("agent", l.agent).Msg("agent left")
	}
}

// hangAll closes all links: a gateway that starts again knows none of them.
func (a *gateway) hangAll() {
	for _, number := range sortedKeys(a.links) {
		a.config.Links.Hang(number, nil)
	}
}

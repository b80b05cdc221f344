package hubside

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/placement"
)

const (
	// hereEvery is how often the agent's actor is told where the session is: it may have moved to another hub.
	hereEvery = 15 * time.Second
	// hereSoon is how often until the agent has its orders: it may have been added a moment ago,
	// and its actor be on the way.
	hereSoon = time.Second
	// accessAhead is how long before its end an agent's access to the broker is renewed.
	accessAhead = 5 * time.Minute
)

// session is the hub's end of one link: all that the agent says goes through it. It believes nothing but
// the agent's name, which the certificate proves. When it fails it ends the link, since what it was about to pass on is
// lost: over the next one everything is said again.
type session struct {
	env    *port.Environment
	config *Config
	opened port.LinkOpened

	agent     *actor.PID
	version   string
	ordered   bool                      // the agent's actor knows of this session
	fit       map[pool.IPVersion]bool   // whose clocks are fit, as the agent last said
	batches   map[pool.IPVersion]*batch // at most one a version
	serial    uint64                    // of the newest batch; begins anywhere
	submitted map[uint32]bool           // monitors of which samples came since the agent's actor was last told
}

// private messages of the session.
type (
	sayHere     struct{}
	renewAccess struct{}
	answerBatch struct{ batch *batch }
)

func newSession(env *port.Environment, config *Config, opened port.LinkOpened) *session {
	return &session{
		env:       env,
		config:    config,
		opened:    opened,
		agent:     actor.NewPID(messages.AgentAddress(opened.Agent), "agent"),
		batches:   make(map[pool.IPVersion]*batch),
		submitted: make(map[uint32]bool),
		fit:       make(map[pool.IPVersion]bool),
	}
}

func (a *session) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.onStarted(ctx)
	case renewAccess:
		a.welcome(ctx)
	case sayHere:
		a.here(ctx)
		a.remind()
	case *messages.Hello:
		a.onHello(ctx, msg)
	case *messages.Pulse:
		a.onPulse(ctx, msg)
	case *messages.Batch:
		a.onBatch(ctx, msg)
	case *messages.Goodbye:
		a.config.Links.Hang(a.opened.Link, nil)
	case *messages.Verdicts:
		a.onVerdicts(ctx, msg)
	case answerBatch:
		a.onAnswerBatch(ctx, msg.batch)
	case *messages.Assignments:
		a.ordered = true
		ctx.Send(actor.NewPID(a.agent.Address, fmt.Sprintf("agent/probe/%s", pool.IPVersion(msg.IpVersion))), msg)
	case *actor.Restarting:
		a.config.Links.Hang(a.opened.Link, nil)
	case *actor.Stopping:
		a.tellAgent(ctx, &messages.ForAgent{Message: &messages.ForAgent_Gone{
			Gone: &messages.AgentGone{SessionId: a.opened.Session},
		}})
	}
}

func (a *session) onStarted(ctx actor.Context) {
	a.serial = a.env.Rand().Uint64()
	a.welcome(ctx)
	a.here(ctx)
	a.remind()
}

// remind sets the timer by which the agent's actor is told again where the session is.
func (a *session) remind() {
	if a.ordered {
		a.env.After(hereEvery, sayHere{})
		return
	}
	a.env.After(hereSoon, sayHere{})
}

// welcome opens the link, and says again later what has a short life.
func (a *session) welcome(ctx actor.Context) {
	now := a.env.Now()
	welcome := &messages.Welcome{
		SessionId: a.opened.Session,
		Agent:     a.opened.Agent,
		Session:   ctx.Self().Id,
		Live:      a.config.Access(a.opened.Agent, now),
	}
	if welcome.Live != nil {
		a.env.After(max(time.Minute, time.Unix(welcome.Live.UntilS, 0).Sub(now)-accessAhead), renewAccess{})
	}
	ctx.Send(a.agent, welcome)
}

func (a *session) onHello(ctx actor.Context, hello *messages.Hello) {
	a.version = hello.Version
	a.env.Log().Info().Str("agent", a.opened.Agent).Str("version", hello.Version).Msg("agent said hello")
	a.here(ctx)
}

// onPulse notes whether the clocks of the agent's monitors are fit to judge: one that isn't sends no samples,
// and whoever misses them shall find out why.
func (a *session) onPulse(ctx actor.Context, pulse *messages.Pulse) {
	for _, m := range pulse.Monitors {
		version := pool.IPVersion(m.IpVersion)
		kind := "fit"
		if !m.Fit {
			kind = "unfit"
		}
		a.config.Count(port.CountPulses, kind, 1)
		if was, known := a.fit[version]; !known || was != m.Fit {
			a.fit[version] = m.Fit
			a.env.Log().Info().Str("agent", a.opened.Agent).Stringer("ip_version", version).
				Bool("fit", m.Fit).Str("reason", m.Reason).Msg("agent says how its clock is")
		}
	}
	a.here(ctx)
}

// here tells the agent's actor where its agent is.
func (a *session) here(ctx actor.Context) {
	self := ctx.Self()
	here := &messages.AgentHere{
		SessionId:      a.opened.Session,
		SessionAddress: self.Address,
		SessionActor:   self.Id,
		Version:        a.version,
		Submitted:      sortedKeys(a.submitted),
	}
	clear(a.submitted)
	a.tellAgent(ctx, &messages.ForAgent{Message: &messages.ForAgent_Here{Here: here}})
}

func (a *session) tellAgent(ctx actor.Context, msg *messages.ForAgent) {
	msg.Agent = a.opened.Agent
	ctx.Send(a.config.Directory.Shard(placement.OfAgent(msg.Agent)), msg)
}

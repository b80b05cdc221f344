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
	// answerWithin bounds how long a batch waits for the verdicts on all its samples. Then it is answered with
	// those that are there, so that one shard that is stuck holds up nobody; a commit takes a few ms.
	answerWithin = 5 * time.Second
	// accessAhead is how long before its end an agent's access to the broker is renewed.
	accessAhead = 5 * time.Minute
)

// session is the hub's end of one link: all that the agent says goes through it. It believes nothing but
// the agent's name, which the certificate proves. When it fails its state is lost with it, and the agent says it again.
type session struct {
	env    *port.Environment
	config *Config
	opened port.LinkOpened

	agent     *actor.PID
	version   string
	ordered   bool                      // the agent's actor knows of this session
	fit       map[pool.IPVersion]bool   // whose clocks are fit, as the agent last said
	batches   map[pool.IPVersion]*batch // at most one a version
	submitted map[uint32]bool           // monitors of which samples came since the agent's actor was last told
}

// batch is evidence that waits for its verdicts.
type batch struct {
	id       uint64
	uplink   *actor.PID
	verdicts []*messages.Verdict
	left     int    // how many are undecided
	relax    func() // stops the timer by which it is answered in any case
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
	case *actor.Stopping:
		a.tellAgent(ctx, &messages.ForAgent{Message: &messages.ForAgent_Gone{
			Gone: &messages.AgentGone{SessionId: a.opened.Session},
		}})
	}
}

func (a *session) onStarted(ctx actor.Context) {
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

// onBatch checks each sample and passes what holds on to the shard of its server. A batch that comes again
// takes the place of the one before it: what that one's samples became is told of these.
func (a *session) onBatch(ctx actor.Context, msg *messages.Batch) {
	version := pool.IPVersion(msg.IpVersion)
	if version != pool.IPv4 && version != pool.IPv6 || len(msg.Evidence) > messages.MaxBatch || ctx.Sender() == nil {
		a.config.Count(port.CountRefused, "malformed batch", 1)
		return
	}
	if earlier := a.batches[version]; earlier != nil {
		earlier.relax()
	}
	b := &batch{id: msg.Id, uplink: ctx.Sender(), left: len(msg.Evidence), verdicts: make([]*messages.Verdict, len(msg.Evidence))}
	a.batches[version] = b
	for _, samples := range a.sort(b, msg) {
		ctx.Request(a.config.Directory.Shard(placement.OfServer(pool.ServerID(samples.ServerId))), samples)
	}
	if b.left == 0 {
		a.answer(ctx, version, b)
		return
	}
	b.relax = a.env.After(answerWithin, answerBatch{b})
}

// sort gives each sample that can't count its verdict, and sorts the others by server, in the order of the batch.
func (a *session) sort(b *batch, msg *messages.Batch) []*messages.Samples {
	type pair struct{ monitor, server uint32 }
	var order []*messages.Samples
	of := make(map[pair]*messages.Samples)
	for i, e := range msg.Evidence {
		index := uint32(i)
		if reason := a.check(e); reason != "" {
			a.config.Count(port.CountRefused, reason, 1)
			b.decide(messages.NewVerdict(index, messages.Verdict_REFUSED, reason))
			continue
		}
		key := pair{e.MonitorId, e.ServerId}
		if of[key] == nil {
			of[key] = &messages.Samples{
				ServerId: e.ServerId, MonitorId: e.MonitorId, BatchId: msg.Id, IpVersion: msg.IpVersion,
			}
			order = append(order, of[key])
		}
		of[key].Samples = append(of[key].Samples, &messages.IndexedSample{Index: index, Sample: e.Sample})
		a.submitted[e.MonitorId] = true
	}
	return order
}

// check tells why a sample can't count, in one of a few phrases; empty if it can.
func (a *session) check(e *messages.Evidence) string {
	claim, err := messages.ToEvidence(e)
	if err != nil {
		return "malformed sample"
	}
	claim.Grant.Agent = a.opened.Agent
	if err := a.config.Keys.Check(claim.Grant, claim.Ticket, claim.Sample.At, a.env.Now()); err != nil {
		return err.Error()
	}
	return ""
}

// onVerdicts notes what a server says of its part of a batch.
func (a *session) onVerdicts(ctx actor.Context, msg *messages.Verdicts) {
	version := pool.IPVersion(msg.IpVersion)
	b := a.batches[version]
	if b == nil || b.id != msg.BatchId {
		return // answered already, or sent again since
	}
	for _, v := range msg.Verdicts {
		b.decide(v)
	}
	if b.left == 0 {
		a.answer(ctx, version, b)
	}
}

// decide notes the verdict on one sample; the first one holds.
func (b *batch) decide(v *messages.Verdict) {
	if int(v.Index) < len(b.verdicts) && b.verdicts[v.Index] == nil {
		b.verdicts[v.Index] = v
		b.left--
	}
}

// onAnswerBatch answers a batch that has waited long enough.
func (a *session) onAnswerBatch(ctx actor.Context, b *batch) {
	for version, open := range a.batches {
		if open == b {
			a.env.Sometimes("batch answered in part")
			a.answer(ctx, version, b)
			return
		}
	}
}

// answer sends the verdicts to the agent's uplink. A sample without one is undecided.
func (a *session) answer(ctx actor.Context, version pool.IPVersion, b *batch) {
	delete(a.batches, version)
	if b.relax != nil {
		b.relax()
	}
	for i, v := range b.verdicts {
		if v == nil {
			b.verdicts[i] = messages.NewVerdict(uint32(i), messages.Verdict_UNDECIDED, "no answer in time")
		}
	}
	a.countVerdicts(b)
	ctx.Send(b.uplink, &messages.Verdicts{BatchId: b.id, IpVersion: uint32(version), Verdicts: b.verdicts})
}

func (a *session) countVerdicts(b *batch) {
	stored, undecided := 0, 0
	for _, v := range b.verdicts {
		switch v.Outcome {
		case messages.Verdict_STORED:
			stored++
		case messages.Verdict_UNDECIDED:
			undecided++
		}
	}
	a.config.Count(port.CountStored, "", stored)
	a.config.Count(port.CountLater, "", undecided)
}

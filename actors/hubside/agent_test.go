package hubside_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

// links are the hub's ends of the agents' links. It implements port.Links.
type links struct {
	rig    *rig
	last   uint64
	agents map[string]*agent // the newest link of each
	hung   []hung
}

// hung is a link that the hub has ended.
type hung struct {
	link      uint64
	dismissal *messages.Dismissal
}

// agent is one link of an agent, and what the hub has said over it.
type agent struct {
	rig     *rig
	name    string
	link    uint64
	since   time.Time
	session *actor.PID

	welcomes []*messages.Welcome
	told     []*messages.Assignments
	orders   map[pool.ServerID]messages.Granted // that hold now
	verdicts []*messages.Verdicts
	batches  uint64
}

// connect opens a link of an agent, which takes over from an older one.
func (r *rig) connect(name string) *agent {
	l := &r.links
	l.last++
	a := &agent{rig: r, name: name, link: l.last, since: r.Now(), orders: make(map[pool.ServerID]messages.Granted)}
	a.session = hubside.Session(r.hub.System, name, a.link)
	l.agents[name] = a
	remote := netip.MustParseAddr("203.0.113.1") // of who isn't known
	if image, known, _ := r.db.LoadAgent(context.Background(), name); known && image.Monitors[0].Addr.IsValid() {
		remote = image.Monitors[0].Addr
	}
	r.hub.System.Root.Send(hubside.Gateway(r.hub.System), port.LinkOpened{
		Link: a.link, Agent: name, Session: fmt.Sprintf("S%025d", a.link), Remote: remote,
	})
	return a
}

// joined is an agent that has connected and has its orders.
func (r *rig) joined(name string) *agent {
	r.Helper()
	a := r.connect(name)
	r.run(2 * time.Second) // its actor may have been made a moment ago
	return a
}

// close ends a link from the agent's side.
func (a *agent) close() {
	a.rig.hub.System.Root.Send(hubside.Gateway(a.rig.hub.System), port.LinkClosed{Link: a.link})
}

// Hang implements port.Links.
func (l *links) Hang(link uint64, dismissal *messages.Dismissal) {
	l.hung = append(l.hung, hung{link, dismissal})
	l.rig.hub.System.Root.Send(hubside.Gateway(l.rig.hub.System), port.LinkClosed{Link: link})
}

// resolve finds the agent that an address leads to.
func (l *links) resolve(pid *actor.PID) (actor.Process, bool) {
	name, is := strings.CutPrefix(pid.Address, messages.AgentAddress(""))
	return process{l, name}, is
}

// process stands for all actors of an agent.
type process struct {
	links *links
	agent string
}

// SendUserMessage implements actor.Process: all must be fit for the link.
func (p process) SendUserMessage(pid *actor.PID, message any) {
	a := p.links.agents[p.agent]
	_, inner, _ := actor.UnwrapEnvelope(message)
	m, is := inner.(proto.Message)
	if _, answersTheDead := inner.(*actor.DeadLetterResponse); a == nil || answersTheDead {
		return
	}
	if !is {
		p.links.rig.Violate("actors talk protobuf to agents", "%T", inner)
	}
	envelope, err := messages.WrapDown(pid.Id, "", m)
	if err == nil {
		_, err = messages.UnwrapDown(envelope)
	}
	if err != nil {
		p.links.rig.Violate("agents are told what they take", "%v", err)
	}
	a.hear(pid.Id, m)
}

// SendSystemMessage implements actor.Process.
func (process) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (process) Stop(*actor.PID) {}

func (a *agent) hear(to string, message proto.Message) {
	switch m := message.(type) {
	case *messages.Welcome:
		a.welcomes = append(a.welcomes, m)
	case *messages.Verdicts:
		a.verdicts = append(a.verdicts, m)
	case *messages.Assignments:
		if want := fmt.Sprintf("agent/probe/%s", pool.IPVersion(m.IpVersion)); to != want {
			a.rig.Violate("orders go to the probe of their version", "to %s", to)
		}
		a.told = append(a.told, m)
		a.obey(m)
	}
}

// obey takes orders as an agent does.
func (a *agent) obey(m *messages.Assignments) {
	if _, err := messages.ToTerms(m.Terms); err != nil {
		a.rig.Violate("terms can be read", "%v", err)
	}
	for _, order := range m.Set {
		granted, err := messages.ToAssignment(order)
		if err != nil {
			a.rig.Violate("orders can be read", "%v", err)
		}
		granted.Grant.Agent = a.name
		a.orders[granted.Assignment.Server] = granted
	}
	for _, server := range m.Dropped {
		delete(a.orders, pool.ServerID(server))
	}
}

// say says something to the session.
func (a *agent) say(message proto.Message) {
	from := actor.NewPID(messages.AgentAddress(a.name), "agent/uplink")
	a.rig.hub.System.Root.RequestWithCustomSender(a.session, message, from)
}

// order is the agent's order to watch a server.
func (a *agent) order(server int) messages.Granted {
	a.rig.Helper()
	granted, has := a.orders[pool.ServerID(server)]
	if !has {
		a.rig.Fatalf("%s has no order for server %d", a.name, server)
	}
	return granted
}

// sample is a good one, taken so long ago.
func (a *agent) sample(ago time.Duration) pool.Sample {
	offset, rtt := time.Millisecond, 20*time.Millisecond
	return pool.Sample{At: a.rig.Now().Add(-ago).Truncate(time.Microsecond), Offset: &offset, RTT: &rtt, Stratum: 2}
}

// evidence is a sample of a server with the order that it was taken for.
func (a *agent) evidence(server int, s pool.Sample) *messages.Evidence {
	a.rig.Helper()
	order := a.order(server)
	return messages.FromEvidence(order.Grant, order.Ticket, s)
}

// submit sends a batch, and returns its id.
func (a *agent) submit(evidence ...*messages.Evidence) uint64 {
	a.batches++
	a.say(&messages.Batch{Id: a.batches, IpVersion: 4, Evidence: evidence})
	return a.batches
}

// watch submits a good sample of a server, taken now.
func (a *agent) watch(server int) uint64 {
	a.rig.Helper()
	return a.submit(a.evidence(server, a.sample(0)))
}

// answers are the verdicts on a batch, one answer after the other, as in "stored, refused: malformed sample".
func (a *agent) answers(batch uint64) (answers []string) {
	for _, v := range a.verdicts {
		if v.BatchId == batch {
			answers = append(answers, inWords(v))
		}
	}
	return answers
}

func inWords(v *messages.Verdicts) string {
	var words []string
	for _, one := range v.Verdicts {
		word := strings.ToLower(one.Outcome.String())
		if one.Reason != "" {
			word += ": " + one.Reason
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// wantAnswers compares the answers to a batch.
func (a *agent) wantAnswers(batch uint64, want ...string) {
	a.rig.Helper()
	if have := a.answers(batch); !slices.Equal(want, have) {
		a.rig.Errorf("answers to batch %d of %s: want %q, have %q", batch, a.name, want, have)
	}
}

// whole is the last message that said that with it all orders were said.
func (a *agent) whole() *messages.Assignments {
	for _, m := range slices.Backward(a.told) {
		if m.Whole {
			return m
		}
	}
	return nil
}

// servers are those that the agent watches.
func (a *agent) servers() (ids []int) {
	for id := range a.orders {
		ids = append(ids, int(id))
	}
	slices.Sort(ids)
	return ids
}

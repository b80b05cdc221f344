package simulation

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/simulation/world"
)

// linkService is what agents dial.
const linkService = "agents"

// hubLinks is the hub's end of all links, with the rules of package hub/links. It implements port.Links.
type hubLinks struct {
	node    *world.Node
	addrOf  func(agent string) netip.Addr
	last    uint64
	byAgent map[string]*hubLink // the newest of each
	open    map[uint64]*hubLink
}

type hubLink struct {
	number uint64
	agent  string
	conn   *world.Conn
}

var _ port.Links = (*hubLinks)(nil)

// newHubLinks lets agents in.
func newHubLinks(node *world.Node, addrOf func(agent string) netip.Addr) *hubLinks {
	l := &hubLinks{node: node, addrOf: addrOf, byAgent: make(map[string]*hubLink), open: make(map[uint64]*hubLink)}
	node.System.ProcessRegistry.RegisterAddressResolver(func(pid *actor.PID) (actor.Process, bool) {
		agent, is := strings.CutPrefix(pid.Address, messages.AgentAddress(""))
		return &farActor{send: func(to, from string, m proto.Message) { l.send(agent, to, from, m) }}, is
	})
	node.Listen(linkService, l.accept)
	return l
}

// accept takes a new link; who is at the other end its node's name tells, as a certificate would.
func (l *hubLinks) accept(conn *world.Conn) {
	l.last++
	link := &hubLink{number: l.last, agent: strings.TrimPrefix(conn.PeerName(), messages.AgentAddress("")), conn: conn}
	l.byAgent[link.agent], l.open[link.number] = link, link
	conn.Handle(func(payload any) { l.receive(link, payload.(*messages.FromAgent)) }, func(error) { l.leave(link) })
	l.node.System.Root.Send(hubside.Gateway(l.node.System), port.LinkOpened{
		Link: link.number, Agent: link.agent, Session: fmt.Sprintf("S%025d", link.number),
		Remote: l.addrOf(link.agent),
	})
}

func (l *hubLinks) leave(link *hubLink) {
	delete(l.open, link.number)
	if l.byAgent[link.agent] == link {
		delete(l.byAgent, link.agent)
	}
	l.node.System.Root.Send(hubside.Gateway(l.node.System), port.LinkClosed{Link: link.number})
}

// receive hands a message to the link's session, and to nobody else.
func (l *hubLinks) receive(link *hubLink, envelope *messages.FromAgent) {
	message, err := messages.UnwrapUp(envelope)
	session := hubside.Session(l.node.System, link.agent, link.number)
	if err != nil || envelope.To != session.Id {
		l.node.World().Violate("what an agent sends is accepted", "to %s: %v", envelope.To, err)
	}
	var sender *actor.PID
	if envelope.From != "" {
		sender = actor.NewPID(messages.AgentAddress(link.agent), envelope.From)
	}
	l.node.System.Root.RequestWithCustomSender(session, message, sender)
}

func (l *hubLinks) send(agent, to, from string, m proto.Message) {
	link := l.byAgent[agent]
	if link == nil {
		return
	}
	envelope, err := messages.WrapDown(to, from, m)
	if err != nil {
		l.node.World().Violate("what the hub sends to agents can be said", "%v", err)
	}
	link.conn.Send(envelope)
}

// Hang ends a link after what was sent.
func (l *hubLinks) Hang(number uint64, dismissal *messages.Dismissal) {
	link := l.open[number]
	if link == nil {
		return
	}
	if dismissal != nil {
		envelope, err := messages.WrapDown("agent", "", dismissal)
		if err != nil {
			l.node.World().Violate("a dismissal can be said", "%v", err)
		}
		link.conn.Send(envelope)
	}
	link.conn.Close()
	l.leave(link)
}

// agentLink is the agent's end. It implements port.Link.
type agentLink struct {
	node   *world.Node
	name   string
	conn   *world.Conn // nil: there is none
	answer func(port.LinkEnded)
}

var _ port.Link = (*agentLink)(nil)

func newAgentLink(node *world.Node, name string) *agentLink {
	l := &agentLink{node: node, name: name}
	node.System.ProcessRegistry.RegisterAddressResolver(func(*actor.PID) (actor.Process, bool) {
		return &farActor{send: l.send}, true
	})
	return l
}

// Dial opens the link.
func (l *agentLink) Dial(answer func(port.LinkEnded)) {
	l.node.Dial(hubNode, linkService, func(conn *world.Conn, err error) {
		if err != nil {
			answer(port.LinkEnded{Err: err})
			return
		}
		l.conn, l.answer = conn, answer
		conn.Handle(func(payload any) { l.receive(payload.(*messages.FromHub)) }, l.ended)
	})
}

// Close ends the link after what was sent.
func (l *agentLink) Close() {
	if l.conn != nil {
		l.conn.Close()
		l.ended(nil)
	}
}

func (l *agentLink) ended(reason error) {
	if errors.Is(reason, world.ErrClosed) {
		reason = nil
	}
	answer := l.answer
	l.conn, l.answer = nil, nil
	answer(port.LinkEnded{Err: reason})
}

func (l *agentLink) receive(envelope *messages.FromHub) {
	message, err := messages.UnwrapDown(envelope)
	if err != nil {
		l.node.World().Violate("what the hub sends is accepted", "to %s: %v", envelope.To, err)
	}
	var sender *actor.PID
	if envelope.From != "" {
		sender = actor.NewPID(messages.HubAddress, envelope.From)
	}
	l.node.System.Root.RequestWithCustomSender(l.node.System.NewLocalPID(envelope.To), message, sender)
}

func (l *agentLink) send(to, from string, m proto.Message) {
	if l.conn == nil {
		return
	}
	envelope, err := messages.WrapUp(to, from, m)
	if err != nil {
		l.node.World().Violate("what an agent sends can be said", "%v", err)
	}
	l.conn.Send(envelope)
}

// farActor stands for all actors at the other end of a link.
type farActor struct {
	send func(to, from string, m proto.Message)
}

// SendUserMessage sends over the link.
func (f *farActor) SendUserMessage(pid *actor.PID, message any) {
	_, inner, sender := actor.UnwrapEnvelope(message)
	if m, is := inner.(proto.Message); is {
		from := ""
		if sender != nil {
			from = sender.Id
		}
		f.send(pid.Id, from, m)
	}
}

// SendSystemMessage does nothing, as over a real link.
func (*farActor) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing, as over a real link.
func (*farActor) Stop(*actor.PID) {}

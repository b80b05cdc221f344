package world

import (
	"maps"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
)

// remoteService is the service by which nodes exchange messages of actors.
const remoteService = "remote"

// StartRemote lets the node's actors exchange messages with those of other nodes that do so, by their PIDs, as
// protoactor's remote does between the hubs of a cluster. It claims all addresses but the node's own that no resolver
// registered before has claimed. A node without it knows no other nodes, unless it has resolvers of its own.
func (n *Node) StartRemote() {
	n.peers = make(map[string]*peer)
	n.System.ProcessRegistry.RegisterAddressResolver(n.resolve)
	n.Listen(remoteService, func(conn *Conn) {
		conn.Handle(func(payload any) { n.accept(payload.(letter)) }, nil)
	})
}

// peer is the actor.Process behind all PIDs of another node.
// It dials when there is something to send, and again after a connection was lost; messages then in flight are lost.
type peer struct {
	node    *Node
	name    string
	conn    *Conn         // nil when there is none
	dialing bool          // the connection is on its way
	waiting []letter      // for the connection
	watches []remoteWatch // of our actors, oldest first
}

// letter is one message from an actor of one node to one of another.
type letter struct {
	to     string // path of the receiver
	system bool
	// envelope has a copy of the message, and a copy of the sender: a PID caches the process it was resolved to.
	envelope actor.MessageEnvelope
}

// remoteWatch is an actor of ours that watches one of another node.
type remoteWatch struct{ watcher, watched string }

// resolve is the actor system's way to processes of other nodes.
func (n *Node) resolve(pid *actor.PID) (actor.Process, bool) {
	p := n.peers[pid.Address]
	if p == nil {
		p = &peer{node: n, name: pid.Address}
		n.peers[pid.Address] = p
	}
	return p, true
}

// SendUserMessage implements actor.Process.
func (p *peer) SendUserMessage(pid *actor.PID, message any) {
	p.send(pid, *actor.WrapEnvelope(message), false)
}

// SendSystemMessage implements actor.Process.
func (p *peer) SendSystemMessage(pid *actor.PID, message any) {
	switch m := message.(type) {
	case *actor.Watch:
		p.unwatch(m.Watcher.Id, pid.Id) // no watch counts twice
		p.watches = append(p.watches, remoteWatch{m.Watcher.Id, pid.Id})
	case *actor.Unwatch:
		p.unwatch(m.Watcher.Id, pid.Id)
	}
	p.send(pid, actor.MessageEnvelope{Message: message}, true)
}

// Stop implements actor.Process.
func (p *peer) Stop(pid *actor.PID) { p.SendSystemMessage(pid, &actor.Stop{}) }

func (p *peer) unwatch(watcher, watched string) {
	gone := remoteWatch{watcher, watched}
	p.watches = slices.DeleteFunc(p.watches, func(w remoteWatch) bool { return w == gone })
}

func (p *peer) send(to *actor.PID, envelope actor.MessageEnvelope, system bool) {
	message, ok := envelope.Message.(proto.Message)
	if !ok {
		p.node.world.Violate("only protobufs travel between nodes", "%T to %s/%s", envelope.Message, to.Address, to.Id)
	}
	envelope.Message = proto.Clone(message)
	envelope.Header = maps.Clone(envelope.Header)
	if s := envelope.Sender; s != nil {
		envelope.Sender = &actor.PID{Address: s.Address, Id: s.Id, RequestId: s.RequestId}
	}
	l := letter{to: to.Id, system: system, envelope: envelope}
	if p.conn != nil {
		p.conn.Send(l)
		return
	}
	p.waiting = append(p.waiting, l)
	if !p.dialing {
		p.dialing = true
		p.node.Dial(p.name, remoteService, p.onDialled)
	}
}

// onDialled sends what has waited, or tells who waits that nothing could be sent.
func (p *peer) onDialled(conn *Conn, err error) {
	waiting := p.waiting
	p.dialing, p.waiting = false, nil
	if err != nil {
		p.node.Log.Debug().Err(err).Str("peer", p.name).Int("letters", len(waiting)).Msg("peer not reached")
		p.undeliverable(waiting)
		p.onLost(err)
		return
	}
	p.conn = conn
	conn.Handle(func(any) {}, p.onLost) // the way back has a connection of its own
	for _, l := range waiting {
		conn.Send(l)
	}
}

// undeliverable makes dead letters of what couldn't be sent.
func (p *peer) undeliverable(letters []letter) {
	for _, l := range letters {
		p.node.System.EventStream.Publish(&actor.DeadLetterEvent{
			PID: actor.NewPID(p.name, l.to), Message: l.envelope.Message, Sender: l.envelope.Sender,
		})
	}
}

// onLost tells our actors that those whom they watch can't be watched any more.
func (p *peer) onLost(error) {
	watches := p.watches
	p.conn, p.watches = nil, nil
	for _, w := range watches {
		sendSystemMessage(p.node.System, actor.NewPID(p.node.name, w.watcher), &actor.Terminated{
			Who: actor.NewPID(p.name, w.watched), Why: actor.TerminatedReason_AddressTerminated,
		})
	}
}

// accept hands a message of another node's actor to ours.
func (n *Node) accept(l letter) {
	to := actor.NewPID(n.name, l.to)
	if !l.system {
		n.System.Root.Send(to, &l.envelope)
		return
	}
	if terminated, ok := l.envelope.Message.(*actor.Terminated); ok {
		if p := n.peers[terminated.Who.GetAddress()]; p != nil {
			p.unwatch(l.to, terminated.Who.GetId())
		}
	}
	sendSystemMessage(n.System, to, l.envelope.Message)
}

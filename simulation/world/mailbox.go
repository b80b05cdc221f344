package world

import "github.com/asynkron/protoactor-go/actor"

// mailbox is an actor.Mailbox that delivers one message for each step of the world in which it is picked.
// System messages go before those of users, as in protoactor's own. Batches are not taken apart: only protoactor's
// remote sends any, and it is not part of a simulation.
type mailbox struct {
	node      *Node
	path      string
	id        uint64 // of the path on the node, for the trace
	priority  uint64 // for the policy PCT
	orphan    bool   // the actor has neither parent nor guardian
	invoker   actor.MessageInvoker
	system    fifo[any]
	user      fifo[any]
	queued    bool // in the world's ready queue, or parked, or delivering
	suspended bool // until the supervisor has decided
}

func newMailbox(n *Node, path string, orphan bool) *mailbox {
	return &mailbox{
		node: n, path: path, id: nameHash(n.name + "/" + path), priority: n.world.scheduling.Uint64(), orphan: orphan,
	}
}

// RegisterHandlers implements actor.Mailbox.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker = invoker
}

// Start implements actor.Mailbox.
func (m *mailbox) Start() {}

// UserMessageCount implements actor.Mailbox.
func (m *mailbox) UserMessageCount() int { return m.user.len() }

// PostUserMessage implements actor.Mailbox.
func (m *mailbox) PostUserMessage(message any) { m.post(&m.user, message) }

// PostSystemMessage implements actor.Mailbox.
func (m *mailbox) PostSystemMessage(message any) { m.post(&m.system, message) }

func (m *mailbox) post(queue *fifo[any], message any) {
	m.node.world.checkGoroutine(m.path)
	if m.node.crashed {
		return
	}
	queue.push(message)
	m.wake()
}

// wake queues the mailbox for delivery, if it has something to deliver and isn't queued yet.
func (m *mailbox) wake() {
	if m.queued || m.node.crashed || m.system.len() == 0 && (m.suspended || m.user.len() == 0) {
		return
	}
	m.queued = true
	if m.node.paused {
		m.node.parked = append(m.node.parked, m)
		return
	}
	m.node.world.ready.add(m)
}

// deliver hands the next message to the actor. A panic goes to its supervisor, as in protoactor's own mailbox.
func (m *mailbox) deliver() {
	if m.system.len() > 0 {
		message := m.system.pop()
		defer m.settle(message)
		m.record(message)
		m.invokeSystem(message)
		return
	}
	message := m.user.pop()
	defer m.settle(message)
	m.record(message)
	m.invoker.InvokeUserMessage(message)
}

func (m *mailbox) record(message any) {
	m.node.world.record(Event{Kind: Delivered, Node: m.node.name, Actor: m.path, Message: message}, m.id)
}

func (m *mailbox) invokeSystem(message any) {
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspended = true
	case *actor.ResumeMailbox:
		m.suspended = false
	default:
		m.invoker.InvokeSystemMessage(message)
	}
}

// settle ends a delivery. The panic of a violation is nobody's to recover from but the world's.
func (m *mailbox) settle(message any) {
	if m.node.world.violation == nil {
		if reason := recover(); reason != nil {
			m.node.world.panicked(m, message, reason)
			if m.orphan {
				m.node.world.refuseDefaultStrategy(m.node.name, m.path, reason)
			}
			m.invoker.EscalateFailure(reason, message)
		}
	}
	m.queued = false
	m.wake()
}

package agentside_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// wire implements port.Link by a connection between the nodes. It is also the process of all actors on the hub.
type wire struct {
	rig   *rig
	dials []time.Duration // when the agent dialled, since the world began
	busy  bool
	conn  *world.Conn
	ended func(port.LinkEnded)
}

func (l *wire) Dial(answer func(port.LinkEnded)) {
	if l.busy {
		l.rig.Errorf("the hub was dialled while there is a link, or one on its way")
	}
	l.busy = true
	l.dials = append(l.dials, l.rig.Since())
	l.rig.agent.Dial("hub", "link", func(conn *world.Conn, err error) {
		if err != nil {
			l.busy = false
			answer(port.LinkEnded{Err: err})
			return
		}
		l.conn, l.ended = conn, answer
		conn.Handle(l.deliver, l.end)
	})
}

func (l *wire) deliver(payload any) {
	envelope := payload.(*messages.FromHub)
	m, err := messages.UnwrapDown(envelope)
	if err != nil {
		l.rig.Errorf("the hub sent what it may not: %v", err)
		return
	}
	l.rig.agent.System.Root.Send(l.rig.agent.System.NewLocalPID(envelope.To), m)
}

func (l *wire) end(reason error) {
	l.conn, l.busy = nil, false
	l.ended(port.LinkEnded{Err: reason})
}

func (l *wire) Close() {
	if l.conn != nil {
		l.conn.Close()
		l.rig.agent.Later(0, func() { l.end(nil) })
		l.conn = nil
	}
}

// SendUserMessage implements actor.Process.
func (l *wire) SendUserMessage(pid *actor.PID, message any) {
	_, inner, sender := actor.UnwrapEnvelope(message)
	from := ""
	if sender != nil {
		from = sender.Id
	}
	envelope, err := messages.WrapUp(pid.Id, from, inner.(proto.Message))
	if err != nil {
		l.rig.Errorf("the agent sent what it may not: %v", err)
		return
	}
	if l.conn != nil {
		l.conn.Send(envelope)
	}
}

// SendSystemMessage implements actor.Process.
func (l *wire) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (l *wire) Stop(*actor.PID) {}

// session is the hub's end of a link.
type session struct {
	rig      *rig
	id       string
	actor    string // the id of its actor
	conn     *world.Conn
	over     bool
	hellos   []*messages.Hello
	pulses   []*messages.Pulse
	batches  []*messages.Batch
	goodbyes int
	open     map[uint32]uint64 // batches that aren't answered, by IP version
}

// accept opens a session for a link, which takes over from an older one: it says welcome, and gives all orders.
func (r *rig) accept(conn *world.Conn) {
	n := len(r.sessions) + 1
	s := &session{
		rig: r, id: fmt.Sprintf("SESSION%d", n), actor: fmt.Sprintf("hub/session/%d", n),
		conn: conn, open: make(map[uint32]uint64),
	}
	conn.Handle(s.receive, func(error) { s.over = true })
	if r.closed {
		conn.Close()
		return
	}
	if n > 1 && !r.now().over {
		r.now().hang(&messages.Dismissal{Reason: "another program with the same certificate has connected", TakenOver: true})
	}
	r.sessions = append(r.sessions, s)
	s.welcome()
	r.onLink(s)
}

// now is the newest session.
func (r *rig) now() *session { return r.sessions[len(r.sessions)-1] }

func (s *session) welcome() {
	s.tell("agent", &messages.Welcome{SessionId: s.id, Agent: agentName, Session: s.actor, Live: s.rig.live})
}

func (s *session) tell(to string, m proto.Message) {
	envelope, err := messages.WrapDown(to, "", m)
	if err != nil {
		panic(err)
	}
	s.conn.Send(envelope)
}

// assign gives orders with the rig's terms.
func (s *session) assign(version pool.IPVersion, whole bool, orders ...*messages.Assignment) {
	s.tell(fmt.Sprintf("agent/probe/%s", version), &messages.Assignments{
		IpVersion: uint32(version), MonitorId: monitorOf(version), Whole: whole, Set: orders, Terms: s.rig.terms[version],
	})
}

// hang ends the link from the hub's side.
func (s *session) hang(dismissal *messages.Dismissal) {
	if dismissal != nil {
		s.tell("agent", dismissal)
	}
	s.conn.Close()
	s.over = true
}

func (s *session) receive(payload any) {
	envelope := payload.(*messages.FromAgent)
	m, err := messages.UnwrapUp(envelope)
	switch {
	case err != nil:
		s.rig.Errorf("the agent sent what no hub takes: %v", err)
		return
	case envelope.To != s.actor:
		s.rig.Errorf("the agent wrote to %s over the link of %s", envelope.To, s.actor)
		return
	}
	switch m := m.(type) {
	case *messages.Hello:
		s.hellos = append(s.hellos, m)
	case *messages.Pulse:
		s.pulses = append(s.pulses, m)
	case *messages.Goodbye:
		s.goodbyes++
	case *messages.Batch:
		s.onBatch(envelope.From, m)
	}
}

func (s *session) onBatch(from string, m *messages.Batch) {
	if other, open := s.open[m.IpVersion]; open && other != m.Id && !s.rig.faulty {
		s.rig.Errorf("batch %d came while %d was in flight", m.Id, other)
	}
	first := keyOf(m.Evidence[0])
	if other, known := s.rig.contents[m.Id]; known && other != first {
		s.rig.Errorf("two batches have the number %d", m.Id)
	}
	s.rig.contents[m.Id] = first
	s.batches = append(s.batches, m)
	s.open[m.IpVersion] = m.Id
	if s.rig.mute {
		return
	}
	delete(s.open, m.IpVersion)
	answer := &messages.Verdicts{BatchId: m.Id, IpVersion: m.IpVersion}
	for i, e := range m.Evidence {
		s.rig.check(e)
		outcome, reason := s.rig.decide(e)
		if outcome == messages.Verdict_STORED {
			s.rig.stored[keyOf(e)]++
		}
		answer.Verdicts = append(answer.Verdicts, messages.NewVerdict(uint32(i), outcome, reason))
	}
	s.tell(from, answer)
}

func keyOf(e *messages.Evidence) sampleKey {
	return sampleKey{e.MonitorId, e.ServerId, e.Sample.AtUs}
}

// check is what a real hub checks: the ticket proves the evidence.
func (r *rig) check(e *messages.Evidence) {
	claim, err := messages.ToEvidence(e)
	if err != nil {
		r.Errorf("malformed evidence: %v", err)
		return
	}
	claim.Grant.Agent = agentName
	if err := r.keys.Check(claim.Grant, claim.Ticket, claim.Sample.At, r.Now()); err != nil {
		r.Errorf("evidence on server %d doesn't count: %v", e.ServerId, err)
	}
}

// storedOf is how many samples of a server were stored, each counted once.
func (r *rig) storedOf(server uint32) (n int) {
	for key := range r.stored {
		if key.server == server {
			n++
		}
	}
	return n
}

package links

import (
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/encoding/protowire"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/messages"
)

// The PID that comes with a message leads back to who sent it, on both sides.
func TestMessagesGoThereAndBack(t *testing.T) {
	h := open(t, plan{onHeard: func(ctx actor.Context, m heard) {
		ctx.Request(ctx.Sender(), &messages.Verdicts{BatchId: m.message.(*messages.Batch).Id, IpVersion: 4})
	}})
	a := h.join("fra1")
	for id := range uint64(3) {
		a.say(a.session, "agent/uplink", &messages.Batch{Id: id, IpVersion: 4})
		answer := a.next()
		verdicts := answer.GetVerdicts()
		if verdicts == nil || verdicts.BatchId != id || answer.To != "agent/uplink" || answer.From != a.session {
			t.Fatalf("batch %d from agent/uplink to %s was answered by %v", id, a.session, answer)
		}
	}
}

// What the gateway hears of a link is true.
func TestTheGatewayHearsOfEachLink(t *testing.T) {
	h := open(t, plan{})
	a := h.join("fra1")
	opened := wantGateway[port.LinkOpened](h)
	if opened.Agent != "fra1" || opened.Remote != netip.MustParseAddr("127.0.0.1") || len(opened.Session) != 26 {
		t.Errorf("heard of %+v", opened)
	}
	if want := hubside.Session(h.system, "fra1", opened.Link).Id; a.session != want {
		t.Errorf("the session is %s, want %s", a.session, want)
	}
	a.vanish()
	if closed := wantGateway[port.LinkClosed](h); closed.Link != opened.Link {
		t.Errorf("link %d is closed, want %d", closed.Link, opened.Link)
	}
}

// An agent hears nothing before the welcome of its own session, whoever else has something to say to it:
// so it knows over which link it was said.
func TestTheWelcomeIsTheFirstWord(t *testing.T) {
	h := open(t, plan{limits: func(l *limits) { l.queue, l.queueBytes = 1<<30, 1<<30 }})
	stop := make(chan struct{})
	var talking sync.WaitGroup
	defer talking.Wait()
	defer close(stop)
	talking.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				h.say("fra1", &messages.Assignments{IpVersion: 4, MonitorId: 1})
				h.say("fra1", &messages.Welcome{SessionId: "an earlier one", Agent: "fra1", Session: "hub"})
			}
		}
	})
	for range 20 {
		a := h.dial("fra1")
		go a.read()
		welcome := wantWord[*messages.FromHub_Welcome](a).Welcome
		if opened := wantGateway[port.LinkOpened](h); welcome.SessionId != opened.Session {
			t.Errorf("welcomed to session %q, want %q", welcome.SessionId, opened.Session)
		}
		a.vanish()
		wantGateway[port.LinkClosed](h)
	}
}

// An agent that guesses the id of its session isn't heard before that has said welcome.
func TestNothingIsHeardBeforeTheWelcome(t *testing.T) {
	h := open(t, plan{onOpened: func(h *house, opened port.LinkOpened) {
		props := actor.PropsFromFunc(func(ctx actor.Context) {
			if m, is := ctx.Message().(*messages.Hello); is {
				h.heard <- heard{message: m}
			}
		})
		if _, err := h.system.Root.SpawnNamed(props, hubside.Session(h.system, opened.Agent, opened.Link).Id); err != nil {
			panic(err)
		}
	}})
	a := h.dial("fra1")
	go a.read()
	opened := wantGateway[port.LinkOpened](h)
	session := hubside.Session(h.system, "fra1", opened.Link).Id
	a.say(session, agentRoot, &messages.Hello{Version: "too early"})
	h.wantCount(countRefused, 1)

	h.say("fra1", welcomeOf(session, opened))
	wantWord[*messages.FromHub_Welcome](a)
	a.say(session, agentRoot, &messages.Hello{Version: "in time"})
	if m := await(t, h.heard).message.(*messages.Hello); m.Version != "in time" {
		t.Errorf("heard %v", m)
	}
}

// An agent may be newer than the hub: what the hub doesn't know of, it counts and leaves alone.
func TestUnknownMessagesAreLeftAlone(t *testing.T) {
	h := open(t, plan{})
	a := h.join("fra1")
	unknown := encode(t, &messages.FromAgent{To: a.session})
	unknown = protowire.AppendTag(unknown, 99, protowire.BytesType)
	unknown = protowire.AppendBytes(unknown, []byte("from the future"))
	frame := protowire.AppendTag(nil, 1, protowire.BytesType)
	a.frame(protowire.AppendBytes(frame, unknown))
	a.hello()
	wantHeard[*messages.Hello](h)
	h.wantCount(countUnknown, 1)
	h.wantCount(countRefused, 0)
}

// An agent may write to its own session and to nobody else: neither to actors of the hub, nor to those of other agents.
func TestAnAgentWritesToItsSessionAlone(t *testing.T) {
	h := open(t, plan{})
	a, other := h.join("fra1"), h.join("nyc1")
	for _, to := range []string{
		other.session, hubside.Gateway(h.system).Id, "hub", "hub/archivist", "eventstream", "agent", strings.TrimSuffix(a.session, "1"),
	} {
		a.say(to, agentRoot, &messages.Hello{Version: "to " + to})
	}
	a.hello()
	if m := wantHeard[*messages.Hello](h).message.(*messages.Hello); m.Version != "test" {
		t.Errorf("heard %v", m)
	}
	h.wantCount(countRefused, 7)
}

// A message that is none is refused, and its link goes on: one that is malformed doesn't spoil the others.
func TestAMalformedMessageIsRefusedAlone(t *testing.T) {
	h := open(t, plan{})
	a := h.join("fra1")
	hello := &messages.FromAgent_Hello{Hello: &messages.Hello{Version: "test"}}
	a.frame(encode(t, &messages.Up{Messages: []*messages.FromAgent{
		{},
		{To: a.session},
		{To: a.session, From: "no id", Message: hello},
		{To: a.session, Message: &messages.FromAgent_Hello{Hello: &messages.Hello{Version: "\x1b[2J"}}},
		{To: a.session, Message: &messages.FromAgent_Batch{Batch: &messages.Batch{IpVersion: 5}}},
		{To: a.session, Message: hello},
	}}))
	wantHeard[*messages.Hello](h)
	h.wantCount(countRefused, 5)
}

// What no agent takes is counted, and the link goes on without it.
func TestWhatNoAgentTakesIsNotSent(t *testing.T) {
	h := open(t, plan{})
	a := h.join("fra1")
	large := &messages.Assignments{IpVersion: 4, MonitorId: 1, Terms: &messages.Terms{BaseChecks: []string{strings.Repeat("x", messages.MaxFrame)}}}
	for _, m := range []any{
		large,
		&messages.Hello{},
		&messages.Dismissal{Reason: "\xff"},
		mark{},
	} {
		h.system.Root.Send(agentActor("fra1", agentRoot), m)
	}
	h.say("fra1", &messages.Assignments{IpVersion: 6, MonitorId: 1})
	if m := wantWord[*messages.FromHub_Assignments](a).Assignments; m.IpVersion != 6 {
		t.Errorf("the hub says %v", m)
	}
	h.wantCount(countUnsent, 4)
}

// A session may end while its agent still talks. protoactor answers for it, which is nothing for an agent,
// and nothing for the log, or any agent could fill it.
func TestWhatComesForASessionThatIsGoneIsDropped(t *testing.T) {
	h := open(t, plan{})
	a := h.join("fra1")
	if err := h.system.Root.StopFuture(h.system.NewLocalPID(a.session)).Wait(); err != nil {
		t.Fatal(err)
	}
	a.hello()
	a.say("hub", agentRoot, &messages.Hello{}) // refused, so that the one before it was taken
	h.wantCount(countRefused, 1)
	h.wantCount(countUnsent, 0)
}

// All messages arrive, once and in order, however many there are and however large.
func TestMessagesKeepTheirOrder(t *testing.T) {
	h := open(t, plan{})
	a := h.join("fra1")
	const n = 900
	sizes := []int{0, 0, 0, 50, 2000, 0, 1999}
	for id := range uint64(n) {
		if size := sizes[id%7]; size > 0 {
			h.say("fra1", &messages.Assignments{IpVersion: 4, MonitorId: uint32(id), Dropped: make([]uint32, size)})
			continue
		}
		h.say("fra1", &messages.Verdicts{IpVersion: 4, BatchId: id, Verdicts: manyVerdicts()})
	}
	for id := range uint64(n) {
		var have uint64
		switch m := a.next().GetMessage().(type) {
		case *messages.FromHub_Verdicts:
			have = m.Verdicts.BatchId
		case *messages.FromHub_Assignments:
			have = uint64(m.Assignments.MonitorId)
		default:
			t.Fatalf("message %d is missing; the link ended with %v", id, a.ended)
		}
		if have != id {
			t.Fatalf("message %d came in the place of %d", have, id)
		}
	}
}

// manyVerdicts are as many as a batch may have, as small as can be.
func manyVerdicts() []*messages.Verdict {
	verdicts := make([]*messages.Verdict, messages.MaxBatch)
	for i := range verdicts {
		verdicts[i] = &messages.Verdict{}
	}
	return verdicts
}

// Life and death of actors aren't shared over a link: nobody stops an agent's actors from the hub.
func TestSystemMessagesStayAtHome(t *testing.T) {
	h := open(t, plan{})
	a := h.join("fra1")
	pid := agentActor("fra1", agentRoot)
	h.system.Root.Stop(pid)
	h.system.Root.Poison(pid)
	h.say("fra1", &messages.Assignments{IpVersion: 4, MonitorId: 1})
	wantWord[*messages.FromHub_Assignments](a)
}

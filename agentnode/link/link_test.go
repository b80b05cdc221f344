package link

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"truechimer/actors/port"
	"truechimer/messages"
)

// The PID that comes with a message leads back to who sent it, on both sides, and the welcome comes first.
func TestMessagesGoThereAndBack(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	a.dial()
	c := h.welcome()
	welcome := wantHeard[*messages.Welcome](a)
	if welcome.actor != "agent" || !welcome.sender.Equal(hubActor(session)) {
		t.Fatalf("heard %+v", welcome)
	}
	a.say(welcome.sender, uplink, &messages.Batch{Id: 7, IpVersion: 4})
	batch := await(t, c.inbox)
	if batch.GetBatch().GetId() != 7 || batch.To != session || batch.From != uplink {
		t.Fatalf("the hub heard %v", batch)
	}
	c.say(batch.From, "hub/shard/3", &messages.Verdicts{BatchId: 7, IpVersion: 4})
	if m := wantHeard[*messages.Verdicts](a); m.actor != uplink || !m.sender.Equal(hubActor("hub/shard/3")) {
		t.Errorf("heard %+v", m)
	}
	a.say(hubActor(session), "", &messages.Goodbye{})
	if m := await(t, c.inbox); m.GetGoodbye() == nil || m.From != "" {
		t.Errorf("the hub heard %v", m)
	}
}

// Whoever dialled is told of the end once, and why.
func TestDialAnswersOnce(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	for _, row := range []struct {
		name string
		end  func(*agent, *call)
		want string // in the error; empty: it ended in order
	}{
		{"the hub hangs up", func(_ *agent, c *call) { c.hang(nil) }, ""},
		{"the hub says why", func(_ *agent, c *call) { c.hang(status.Error(codes.Unavailable, "going down")) }, "going down"},
		{"the hub says what is no frame", func(_ *agent, c *call) { c.frame([]byte("HTTP/1.1 200 OK")) }, "decode a frame"},
		{"the hub says too much", func(_ *agent, c *call) { c.frame(make([]byte, messages.MaxFrame+1)) }, "larger than max"},
		{"the agent closes", func(a *agent, _ *call) { a.Close(); a.Close() }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := family.open(t, h.addr)
			row.end(a, a.join(h))
			wantEnd(t, a, row.want)
			a.Close()
			a.Wait(t.Context())
			if len(a.ended) > 0 {
				t.Errorf("it answered again: %v", <-a.ended)
			}
		})
	}
}

// wantEnd waits for the answer of Dial; the error has want in it, and there is none if that is empty.
func wantEnd(t *testing.T, a *agent, want string) {
	t.Helper()
	err := await(t, a.ended).Err
	if err == nil != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("the link ended with %v, want %q", err, want)
	}
}

// The answer is a message to an actor that is still busy with dialling: it must not wait for that.
func TestDialReturnsBeforeItAnswers(t *testing.T) {
	family := newFamily(t)
	a := family.open(t, "no address")
	returned, answered := make(chan struct{}), make(chan struct{})
	a.Dial(func(port.LinkEnded) {
		<-returned
		close(answered)
	})
	close(returned)
	await(t, answered)
}

// A hub that isn't there, or isn't one, is an answer too.
func TestDialAnswersWithoutAHub(t *testing.T) {
	family := newFamily(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := listener.Addr().String()
	listener.Close()
	for _, row := range []struct {
		name, hub, want string
	}{
		{"nobody listens", gone, "connection refused"},
		{"no address", "nowhere", "missing port"},
		{"a host that doesn't exist", "hub.invalid:7443", "hub.invalid"},
		{"somebody who says nothing", mute(t), "doesn't say welcome"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := family.open(t, row.hub)
			a.limits.welcome = 300 * time.Millisecond
			if row.want != "doesn't say welcome" {
				a.limits.welcome = patience
			}
			a.dial()
			wantEnd(t, a, row.want)
		})
	}
}

// mute is an address where connections are accepted, and that is all.
func mute(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

// A hub that takes the link and says nothing is left, for another one may do better.
func TestASilentHubIsLeft(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	a.limits.welcome = 300 * time.Millisecond
	a.dial()
	h.link()
	wantEnd(t, a, "doesn't say welcome")
}

// One that has said welcome may be silent as long as it likes.
func TestAHubMayBeSilentAfterItsWelcome(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	a.limits.welcome = 300 * time.Millisecond
	c := a.join(h)
	select {
	case ended := <-a.ended:
		t.Errorf("the link ended with %v", ended.Err)
	case <-time.After(600 * time.Millisecond):
	}
	c.say("agent", "", &messages.Dismissal{})
	wantHeard[*messages.Dismissal](a)
}

// Close ends a dial that is under way, wherever it has got to.
func TestCloseEndsADialUnderWay(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	for name, addr := range map[string]string{"no handshake": mute(t), "no welcome": h.addr} {
		t.Run(name, func(t *testing.T) {
			a := family.open(t, addr)
			a.dial()
			if addr == h.addr {
				h.link()
			}
			a.Close()
			wantEnd(t, a, "")
		})
	}
}

// What was sent before Close arrives; nothing is said or heard after it.
func TestCloseComesAfterWhatWasSent(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	a.dial()
	c := await(t, h.calls)
	c.welcome()
	wantHeard[*messages.Welcome](a)
	const n = 100 // with 1000 samples each more than gRPC takes at once: some wait in the queue
	for id := range uint64(n) {
		a.say(hubActor(session), uplink, largeBatch(id))
	}
	a.Close()
	a.say(hubActor(session), uplink, &messages.Goodbye{})
	c.say("agent", session, &messages.Dismissal{Reason: "too late"})
	go c.read()
	for id := range uint64(n) {
		if batch := wantWord[*messages.FromAgent_Batch](c).Batch; batch.Id != id {
			t.Fatalf("batch %d came in the place of %d", batch.Id, id)
		}
	}
	if last, more := <-c.inbox; more {
		t.Errorf("the agent says %v after its end", last)
	}
	wantEnd(t, a, "")
	if len(a.heard) > 0 {
		t.Errorf("heard %v after Close", (<-a.heard).message)
	}
}

func largeBatch(id uint64) *messages.Batch {
	batch := &messages.Batch{Id: id, IpVersion: 4}
	for range 500 {
		batch.Evidence = append(batch.Evidence, &messages.Evidence{Ticket: make([]byte, 50)})
	}
	return batch
}

// A hub that doesn't read can't keep a link from ending.
func TestCloseDoesNotWaitForEver(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	a.limits.linger = 50 * time.Millisecond
	a.dial()
	c := await(t, h.calls)
	c.welcome()
	wantHeard[*messages.Welcome](a)
	for id := range uint64(100) {
		a.say(hubActor(session), uplink, largeBatch(id))
	}
	a.Close()
	wantEnd(t, a, "doesn't take what was left")
}

// A hub that doesn't read at all is left as soon as too much waits for it.
func TestAHubThatDoesNotReadIsLeft(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	a.dial()
	await(t, h.calls).welcome()
	wantHeard[*messages.Welcome](a)
	for sent := 0; len(a.ended) == 0; sent++ {
		if sent > 100_000 {
			t.Fatal("it is told more and more")
		}
		a.say(hubActor(session), uplink, largeBatch(1))
	}
	wantEnd(t, a, "doesn't read")
}

// Nothing is said before the hub's welcome: whom it is for isn't known yet.
func TestNothingIsSaidBeforeTheWelcome(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	a.say(hubActor(session), "agent", &messages.Hello{Version: "before the dial"})
	a.dial()
	c := h.link()
	a.say(hubActor(session), "agent", &messages.Hello{Version: "before the welcome"})
	c.welcome()
	wantHeard[*messages.Welcome](a)
	a.say(hubActor(session), "agent", &messages.Hello{Version: "after it"})
	if m := wantWord[*messages.FromAgent_Hello](c).Hello; m.Version != "after it" {
		t.Errorf("the hub heard %v", m)
	}
}

// When a hub comes back, the link does with the next dial, and PIDs of the hub's actors are as good as before.
func TestALinkComesBackWithItsHub(t *testing.T) {
	family := newFamily(t)
	first := family.serve(t, "127.0.0.1:0")
	a := family.open(t, first.addr)
	pid := hubActor(session)
	c := a.join(first)
	a.say(pid, "agent", &messages.Hello{})
	wantWord[*messages.FromAgent_Hello](c)
	first.server.Stop()
	if err := await(t, a.ended).Err; err == nil {
		t.Error("a hub that stops ended the link in order")
	}
	a.say(pid, "agent", &messages.Hello{Version: "to nobody"})
	a.dial()
	if err := await(t, a.ended).Err; err == nil {
		t.Error("a hub that isn't there ended the link in order")
	}

	second := family.serve(t, first.addr)
	c = a.join(second)
	a.say(pid, "agent", &messages.Hello{Version: "again"})
	if m := wantWord[*messages.FromAgent_Hello](c).Hello; m.Version != "again" {
		t.Errorf("the hub heard %v", m)
	}
}

// An actor that starts again dials though its last link hasn't quite ended: the new one is the link,
// whatever becomes of the old one.
func TestTheLatestDialIsTheLink(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	a.limits.linger = time.Hour
	a.dial()
	old := await(t, h.calls) // it isn't read, so that it doesn't end
	old.welcome()
	wantHeard[*messages.Welcome](a)
	c := a.join(h)
	old.say("agent", session, &messages.Dismissal{Reason: "of the old link"})
	a.say(hubActor(session), "agent", &messages.Hello{Version: "one"})
	wantWord[*messages.FromAgent_Hello](c)
	go old.read()
	wantEnd(t, a, "")
	a.say(hubActor(session), "agent", &messages.Hello{Version: "two"})
	if m := wantWord[*messages.FromAgent_Hello](c).Hello; m.Version != "two" {
		t.Errorf("the hub heard %v", m)
	}
	if len(a.heard) > 0 {
		t.Errorf("heard %v over the old link", (<-a.heard).message)
	}
}

// Wait waits no longer than it may.
func TestWaitKeepsToItsContext(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	a.Wait(t.Context()) // there is nothing to wait for
	a.join(h)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	a.Wait(ctx)
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) || len(a.ended) > 0 {
		t.Error("it didn't wait")
	}
}

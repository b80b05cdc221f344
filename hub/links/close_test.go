package links

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/messages"
)

// A hub that closes tells its agents after what was sent, hears no more of them, and takes no new ones.
func TestCloseTellsTheAgents(t *testing.T) {
	h := open(t, plan{})
	a, b := h.join("fra1"), h.join("nyc1")
	h.say("fra1", orders(1000))
	h.Close(context.Background())
	wantWord[*messages.FromHub_Assignments](a)
	for _, agent := range []*agent{a, b} {
		if err := agent.wantEnd(); err == nil || !strings.Contains(err.Error(), "going down") {
			t.Errorf("the link of %s ended with %v", agent.name, err)
		}
	}
	h.system.Root.Send(hubside.Gateway(h.system), mark{})
	wantGateway[port.LinkOpened](h)
	wantGateway[port.LinkOpened](h)
	wantGateway[port.LinkClosed](h)
	wantGateway[port.LinkClosed](h)
	wantGateway[mark](h) // it was told before Close was over
	if _, err := h.call("ams1", h.identity("ams1")); err == nil {
		t.Error("a link was made with a hub that is closed")
	}
}

// A link that comes while the hub closes doesn't keep it from that.
func TestAHubThatClosesTakesNoLinks(t *testing.T) {
	h := open(t, plan{})
	h.Close(context.Background())
	if _, err := h.enter(caller{agent: "fra1"}, netip.Addr{}, nil); !errors.Is(err, errGoingDown) {
		t.Errorf("have %v", err)
	}
	if _, in := h.door.admit(nil); in || len(h.open) > 0 {
		t.Error("it took one")
	}
}

// Close waits for what an agent said last to be delivered, and the gateway to be told of the end.
func TestCloseWaitsForWhatIsBeingRead(t *testing.T) {
	busy, release := make(chan struct{}), make(chan struct{})
	h := open(t, plan{onOpened: func(h *house, opened port.LinkOpened) {
		session, _ := h.system.ProcessRegistry.Add(slow{busy: busy, release: release}, hubside.Session(h.system, opened.Agent, opened.Link).Id)
		h.say(opened.Agent, welcomeOf(session.Id, opened))
	}})
	a := h.join("fra1")
	wantGateway[port.LinkOpened](h)
	a.hello()
	await(t, busy)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		h.Close(context.Background())
	}()
	a.wantEnd()
	a.vanish()
	select {
	case <-closed:
		t.Error("it is closed while a message is being delivered")
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	await(t, closed)
	if len(h.open) > 0 {
		t.Error("a link is left")
	}
}

// slow is an actor's process that takes its time.
type slow struct {
	actor.Process
	busy, release chan struct{}
}

func (s slow) SendUserMessage(*actor.PID, any) {
	close(s.busy)
	<-s.release
}

// Close doesn't wait longer than it may for agents that don't read.
func TestCloseKeepsToItsContext(t *testing.T) {
	h := open(t, plan{limits: func(l *limits) { l.linger = time.Hour }})
	h.dial("fra1")
	wantGateway[port.LinkOpened](h)
	for range 500 {
		h.say("fra1", orders(1000))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	h.Close(ctx)
	wantGateway[port.LinkClosed](h)
}

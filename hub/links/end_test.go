package links

import (
	"strings"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/messages"
)

// orders are a message of about so many bytes.
func orders(bytes int) *messages.Assignments {
	return &messages.Assignments{IpVersion: 4, MonitorId: 1, Dropped: make([]uint32, bytes)}
}

// Who hangs up is heard out: what was sent before arrives, then the dismissal, then the end in order.
func TestHangingUpComesAfterWhatWasSent(t *testing.T) {
	h := open(t, plan{})
	for _, row := range []struct {
		name      string
		dismissal *messages.Dismissal
	}{
		{"with-a-dismissal", &messages.Dismissal{Reason: "go away", TakenOver: true}},
		{"without", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := h.join(row.name)
			link := wantGateway[port.LinkOpened](h).Link
			const n = 500
			for range n {
				h.say(row.name, orders(1000))
			}
			h.Hang(link, row.dismissal)
			h.say(row.name, orders(0)) // too late
			for range n {
				wantWord[*messages.FromHub_Assignments](a)
			}
			if row.dismissal != nil {
				if have := wantWord[*messages.FromHub_Dismissal](a).Dismissal; have.Reason != "go away" || !have.TakenOver {
					t.Errorf("dismissed with %v", have)
				}
			}
			if err := a.wantEnd(); err != nil {
				t.Errorf("the link ended with %v", err)
			}
			wantGateway[port.LinkClosed](h)
			h.Hang(link, nil) // it is gone; nobody minds
		})
	}
}

// An agent's newest link gets what is said to the agent; the one before gets its dismissal, and nothing after that.
func TestTheNewestLinkTakesOver(t *testing.T) {
	h := open(t, plan{})
	old := h.join("fra1")
	first := wantGateway[port.LinkOpened](h)
	h.say("fra1", &messages.Assignments{IpVersion: 4, MonitorId: 1})
	newer := h.join("fra1")
	second := wantGateway[port.LinkOpened](h)
	h.say("fra1", &messages.Assignments{IpVersion: 4, MonitorId: 2})
	h.Hang(first.Link, &messages.Dismissal{Reason: "taken over", TakenOver: true})
	h.say("fra1", &messages.Assignments{IpVersion: 4, MonitorId: 3})

	if second.Link <= first.Link || second.Session <= first.Session {
		t.Errorf("the newer one is %+v, the older %+v", second, first)
	}
	if m := wantWord[*messages.FromHub_Assignments](old).Assignments; m.MonitorId != 1 {
		t.Errorf("the old link heard %v", m)
	}
	wantWord[*messages.FromHub_Dismissal](old)
	if err := old.wantEnd(); err != nil {
		t.Errorf("the old link ended with %v", err)
	}
	wantGateway[port.LinkClosed](h)
	h.say("fra1", &messages.Assignments{IpVersion: 4, MonitorId: 4})
	for monitor := uint32(2); monitor <= 4; monitor++ {
		if m := wantWord[*messages.FromHub_Assignments](newer).Assignments; m.MonitorId != monitor {
			t.Errorf("the new link heard %v, want monitor %d", m, monitor)
		}
	}
	newer.hello()
	if m := wantHeard[*messages.Hello](h); m.link != second.Link {
		t.Errorf("the session of link %d heard it", m.link)
	}
}

// However many links an agent makes at once, the gateway hears of them in the order in which they replace each other.
func TestTheGatewayHearsOfLinksInTheirOrder(t *testing.T) {
	h := open(t, plan{})
	const n = 8
	var dialling sync.WaitGroup
	for range n {
		dialling.Go(func() {
			if _, err := h.call("fra1", h.identity("fra1")); err != nil {
				t.Error(err)
			}
		})
	}
	dialling.Wait()
	last := port.LinkOpened{}
	for range n {
		opened := wantGateway[port.LinkOpened](h)
		if opened.Link <= last.Link || opened.Session <= last.Session {
			t.Errorf("heard of %+v after %+v", opened, last)
		}
		last = opened
	}
	if newest := h.newest("fra1"); newest.number != last.Link {
		t.Errorf("messages go over link %d, the gateway takes %d for the newest", newest.number, last.Link)
	}
}

// Once the gateway has heard that a link is closed, its session hears nothing more of the agent.
func TestNothingIsHeardAfterTheEnd(t *testing.T) {
	h := open(t, plan{})
	for range 10 {
		a := h.join("fra1")
		opened := wantGateway[port.LinkOpened](h)
		var talking sync.WaitGroup
		talking.Go(func() {
			for a.stream.Context().Err() == nil {
				a.hello()
			}
		})
		wantHeard[*messages.Hello](h)
		h.Hang(opened.Link, nil)
		wantGateway[port.LinkClosed](h)
		h.system.Root.Send(hubside.Session(h.system, "fra1", opened.Link), mark{})
		for {
			if _, is := await(t, h.heard).message.(mark); is {
				break
			}
		}
		a.wantEnd()
		a.vanish()
		talking.Wait()
		if len(h.heard) > 0 {
			t.Errorf("the session of link %d heard %v after its end", opened.Link, (<-h.heard).message)
		}
	}
}

// What is no frame ends the link of who sent it, and says why. Other agents don't notice.
func TestAMalformedFrameEndsItsLinkAlone(t *testing.T) {
	h := open(t, plan{})
	other := h.join("nyc1")
	wantGateway[port.LinkOpened](h)
	for _, row := range []struct {
		name  string
		frame []byte
		want  string
	}{
		{"garbage", []byte("GET / HTTP/1.1"), "decode a frame"},
		{"cut-off", []byte{0x0a, 0xff}, "decode a frame"},
		{"too-many-messages", []byte(strings.Repeat("\x0a\x00", messages.MaxFrameMessages+1)), "513 messages"},
		{"too-large", make([]byte, messages.MaxFrame+1), "larger than max"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := h.join(row.name)
			wantGateway[port.LinkOpened](h)
			a.frame(row.frame)
			if err := a.wantEnd(); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("the link ended with %v, want %q in it", err, row.want)
			}
			wantGateway[port.LinkClosed](h)
		})
	}
	other.hello()
	wantHeard[*messages.Hello](h)
	h.wantCount(countMalformed, 4)
}

// A fault of ours over what an agent sends costs that agent its link, not the hub.
func TestAPanicCostsTheLinkAlone(t *testing.T) {
	h := open(t, plan{onOpened: func(h *house, opened port.LinkOpened) {
		if opened.Agent != "fra1" {
			h.spawnSession(opened, nil)
			return
		}
		session, _ := h.system.ProcessRegistry.Add(brittle{}, hubside.Session(h.system, opened.Agent, opened.Link).Id)
		h.say(opened.Agent, welcomeOf(session.Id, opened))
	}})
	a, other := h.join("fra1"), h.join("nyc1")
	a.hello()
	if err := a.wantEnd(); err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("the link ended with %v", err)
	}
	other.hello()
	wantHeard[*messages.Hello](h)
	h.wantCount(countMalformed, 1)
}

// brittle is an actor's process that panics over each message.
type brittle struct{ actor.Process }

func (brittle) SendUserMessage(*actor.PID, any) { panic("on purpose") }

package links

import (
	"testing"
	"time"

	"truechimer/actors/port"
	"truechimer/messages"
)

// An agent that doesn't read what it is sent loses its link, at once and with all that waits. Others don't notice.
func TestAnAgentThatDoesNotReadIsCut(t *testing.T) {
	h := open(t, plan{limits: func(l *limits) { l.linger = time.Hour }})
	other := h.join("nyc1")
	wantGateway[port.LinkOpened](h)
	stuck := h.dial("fra1")
	opened := wantGateway[port.LinkOpened](h)
	sent := 0
	for ; h.tally.have(countStuck) == 0; sent++ {
		if sent > 10_000 {
			t.Fatal("it is told more and more")
		}
		h.say("fra1", orders(1000))
		h.say("nyc1", orders(1000))
		wantWord[*messages.FromHub_Assignments](other)
	}
	if closed := wantGateway[port.LinkClosed](h); closed.Link != opened.Link {
		t.Errorf("link %d is closed, want %d", closed.Link, opened.Link)
	}
	go stuck.read()
	read := 0
	for stuck.next() != nil {
		read++
	}
	if stuck.ended == nil || read >= sent {
		t.Errorf("it got %d of %d messages, and ended with %v", read, sent, stuck.ended)
	}
	other.hello()
	wantHeard[*messages.Hello](h)
	h.wantCount(countStuck, 1)
}

// One that doesn't read can't keep its link from ending either.
func TestALinkEndsThoughNobodyReads(t *testing.T) {
	h := open(t, plan{limits: func(l *limits) { l.linger = 50 * time.Millisecond }})
	h.dial("fra1")
	opened := wantGateway[port.LinkOpened](h)
	for range 500 { // more than gRPC takes, and less than the outbox
		h.say("fra1", orders(1000))
	}
	h.Hang(opened.Link, &messages.Dismissal{Reason: "go away"})
	wantGateway[port.LinkClosed](h)
	h.wantCount(countStuck, 0)
}

// Nor can one keep its connection by not closing it.
func TestAConnectionEndsWithItsLink(t *testing.T) {
	h := open(t, plan{limits: func(l *limits) { l.linger = 50 * time.Millisecond }})
	a := h.join("fra1")
	h.Hang(wantGateway[port.LinkOpened](h).Link, nil)
	if err := a.wantEnd(); err != nil {
		t.Errorf("the link ended with %v", err)
	}
	waitFor(t, "the connection to end", func() bool { return h.connections("fra1") == 0 })
}

// connections are those of an agent.
func (h *house) connections(agent string) int {
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	return h.door.agents[agent]
}

// An agent that floods is read no faster than its rate, so that it fills its own memory and not the hub's.
func TestAFloodIsReadAtItsRate(t *testing.T) {
	const n = 10
	h := open(t, plan{limits: func(l *limits) { l.rate, l.ahead = 20*n*messageCost, 0 }}) // 20 times as many a second
	a := h.join("fra1")
	start := time.Now()
	for range n + 1 {
		a.hello()
	}
	for range n + 1 {
		wantHeard[*messages.Hello](h)
	}
	if took := time.Since(start); took < time.Second/20 {
		t.Errorf("%d messages were read within %v", n, took)
	}
}

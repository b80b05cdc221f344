package live_test

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"truechimer/hub/broker"
	"truechimer/hub/live"
	"truechimer/hub/token"
)

// patience bounds every wait of these tests; what they wait for takes milliseconds, but the machine may be busy.
const patience = 30 * time.Second

// house is a place for a broker, which comes and goes, and for its clients.
type house struct {
	t       testing.TB
	address string
	signer  token.Signer
	keys    *token.Verifier
	broker  *broker.Broker
}

func newHouse(t testing.TB) *house {
	t.Helper()
	key, err := token.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	place, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close() // the broker takes it over
	return &house{
		t: t, address: place.Addr().String(), signer: token.NewSigner(key), keys: token.NewVerifier(key.Public()),
	}
}

func (h *house) open() *house {
	h.t.Helper()
	b, err := broker.Start(broker.Options{Listen: h.address, Keys: h.keys})
	if err != nil {
		h.t.Fatal(err)
	}
	h.broker = b
	h.t.Cleanup(func() { _ = b.Close() }) // once more does no harm
	return h
}

func (h *house) close() {
	h.t.Helper()
	if err := h.broker.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// access lets a client in with tokens of a certain life.
func (h *house) access(life time.Duration, grant token.Grant, err error) live.Access {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return live.Access{
		URL: "tcp://" + h.address, ClientID: grant.Name, User: grant.Name,
		Token: func() (string, error) { return h.signer.Sign(grant, time.Now(), life) },
	}
}

func (h *house) hub() live.Access {
	grant, err := token.ForHub("test", "h1")
	return h.access(time.Hour, grant, err)
}

func (h *house) watcher(name string) live.Access {
	grant, err := token.ForWatcher("test", name)
	return h.access(time.Hour, grant, err)
}

func (h *house) dial(options live.Options) *live.Publisher {
	h.t.Helper()
	p, err := live.Dial(h.t.Context(), options)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { h.leave(p) })
	return p
}

// leave closes a publisher that has nobody to talk to any more, without waiting for anybody.
func (h *house) leave(p *live.Publisher) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Close(ctx) // what it still had to say is of no interest
}

// ear collects what a subscriber hears and how it fares.
type ear struct {
	h        *house
	messages chan live.Message
	states   chan error
}

func (h *house) listen(name string, filters ...string) (*ear, *live.Subscriber) {
	h.t.Helper()
	e := &ear{h: h, messages: make(chan live.Message, 10_000), states: make(chan error, 100)}
	s, err := live.Subscribe(h.t.Context(), live.Subscription{
		Access: h.watcher(name), Filters: filters, QoS: 1,
		OnMessage: func(m live.Message) { e.messages <- m },
		OnState:   func(err error) { e.states <- err },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(s.Close)
	return e, s
}

func (e *ear) hears(topic, payload string, retained bool) {
	e.h.t.Helper()
	if m := e.next(); m.Topic != topic || string(m.Payload) != payload || m.Retained != retained {
		e.h.t.Fatalf("heard %q on %s (retained %v), want %q on %s (%v)", m.Payload, m.Topic, m.Retained, payload, topic, retained)
	}
}

// next waits for the next message.
func (e *ear) next() live.Message {
	e.h.t.Helper()
	select {
	case m := <-e.messages:
		return m
	case <-time.After(patience):
		e.h.t.Fatal("nothing heard")
		return live.Message{}
	}
}

// isUp waits until the ear hears, and isDown until it knows that it doesn't.
func (e *ear) isUp() { e.h.t.Helper(); e.fares(func(err error) bool { return err == nil }) }

func (e *ear) isDown() { e.h.t.Helper(); e.fares(func(err error) bool { return err != nil }) }

func (e *ear) fares(as func(error) bool) {
	e.h.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case err := <-e.states:
			if as(err) {
				return
			}
		case <-deadline:
			e.h.t.Fatal("the ear's state doesn't change")
		}
	}
}

// until waits for a condition that nothing announces.
func (h *house) until(what string, holds func() bool) {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// leavesNothingRunning checks at the end of a test that as many goroutines run as at its beginning.
func leavesNothingRunning(h *house) {
	before := runtime.NumGoroutine()
	h.t.Cleanup(func() {
		h.until("all goroutines of the test have ended", func() bool { return runtime.NumGoroutine() <= before })
	})
}

package live_test

import (
	"testing"
	"time"

	"truechimer/hub/live"
)

// A subscriber says when it hears and when it doesn't, comes back by itself, hears what is retained each time, and is
// silent once closed.
func TestASubscriberComesBack(t *testing.T) {
	h := newHouse(t).open()
	leavesNothingRunning(h)
	p := h.dial(live.Options{Access: h.hub()})
	publish(t, p, score, 1, true, "1")
	h.until("the score is published", func() bool { return p.Counts().Sent == 1 })
	e, s := h.listen("w1", "/test/servers/#", "/test/hubs/+/status")
	e.hears(score, "1", true)
	h.close()
	e.isDown()
	h.open()
	publish(t, p, score, 1, true, "2")
	for m := e.next(); string(m.Payload) != "2"; m = e.next() {
		if string(m.Payload) != "1" {
			t.Errorf("heard %q", m.Payload)
		}
	}
	s.Close()
	heard, states := len(e.messages), len(e.states)
	publish(t, p, score, 1, true, "3")
	h.until("the score is published", func() bool { return p.Counts().Waiting == 0 })
	if len(e.messages) != heard || len(e.states) != states {
		t.Error("the closed subscriber still says something")
	}
}

// A topic that the broker doesn't grant is a reason that the caller hears, and keeps hearing.
func TestARefusedTopicIsToldToTheCaller(t *testing.T) {
	h := newHouse(t).open()
	e, _ := h.listen("w1", "/test/servers/#", "/test/monitors/requests/#")
	for range 2 {
		select {
		case err := <-e.states:
			if want := "subscribe to /test/monitors/requests/#: the broker refuses"; err == nil || err.Error() != want {
				t.Errorf("have %v, want %s", err, want)
			}
		case <-time.After(patience):
			t.Fatal("no word")
		}
	}
}

// What can't work at all is said at once.
func TestWhatCantWorkIsSaidAtOnce(t *testing.T) {
	if _, err := live.Dial(t.Context(), live.Options{Access: live.Access{URL: "http://broker.example"}}); err == nil {
		t.Error("a publisher on HTTP: no error")
	}
	if _, err := live.Subscribe(t.Context(), live.Subscription{Access: live.Access{URL: "broker"}}); err == nil {
		t.Error("a subscriber without a scheme: no error")
	}
	if _, err := live.Subscribe(t.Context(), live.Subscription{Access: live.Access{URL: "tcp://127.0.0.1:1"}}); err == nil {
		t.Error("a subscriber without topics: no error")
	}
}

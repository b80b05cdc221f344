package broker

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mqtt "github.com/mochi-mqtt/server/v2"
	inside "github.com/mochi-mqtt/server/v2/packets"
)

// While scores change watchers come, and none is left with an older score than the last.
func TestNobodyIsLeftWithAnOlderScore(t *testing.T) {
	const score, end, last = "/test/servers/192.0.2.1/score", "/test/servers/192.0.2.1/selection", 2000
	h := open(t, nil)
	hub := h.connect(h.hub("h1"))
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for i := range last + 1 {
			hub.Publish(score, 1, true, strconv.Itoa(i))
		}
	})
	var watchers []<-chan paho.Message
	for i := range 20 {
		watchers = append(watchers, h.subscribe(h.connect(h.watcher(fmt.Sprintf("w%d", i))), "/test/servers/#", 1))
	}
	publishing.Wait()
	h.publish(hub, end, false, "end")
	for i, heard := range watchers {
		newest := ""
		for m := h.next(heard); m.Topic() != end; m = h.next(heard) {
			newest = string(m.Payload())
		}
		if newest != strconv.Itoa(last) {
			t.Errorf("watcher %d is left with %q, want %d", i, newest, last)
		}
	}
}

// While a retained message is being replayed, no newer one overtakes it: neither is kept nor heard before it has left.
func TestNothingOvertakesAReplay(t *testing.T) {
	const score = "/test/servers/192.0.2.1/score"
	h := open(t, nil)
	hub := h.connect(h.hub("h1"))
	h.publish(hub, score, true, "old")
	overtake := &overtaker{during: func() {
		kept := make(chan struct{})
		go func() {
			defer close(kept)
			h.guard.retained.keep(score, []byte("new"), 1)
		}()
		select {
		case <-kept:
			t.Error("a newer message was kept while an older one was being replayed")
		case <-time.After(100 * time.Millisecond): // long enough for one that doesn't wait
		}
	}}
	if err := h.server.AddHook(overtake, nil); err != nil {
		t.Fatal(err)
	}
	h.hears(h.subscribe(h.connect(h.watcher("w1")), score, 1), score, "old")
}

// overtaker does something while a retained message is being replayed.
type overtaker struct {
	mqtt.HookBase
	during func()
}

func (*overtaker) ID() string              { return "overtaker" }
func (*overtaker) Provides(hook byte) bool { return hook == mqtt.OnPacketEncode }
func (o *overtaker) OnPacketEncode(_ *mqtt.Client, pk inside.Packet) inside.Packet {
	if pk.FixedHeader.Type == inside.Publish && pk.FixedHeader.Retain {
		o.during()
	}
	return pk
}

// A score that is withdrawn is no longer told to those who come.
func TestWithdrawnMessagesAreNotReplayed(t *testing.T) {
	h := open(t, nil)
	hub := h.connect(h.hub("h1"))
	h.publish(hub, "/test/servers/192.0.2.1/score", true, "1")
	h.publish(hub, "/test/servers/192.0.2.2/score", true, "2")
	h.publish(hub, "/test/servers/192.0.2.1/score", true, "")
	heard := h.subscribe(h.connect(h.watcher("w1")), "/test/servers/#", 1)
	h.hears(heard, "/test/servers/192.0.2.2/score", "2")
	h.publish(hub, "/test/servers/192.0.2.3/score", true, "3")
	h.hears(heard, "/test/servers/192.0.2.3/score", "3")
}

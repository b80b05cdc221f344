package broker

import (
	"fmt"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mqtt "github.com/mochi-mqtt/server/v2"
)

// When a client comes a second time, the first is cut off, the second hears everything, and its word is the last
// on its status, not the first one's will. Fifty times over, since what mochi does alone fails now and then.
func TestTheNewerConnectionHasTheLastWord(t *testing.T) {
	h := open(t, nil)
	hub := h.connect(h.hub("h1"))
	statuses := h.subscribe(hub, "/test/monitors/status/#", 1)
	for i := range 50 {
		name := fmt.Sprintf("a%d", i)
		status, request := "/test/monitors/status/"+name+"/status", "/test/monitors/requests/"+name+"/ntp"
		come := func(word string) (paho.Client, <-chan error) {
			options := h.agent(name).SetWill(status, "offline", 1, true)
			gone := lost(options)
			client := h.connect(options)
			h.publish(client, status, true, word)
			return client, gone
		}
		_, gone := come("first")
		second, _ := come("second")
		h.loses(gone)
		for _, word := range []string{"first", "offline", "second"} {
			h.hears(statuses, status, word)
		}
		requests := h.subscribe(second, "/test/monitors/requests/"+name+"/+", 1)
		h.publish(hub, request, false, "ask")
		h.hears(requests, request, "ask")
	}
}

// The newer connection waits for the older one's will to be said, however long that takes within reason.
func TestTheNewerConnectionWaitsForTheOlder(t *testing.T) {
	const status = "/test/monitors/status/a1/status"
	h := open(t, nil)
	slow := &slowWill{said: make(chan struct{})}
	if err := h.server.AddHook(slow, nil); err != nil {
		t.Fatal(err)
	}
	h.connect(h.agent("a1").SetWill(status, "offline", 1, true))
	newer := paho.NewClient(h.agent("a1"))
	asked := newer.Connect()
	defer newer.Disconnect(0)
	select {
	case <-asked.Done():
		t.Error("the newer connection is there, and the older one's will not yet said")
	case <-time.After(200 * time.Millisecond): // long enough for one that doesn't wait
	}
	close(slow.said)
	h.done(asked)
}

// slowWill takes its time to say a will.
type slowWill struct {
	mqtt.HookBase
	said chan struct{}
}

func (*slowWill) ID() string              { return "slow will" }
func (*slowWill) Provides(hook byte) bool { return hook == mqtt.OnWill }
func (s *slowWill) OnWill(_ *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	<-s.said
	return will, nil
}

// However many come at once with one client id, one remains, and it is whole.
func TestOneOfManyRemains(t *testing.T) {
	h := open(t, nil)
	hub := h.connect(h.hub("h1"))
	var all sync.WaitGroup
	clients := make(chan paho.Client, 20)
	for range cap(clients) {
		options := h.agent("a1")
		all.Go(func() {
			client := paho.NewClient(options)
			if asked := client.Connect(); asked.WaitTimeout(patience) && asked.Error() == nil {
				clients <- client
			}
		})
	}
	all.Wait()
	close(clients)
	h.until("all but one have left", func() bool { return len(h.slots) == 2 })
	var left []paho.Client
	for client := range clients {
		t.Cleanup(func() { client.Disconnect(0) })
		if asked := client.Subscribe("/test/monitors/requests/a1/+", 1, nil); asked.WaitTimeout(patience) && asked.Error() == nil {
			left = append(left, client)
		}
	}
	if len(left) != 1 {
		t.Fatalf("%d clients remain, want 1", len(left))
	}
	requests := h.subscribe(left[0], "/test/monitors/requests/a1/+", 1)
	h.publish(hub, "/test/monitors/requests/a1/ntp", false, "ask")
	h.hears(requests, "/test/monitors/requests/a1/ntp", "ask")
}

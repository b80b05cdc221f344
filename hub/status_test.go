package hub

import (
	"net/netip"
	"testing"
	"time"

	"truechimer/hub/live"
	"truechimer/persistence"
	"truechimer/pool"
)

// A hub's status says that it is there as soon as it serves, and how much it has to do. That it is gone only an outside
// broker can tell; the one inside is gone as well.
func TestTheStatusSaysHowMuchThereIsToDo(t *testing.T) {
	store := persistence.NewMemory(persistence.Options{})
	add := func(addr string) {
		t.Helper()
		if _, _, err := store.AddServer(t.Context(), "test", pool.Server{Addr: netip.MustParseAddrPort(addr)}); err != nil {
			t.Fatal(err)
		}
	}
	add("192.0.2.1:123")
	h := run(t, options(store))
	user, token, err := h.WatcherToken("w1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan live.Message, 100)
	subscriber, err := live.Subscribe(t.Context(), live.Subscription{
		Access: live.Access{
			URL: h.MQTTURL(), ClientID: user, User: user, Token: func() (string, error) { return token, nil },
		},
		Filters: []string{"/test/hubs/+/status"}, QoS: 1, OnMessage: func(m live.Message) { said <- m }, OnState: func(error) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer subscriber.Close()
	hears := func(want string) {
		t.Helper()
		select {
		case m := <-said:
			if m.Topic != "/test/hubs/test/status" || string(m.Payload) != want {
				t.Errorf("want %s, have %s on %s", want, m.Payload, m.Topic)
			}
		case <-time.After(patience):
			t.Fatalf("nobody says %s", want)
		}
	}
	hears(`{"online":true,"version":"test","servers":1,"agents":0}`)
	add("192.0.2.2:123")
	for range 2 { // the second time it is no news
		if err := h.showStatus(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	hears(`{"online":true,"version":"test","servers":2,"agents":0}`)
}

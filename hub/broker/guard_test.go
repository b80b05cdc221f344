package broker

import (
	"fmt"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
	mqtt "github.com/mochi-mqtt/server/v2"
	inside "github.com/mochi-mqtt/server/v2/packets"

	"truechimer/hub/token"
)

// A client reads what its token grants, and learns what it doesn't.
func TestRightsBoundWhatIsRead(t *testing.T) {
	h := open(t, nil)
	clients := map[string]paho.Client{"watcher": h.connect(h.watcher("w1")), "agent": h.connect(h.agent("a1"))}
	const refused = 0x80
	for _, row := range []struct {
		who, filter string
		want        byte
	}{
		{"watcher", "/test/servers/#", 1},
		{"watcher", "/test/servers/192.0.2.1/sample/+", 1},
		{"watcher", "/test/monitors/status/+/status", 1},
		{"watcher", "/test/hubs/+/status", 1},
		{"watcher", "/test/monitors/requests/#", refused},
		{"watcher", "/test/monitors/#", refused},
		{"watcher", "/prod/servers/#", refused},
		{"watcher", "/+/servers/#", refused},
		{"watcher", "#", refused},
		{"watcher", "$SYS/#", refused},
		{"agent", "/test/monitors/requests/a1/+", 1},
		{"agent", "/test/monitors/requests/a2/+", refused},
		{"agent", "/test/servers/#", refused},
	} {
		asked := clients[row.who].Subscribe(row.filter, 1, nil).(*paho.SubscribeToken)
		if !asked.WaitTimeout(patience) {
			t.Fatalf("%s: no answer", row.filter)
		}
		if have := asked.Result()[row.filter]; have != row.want {
			t.Errorf("%s subscribes to %s: have %#x, want %#x", row.who, row.filter, have, row.want)
		}
	}
	shared := h.rawClient("watch/w2", h.grant(token.ForWatcher("test", "w2")), nil)
	subscribe := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	subscribe.MessageID, subscribe.Topics, subscribe.Qoss = 1, []string{"$share/g//test/servers/#"}, []byte{1}
	h.send(shared, subscribe)
	if answer := h.receive(shared).(*packets.SubackPacket); answer.ReturnCodes[0] != refused {
		t.Errorf("a shared subscription: have %#x, want %#x", answer.ReturnCodes[0], refused)
	}
}

// What a client has no right to publish is acknowledged and goes nowhere; the client goes on working.
func TestWhatIsNotGrantedIsIgnored(t *testing.T) {
	h := open(t, nil)
	everything := h.connect(h.client("all", h.grant(token.Grant{Name: "all", Subs: []string{"#"}, Publ: []string{"#"}}, nil)))
	heard := h.subscribe(everything, "#", 1)
	agent := h.connect(h.agent("a1"))
	h.publish(agent, "/test/monitors/status/a2/status", true, "another's status")
	h.publish(agent, "/test/servers/192.0.2.1/score", true, "a score")
	h.publish(agent, "/test/monitors/data/a1/17", true, "an answer that would stay")
	h.publish(everything, "beyond/the/tree", false, "granted, but not ours")
	h.publish(agent, "/test/monitors/data/a1/17", false, "an answer")
	h.hears(heard, "/test/monitors/data/a1/17", "an answer")
	if have := h.Counts().Ignored; have != 4 {
		t.Errorf("%d messages ignored, want 4", have)
	}
	if kept := h.guard.retained.covered("#"); len(kept) != 0 {
		t.Errorf("%v are retained", kept)
	}
}

// A will is published when its client is gone without a farewell, and not when it says one.
func TestWills(t *testing.T) {
	const status = "/test/monitors/status/a1/status"
	for _, row := range []struct {
		name  string
		leave func(h *house, raw paho.Client)
		want  string
	}{
		{"with a farewell", func(_ *house, c paho.Client) { c.Disconnect(1000) }, "online"},
		{"token run out", func(h *house, _ paho.Client) { h.session("a1").conn.cut("token has expired") }, "offline"},
		{"connection lost", func(h *house, _ paho.Client) { _ = h.session("a1").conn.raw.Close() }, "offline"},
		{"too slow", func(h *house, _ paho.Client) { h.guard.OnPublishDropped(h.session("a1").client, inside.Packet{}) }, "offline"},
		{"the broker panics", func(h *house, c paho.Client) { c.Publish("/test/monitors/data/a1/bomb", 0, false, "") }, "offline"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := open(t, nil)
			if err := h.server.AddHook(&bomb{}, nil); err != nil {
				t.Fatal(err)
			}
			agent := h.connect(h.agent("a1").SetWill(status, "offline", 1, true))
			h.publish(agent, status, true, "online")
			s := h.session("a1")
			row.leave(h, agent)
			select {
			case <-s.conn.ended:
			case <-time.After(patience):
				t.Fatal("the agent is still there")
			}
			h.hears(h.subscribe(h.connect(h.watcher("w1")), status, 1), status, row.want)
		})
	}
}

func (h *house) session(clientID string) *session {
	h.t.Helper()
	h.guard.sessions.mu.Lock()
	defer h.guard.sessions.mu.Unlock()
	s := h.guard.sessions.byID[clientID]
	if s == nil {
		h.t.Fatalf("%s is not connected", clientID)
	}
	return s
}

// bomb stands for a packet that mochi can't stomach.
type bomb struct{ mqtt.HookBase }

func (*bomb) ID() string              { return "bomb" }
func (*bomb) Provides(hook byte) bool { return hook == mqtt.OnPublish }
func (*bomb) OnPublish(_ *mqtt.Client, pk inside.Packet) (inside.Packet, error) {
	if pk.TopicName == "/test/monitors/data/a1/bomb" {
		panic("bomb")
	}
	return pk, nil
}

// A panic costs the client that caused it its connection, leaves nothing of it behind, and is nobody else's concern.
func TestAPanicCostsOneConnection(t *testing.T) {
	h := open(t, nil)
	if err := h.server.AddHook(&bomb{}, nil); err != nil {
		t.Fatal(err)
	}
	hub := h.connect(h.hub("h1"))
	heard := h.subscribe(hub, "/test/monitors/data/#", 1)
	for range 3 {
		agent := h.agent("a1")
		gone := lost(agent)
		client := h.connect(agent)
		h.subscribe(client, "/test/monitors/requests/a1/+", 1)
		client.Publish("/test/monitors/data/a1/bomb", 1, false, "")
		h.loses(gone)
	}
	h.until("the agent has left", func() bool { return h.guard.sessions.count() == 1 })
	if have := h.Counts().Panics; have != 3 {
		t.Errorf("%d panics, want 3", have)
	}
	if n := h.server.Clients.Len(); n != 1 {
		t.Errorf("%d clients, want the hub alone", n)
	}
	if n := len(h.server.Topics.Subscribers("/test/monitors/requests/a1/ntp").Subscriptions); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
	h.publish(h.connect(h.agent("a1")), "/test/monitors/data/a1/1", false, "works")
	h.hears(heard, "/test/monitors/data/a1/1", "works")
}

// What no client of ours sends ends the connection that it came on.
func TestUnwantedPacketsEndTheConnection(t *testing.T) {
	h := open(t, nil)
	many := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	many.MessageID = 1
	for i := range maxFilters + 1 {
		many.Topics, many.Qoss = append(many.Topics, fmt.Sprintf("/test/servers/%d", i)), append(many.Qoss, 0)
	}
	twice := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	twice.TopicName, twice.Qos, twice.MessageID = "/test/monitors/data/a1/1", 2, 1
	large := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	large.TopicName, large.Payload = "/test/monitors/data/a1/1", make([]byte, maxPacket)
	wild := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	wild.TopicName, wild.Qos, wild.MessageID = "/test/monitors/data/a1/+", 1, 1
	system := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	system.TopicName = "$SYS/broker/version"
	again := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	again.ProtocolName, again.ProtocolVersion, again.ClientIdentifier = "MQTT", protocol, "a1"
	for name, packet := range map[string]packets.ControlPacket{
		"too many filters": many,
		"QoS 2":            twice,
		"too large":        large,
		"a wild topic":     wild,
		"the broker's own": system,
		"a second CONNECT": again,
		"PUBREC":           packets.NewControlPacket(packets.Pubrec),
		"PUBREL":           packets.NewControlPacket(packets.Pubrel),
		"PUBCOMP":          packets.NewControlPacket(packets.Pubcomp),
		"CONNACK":          packets.NewControlPacket(packets.Connack),
		"SUBACK":           packets.NewControlPacket(packets.Suback),
		"PINGRESP":         packets.NewControlPacket(packets.Pingresp),
	} {
		t.Run(name, func(t *testing.T) {
			h := &house{Broker: h.Broker, t: t, signer: h.signer}
			raw := h.rawClient("a1", h.grant(token.ForAgent("test", "a1")), nil)
			if err := packet.Write(raw); err != nil && name != "too large" {
				t.Fatal(err)
			}
			h.isCut(raw)
		})
	}
	if n := h.Counts().Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
}

// A client that acknowledges nothing costs no memory, and its own packet ids don't clash with the broker's.
func TestAcknowledgementsAreNotWaitedFor(t *testing.T) {
	h := open(t, nil)
	hub := h.connect(h.hub("h1"))
	raw := h.rawClient("watch/w1", h.grant(token.ForWatcher("test", "w1")), nil)
	h.subscribeRaw(raw, "/test/servers/#", 1)
	for range 5 {
		h.publish(hub, "/test/servers/192.0.2.1/score", false, "1")
	}
	for range 5 {
		if m := h.receive(raw).(*packets.PublishPacket); m.Qos != 1 || m.MessageID == 0 {
			t.Errorf("have QoS %d and id %d", m.Qos, m.MessageID)
		}
	}
	if n := h.session("watch/w1").client.State.Inflight.Len(); n != 0 {
		t.Errorf("%d messages are kept for a client that acknowledges nothing", n)
	}
	h.subscribeRaw(raw, "/test/hubs/+/status", 1) // with id 1, under which a message has been sent
}

// Every place in a client's queue is given back, or the client would soon hear nothing more.
func TestPlacesInTheQueueAreGivenBack(t *testing.T) {
	h := open(t, nil)
	hub, watcher := h.connect(h.hub("h1")), h.connect(h.watcher("w1"))
	h.publish(hub, "/test/servers/192.0.2.1/score", true, "1")
	for range 2 * maxPending {
		filters := map[string]byte{"/test/servers/#": 1, "#": 1, "/test/hubs/+/status": 0, "/test/servers/+/score": 0}
		h.done(watcher.SubscribeMultiple(filters, nil))
		h.publish(hub, "/test/servers/192.0.2.1/score", true, "2")
	}
	c := h.session("watch/w1").conn
	h.until("nothing waits", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.pending == 0 && c.unsent == 0
	})
}

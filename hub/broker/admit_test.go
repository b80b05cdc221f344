package broker

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"truechimer/hub/token"
)

// A client is let in with its own name, its own client id and a valid token, and a will that it may publish itself.
func TestWhoIsLetIn(t *testing.T) {
	h, other := open(t, nil), open(t, nil)
	agent := func() *paho.ClientOptions { return h.agent("a1") }
	own := h.grant(token.ForAgent("test", "a1"))
	status := "/test/monitors/status/a1/status"
	for _, row := range []struct {
		name    string
		options *paho.ClientOptions
		code    byte
	}{
		{"itself", agent(), packets.Accepted},
		{"with a client id of its own", agent().SetClientID("a1:2"), packets.Accepted},
		{"with its will", agent().SetWill(status, "gone", 1, true), packets.Accepted},
		{"with a will in passing", agent().SetWill("/test/monitors/data/a1/1", "gone", 1, false), packets.Accepted},
		{"no password", agent().SetPassword(""), packets.ErrRefusedBadUsernameOrPassword},
		{"a guess", agent().SetPassword("guess"), packets.ErrRefusedBadUsernameOrPassword},
		{"another's token", agent().SetPassword(h.grant(token.ForAgent("test", "a2"))), packets.ErrRefusedBadUsernameOrPassword},
		{"a token of another house", agent().SetPassword(other.grant(token.ForAgent("test", "a1"))), packets.ErrRefusedBadUsernameOrPassword},
		{"another's name", agent().SetUsername("a2"), packets.ErrRefusedBadUsernameOrPassword},
		{"another's client id", agent().SetClientID("a2"), packets.ErrRefusedIDRejected},
		{"the hub's client id", agent().SetClientID("hub/h1"), packets.ErrRefusedIDRejected},
		{"no client id", agent().SetClientID(""), packets.ErrRefusedIDRejected},
		{"another's will", agent().SetWill("/test/monitors/status/a2/status", "gone", 1, true), packets.ErrRefusedNotAuthorised},
		{"a will to many", agent().SetWill("/test/monitors/data/a1/#", "gone", 1, false), packets.ErrRefusedNotAuthorised},
		{"a will that would stay", agent().SetWill("/test/monitors/data/a1/1", "gone", 1, true), packets.ErrRefusedNotAuthorised},
		{"a will beyond the tree", h.client("x", h.grant(token.Grant{Name: "x", Publ: []string{"#"}}, nil)).SetWill("mine", "gone", 1, true), packets.ErrRefusedNotAuthorised},
		{"MQTT 3.1", agent().SetPassword(own).SetProtocolVersion(3), packets.ErrRefusedBadProtocolVersion},
	} {
		asked := paho.NewClient(row.options).Connect().(*paho.ConnectToken)
		if !asked.WaitTimeout(patience) {
			t.Fatalf("%s: no answer", row.name)
		}
		if asked.ReturnCode() != row.code {
			t.Errorf("%s: have answer %d (%v), want %d", row.name, asked.ReturnCode(), asked.Error(), row.code)
		}
	}
	h.until("the 13 that weren't let in are counted", func() bool { return h.Counts().Refused == 13 })
}

// MQTT 5 is refused with its own answer, whoever asks: mochi's handling of it has stopped processes.
func TestMQTT5IsRefused(t *testing.T) {
	h := open(t, nil)
	raw := h.dial()
	connect := v5Connect("a1", h.grant(token.ForAgent("test", "a1")))
	if _, err := raw.Write(connect); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(raw)
	if err != nil {
		t.Fatal(err)
	}
	// A CONNACK whose reason is 0x84, unsupported protocol version (MQTT 5 section 3.2.2.2).
	if len(answer) < 4 || answer[0] != 0x20 || answer[3] != 0x84 {
		t.Errorf("have answer % x", answer)
	}
}

// v5Connect is a CONNECT of MQTT 5, with no properties.
func v5Connect(name, password string) []byte {
	var body bytes.Buffer
	text := func(s string) { body.Write([]byte{byte(len(s) >> 8), byte(len(s))}); body.WriteString(s) }
	text("MQTT")
	body.Write([]byte{5, 0xc2, 0, 30, 0}) // version, flags, keepalive, length of the properties
	text(name)
	text(name)
	text(password)
	n := body.Len()
	return append([]byte{0x10, byte(n)&0x7f | 0x80, byte(n >> 7)}, body.Bytes()...)
}

// dial is a connection of a client that we write ourselves, byte by byte.
func (h *house) dial() net.Conn {
	h.t.Helper()
	raw, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = raw.Close() })
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		h.t.Fatal(err)
	}
	return raw
}

// rawClient is a client that is connected and does nothing by itself, not even read.
func (h *house) rawClient(name, password string, change func(*packets.ConnectPacket)) net.Conn {
	h.t.Helper()
	raw := h.dial()
	h.introduce(raw, name, password, change)
	return raw
}

// introduce says who is at the other end of a connection.
func (h *house) introduce(raw net.Conn, name, password string, change func(*packets.ConnectPacket)) {
	h.t.Helper()
	connect := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	connect.ProtocolName, connect.ProtocolVersion, connect.CleanSession = "MQTT", protocol, true
	connect.ClientIdentifier, connect.Keepalive = name, 60
	connect.UsernameFlag, connect.Username = true, name
	connect.PasswordFlag, connect.Password = true, []byte(password)
	if change != nil {
		change(connect)
	}
	h.send(raw, connect)
	if answer := h.receive(raw).(*packets.ConnackPacket); answer.ReturnCode != packets.Accepted || answer.SessionPresent {
		h.t.Fatalf("connect: %s", answer)
	}
}

func (h *house) send(raw net.Conn, packet packets.ControlPacket) {
	h.t.Helper()
	if err := packet.Write(raw); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) receive(raw net.Conn) packets.ControlPacket {
	h.t.Helper()
	packet, err := packets.ReadPacket(raw)
	if err != nil {
		h.t.Fatal(err)
	}
	return packet
}

// isCut waits until the broker closes a connection.
func (h *house) isCut(raw net.Conn) {
	h.t.Helper()
	if _, err := io.Copy(io.Discard, raw); err != nil {
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			h.t.Fatal("the connection is still open")
		}
	}
}

// Who connects and says nothing doesn't hold a place.
func TestASilentPeerIsCut(t *testing.T) {
	h := open(t, func(_ *Options, l *limits) { l.connect = 50 * time.Millisecond })
	h.isCut(h.dial())
}

// Who dribbles the first packet doesn't either.
func TestADribblingPeerIsCut(t *testing.T) {
	h := open(t, func(_ *Options, l *limits) { l.connect = 50 * time.Millisecond })
	raw := h.dial()
	if _, err := raw.Write([]byte{0x10, 0x20, 0, 4}); err != nil {
		t.Fatal(err)
	}
	h.isCut(raw)
}

// A client that asks never to be checked is checked all the same.
func TestSilenceIsBounded(t *testing.T) {
	h := open(t, func(_ *Options, l *limits) { l.keepalive = 1 })
	for name, keepalive := range map[string]uint16{"a1": 0, "a2": 65535} {
		raw := h.rawClient(name, h.grant(token.ForAgent("test", name)), func(c *packets.ConnectPacket) {
			c.Keepalive = keepalive
		})
		h.isCut(raw)
	}
}

// A session ends with its connection, even for a client that asks for more.
func TestSessionsAreNotKept(t *testing.T) {
	h := open(t, nil)
	hub := h.connect(h.hub("h1"))
	keep := func(c *packets.ConnectPacket) { c.CleanSession = false }
	raw := h.rawClient("watch/w1", h.grant(token.ForWatcher("test", "w1")), keep)
	h.subscribeRaw(raw, "/test/servers/#", 1)
	_ = raw.Close()
	h.until("the watcher has left", func() bool { return h.guard.sessions.count() == 1 })
	h.publish(hub, "/test/servers/192.0.2.1/selection", false, "while away")
	if n := h.server.Clients.Len(); n != 1 {
		t.Errorf("%d clients are kept, want the hub alone", n)
	}
	raw = h.rawClient("watch/w1", h.grant(token.ForWatcher("test", "w1")), keep)
	h.send(raw, packets.NewControlPacket(packets.Pingreq))
	if answer, ok := h.receive(raw).(*packets.PingrespPacket); !ok {
		t.Errorf("have %v before the answer to the ping", answer)
	}
}

func (h *house) subscribeRaw(raw net.Conn, filter string, qos byte) {
	h.t.Helper()
	subscribe := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	subscribe.MessageID, subscribe.Topics, subscribe.Qoss = 1, []string{filter}, []byte{qos}
	h.send(raw, subscribe)
	if answer := h.receive(raw).(*packets.SubackPacket); answer.ReturnCodes[0] != qos {
		h.t.Fatalf("subscribe to %s: %s", filter, answer)
	}
}

// A client whose token has run out is cut off when it does, and is let in again with a fresh one.
func TestAnExpiredClientIsCut(t *testing.T) {
	h := open(t, nil)
	watcher := h.client("watch/w1", h.grantFor(3*time.Second)(token.ForWatcher("test", "w1")))
	gone := lost(watcher)
	h.connect(watcher)
	h.loses(gone)
	h.until("it is counted", func() bool { return h.Counts().Cut == 1 })
	h.connect(h.watcher("w1"))
}

// One name doesn't take the places of all others, and no number of connections those of the machine.
func TestPlacesAreBounded(t *testing.T) {
	h := open(t, func(_ *Options, l *limits) { l.connections = maxClientsOfOne + 2 })
	password := h.grant(token.ForWatcher("test", "w1"))
	for i := range maxClientsOfOne {
		h.rawClient("watch/w1", password, func(c *packets.ConnectPacket) {
			c.ClientIdentifier = "watch/w1:" + string(rune('0'+i))
		})
	}
	asked := paho.NewClient(h.client("watch/w1", password)).Connect().(*paho.ConnectToken)
	if !asked.WaitTimeout(patience) || asked.ReturnCode() != packets.ErrRefusedServerUnavailable {
		t.Errorf("one more of the same name: have %v, want it refused", asked.Error())
	}
	h.until("the one refused has left", func() bool { return len(h.slots) == maxClientsOfOne })
	h.connect(h.watcher("w2"))
	h.connect(h.watcher("w3"))
	h.isCut(h.dial())
}

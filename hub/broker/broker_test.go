package broker

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"truechimer/hub/token"
)

// house is a broker with everything that a test needs of it.
type house struct {
	*Broker
	t      testing.TB
	signer token.Signer
}

// patience bounds every wait of these tests; what they wait for takes milliseconds, but the machine may be busy.
const patience = 20 * time.Second

func open(t testing.TB, change func(*Options, *limits)) *house {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return openOn(t, listener, change)
}

func openOn(t testing.TB, listener net.Listener, change func(*Options, *limits)) *house {
	t.Helper()
	key, err := token.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	options, limits := Options{Keys: token.NewVerifier(key.Public())}, defaultLimits()
	if change != nil {
		change(&options, &limits)
	}
	b, err := serve(listener, options, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // tests that close it themselves check that
	return &house{Broker: b, t: t, signer: token.NewSigner(key)}
}

func (h *house) url() string {
	if h.options.TLS != nil {
		return "ssl://" + h.Addr().String()
	}
	return "tcp://" + h.Addr().String()
}

func (h *house) grant(grant token.Grant, err error) string {
	return h.grantFor(time.Hour)(grant, err)
}

func (h *house) grantFor(life time.Duration) func(token.Grant, error) string {
	return func(grant token.Grant, err error) string {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
		text, err := h.signer.Sign(grant, time.Now(), life)
		if err != nil {
			h.t.Fatal(err)
		}
		return text
	}
}

// hub, agent and watcher are the options of well-behaved clients.
func (h *house) hub(id string) *paho.ClientOptions {
	return h.client("hub/"+id, h.grant(token.ForHub("test", id)))
}

func (h *house) agent(name string) *paho.ClientOptions {
	return h.client(name, h.grant(token.ForAgent("test", name)))
}

func (h *house) watcher(name string) *paho.ClientOptions {
	return h.client("watch/"+name, h.grant(token.ForWatcher("test", name)))
}

func (h *house) client(name, password string) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker(h.url()).SetClientID(name).SetUsername(name).SetPassword(password).
		SetProtocolVersion(protocol).SetConnectTimeout(patience).SetAutoReconnect(false)
}

func (h *house) connect(options *paho.ClientOptions) paho.Client {
	h.t.Helper()
	client := paho.NewClient(options)
	h.done(client.Connect())
	h.t.Cleanup(func() { client.Disconnect(0) })
	return client
}

// done waits for what paho was asked for.
func (h *house) done(asked paho.Token) {
	h.t.Helper()
	if !asked.WaitTimeout(patience) {
		h.t.Fatal("no answer from the broker")
	}
	if err := asked.Error(); err != nil {
		h.t.Fatal(err)
	}
}

// subscribe returns the messages that a filter brings.
func (h *house) subscribe(client paho.Client, filter string, qos byte) <-chan paho.Message {
	h.t.Helper()
	messages := make(chan paho.Message, 20_000)
	asked := client.Subscribe(filter, qos, func(_ paho.Client, m paho.Message) { messages <- m }).(*paho.SubscribeToken)
	h.done(asked)
	if granted := asked.Result()[filter]; granted != qos {
		h.t.Fatalf("subscribe to %s: granted %#x, want %#x", filter, granted, qos)
	}
	return messages
}

func (h *house) publish(client paho.Client, topic string, retained bool, payload string) {
	h.t.Helper()
	h.done(client.Publish(topic, 1, retained, payload))
}

// hears waits for the next message and checks what it says.
func (h *house) hears(messages <-chan paho.Message, topic, payload string) {
	h.t.Helper()
	if m := h.next(messages); m.Topic() != topic || string(m.Payload()) != payload {
		h.t.Fatalf("heard %q on %s, want %q on %s", m.Payload(), m.Topic(), payload, topic)
	}
}

// next waits for the next message.
func (h *house) next(messages <-chan paho.Message) paho.Message {
	h.t.Helper()
	select {
	case m := <-messages:
		return m
	case <-time.After(patience):
		h.t.Fatal("nothing heard")
		return nil
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

// lost tells why a client lost its connection.
func lost(options *paho.ClientOptions) <-chan error {
	reasons := make(chan error, 1)
	options.SetConnectionLostHandler(func(_ paho.Client, err error) { reasons <- err })
	return reasons
}

func (h *house) loses(reasons <-chan error) {
	h.t.Helper()
	select {
	case <-reasons:
	case <-time.After(patience):
		h.t.Fatal("the client is still connected")
	}
}

// What a hub publishes reaches who may read it, at once or when he comes later.
func TestMessagesReachTheirReaders(t *testing.T) {
	h := open(t, nil)
	hub, watcher := h.connect(h.hub("h1")), h.connect(h.watcher("w1"))
	score, sample := "/test/servers/192.0.2.1/score", "/test/servers/192.0.2.1/sample/a1"
	live := h.subscribe(watcher, "/test/servers/#", 1)
	h.publish(hub, score, true, "19.5")
	h.publish(hub, sample, false, "1")
	h.hears(live, score, "19.5")
	h.hears(live, sample, "1")

	later := h.subscribe(h.connect(h.watcher("w2")), "/test/servers/+/score", 0)
	if m := h.next(later); !m.Retained() || string(m.Payload()) != "19.5" {
		t.Errorf("have %q, retained %v", m.Payload(), m.Retained())
	}
}

// With a certificate the broker speaks TLS, and nothing else.
func TestTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	h := open(t, func(o *Options, _ *limits) {
		o.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13}
	})
	trusting := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS13}
	hub := h.connect(h.hub("h1").SetTLSConfig(trusting))
	heard := h.subscribe(hub, "/test/servers/#", 1)
	big := strings.Repeat("x", 50_000)
	h.publish(hub, "/test/servers/192.0.2.1/selection", false, big)
	h.hears(heard, "/test/servers/192.0.2.1/selection", big)

	clear := h.hub("h2")
	clear.Servers[0].Scheme = "tcp"
	asked := paho.NewClient(clear).Connect()
	if !asked.WaitTimeout(patience) || asked.Error() == nil {
		t.Error("a client without TLS was let in")
	}
}

// A port that another program has is one clear error.
func TestAPortInUseIsOneClearError(t *testing.T) {
	h := open(t, nil)
	_, err := Start(Options{Listen: h.Addr().String()})
	want := "open the port of the MQTT broker: listen tcp " + h.Addr().String() + ": bind: address already in use"
	if !errors.Is(err, syscall.EADDRINUSE) || err.Error() != want {
		t.Errorf("have error %v, want %s", err, want)
	}
}

// Start serves on the port that it was asked for.
func TestStart(t *testing.T) {
	b, err := Start(Options{Listen: "127.0.0.1:0", Keys: token.NewVerifier()})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", b.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// When the broker closes, its clients lose their connections, its port is free, and nothing of it runs on.
func TestClose(t *testing.T) {
	h := open(t, nil)
	watcher := h.watcher("w1")
	gone := lost(watcher)
	h.connect(watcher)
	silent, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	h.loses(gone)
	if n := len(h.slots); n != 0 {
		t.Errorf("%d connections are still served", n)
	}
	again, err := net.Listen("tcp", h.Addr().String())
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	_ = again.Close()
}

// A machine that is short of descriptors for a while doesn't lose its broker.
func TestTheDoorOutlastsErrors(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	poor := &poorListener{Listener: listener}
	poor.fails.Store(4)
	h := openOn(t, poor, nil)
	h.connect(h.watcher("w1"))
	if left := poor.fails.Load(); left >= 0 {
		t.Errorf("%d errors are left: the client came in without meeting them", left)
	}
}

type poorListener struct {
	net.Listener
	fails atomic.Int64
}

func (l *poorListener) Accept() (net.Conn, error) {
	if l.fails.Add(-1) >= 0 {
		return nil, syscall.EMFILE
	}
	return l.Listener.Accept()
}

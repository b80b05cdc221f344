package broker

import (
	"net"
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

package presence

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// patience bounds every wait of these tests; what they wait for takes milliseconds, but the machine may be busy.
const patience = 30 * time.Second

// stand is a broker that lets everybody in, and notes what is said on all topics.
type stand struct {
	t       *testing.T
	address string
	server  *mqtt.Server
	heard   chan string // "topic payload"
}

func newStand(t *testing.T) *stand {
	t.Helper()
	place, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{t: t, address: place.Addr().String(), heard: make(chan string, 100)}
	s.open(place)
	t.Cleanup(func() { _ = s.server.Close() })
	return s
}

func (s *stand) open(place net.Listener) {
	s.t.Helper()
	s.server = mqtt.New(&mqtt.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	note := func(_ *mqtt.Client, _ packets.Subscription, pk packets.Packet) {
		if pk.FixedHeader.Retain {
			s.heard <- pk.TopicName + " " + string(pk.Payload)
		}
	}
	for _, err := range []error{
		s.server.AddHook(&openDoor{}, nil),
		s.server.AddListener(listeners.NewNet("tcp", place)),
		s.server.Subscribe("/#", 1, note),
		s.server.Serve(),
	} {
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// openDoor is the hook that lets everybody in and do everything.
type openDoor struct{ mqtt.HookBase }

func (*openDoor) Provides(hook byte) bool {
	return hook == mqtt.OnConnectAuthenticate || hook == mqtt.OnACLCheck
}
func (*openDoor) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }
func (*openDoor) OnACLCheck(*mqtt.Client, string, bool) bool              { return true }

// reopen is a restart of the broker, which forgets everything.
func (s *stand) reopen() {
	s.t.Helper()
	if err := s.server.Close(); err != nil {
		s.t.Fatal(err)
	}
	place, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.open(place)
}

func (s *stand) options() Options {
	return Options{
		URL: "tcp://" + s.address, Env: "test", Name: "a1", Online: []byte("online"), Offline: []byte("offline"),
		Token: func() (string, error) { return "secret", nil },
	}
}

func (s *stand) start(options Options) *Presence {
	s.t.Helper()
	p, err := Start(options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		p.stop()
		<-p.gone
	})
	return p
}

// hears waits for the next word on the agent's status.
func (s *stand) hears(want string) {
	s.t.Helper()
	if have := s.next(); have != "/test/monitors/status/a1/status "+want {
		s.t.Fatalf("heard %q, want %q", have, want)
	}
}

func (s *stand) next() string {
	s.t.Helper()
	select {
	case have := <-s.heard:
		return have
	case <-time.After(patience):
		s.t.Fatal("nothing heard")
		return ""
	}
}

// An agent is online while it runs and offline once it has left; both are said once, and kept by the broker.
func TestAnAgentComesAndLeaves(t *testing.T) {
	s := newStand(t)
	p := s.start(s.options())
	s.hears("online")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := p.Close(ctx); err != nil {
		t.Errorf("closed again: %v", err)
	}
	s.hears("offline")
	s.start(s.options())
	s.hears("online") // and not "offline" twice
}

// An agent that is gone without a word is reported by the broker.
func TestAnAgentThatIsGoneIsReported(t *testing.T) {
	s := newStand(t)
	p := s.start(s.options())
	s.hears("online")
	p.stop()
	s.hears("offline")
}

// After the broker was away, the agent says again that it is there.
func TestAnAgentIsBackAfterTheBroker(t *testing.T) {
	s := newStand(t)
	s.start(s.options())
	s.hears("online")
	for range 2 {
		s.reopen()
		if heard := s.next(); heard == "/test/monitors/status/a1/status offline" {
			s.hears("online") // the closing broker had time to report the agent
		} else if heard != "/test/monitors/status/a1/status online" {
			t.Errorf("heard %q", heard)
		}
	}
}

// A token that is about to expire is replaced without anybody hearing that the agent was away.
func TestTokensAreRenewedInSilence(t *testing.T) {
	s := newStand(t)
	var made atomic.Int64
	options := s.options()
	options.Token = func() (string, error) {
		if made.Add(1) == 2 {
			return "", errors.New("no access yet") // tried again
		}
		claims := jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(time.Now().Add(2 * time.Second))}
		return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("secret"))
	}
	s.start(options)
	for range 3 {
		s.hears("online")
	}
	if have := made.Load(); have < 4 {
		t.Errorf("%d tokens were made for three connections and a failure", have)
	}
}

// An agent that can't tell the broker in time leaves all the same, and says so.
func TestLeavingDoesNotTakeForEver(t *testing.T) {
	s := newStand(t)
	_ = s.server.Close()
	p := s.start(s.options())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Close(ctx); err == nil {
		t.Error("no error, though nobody heard")
	}
	s.server = mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)}) // for the end of the test
}

// What can't work at all is said at once.
func TestWhatCantWorkIsSaidAtOnce(t *testing.T) {
	s := newStand(t)
	for name, change := range map[string]func(*Options){
		"a name with a wildcard": func(o *Options) { o.Name = "a+" },
		"no deployment mode":     func(o *Options) { o.Env = "" },
		"a URL of a web page":    func(o *Options) { o.URL = "http://broker.example" },
	} {
		options := s.options()
		change(&options)
		if _, err := Start(options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

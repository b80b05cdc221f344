package broker

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"

	"truechimer/hub/token"
)

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

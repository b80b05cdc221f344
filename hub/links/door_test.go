package links

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"

	"truechimer/actors/port"
	"truechimer/hub/authority"
	"truechimer/messages"
)

// Nobody gets in without a certificate of this hub's authority that holds today and names an agent.
func TestOnlyAgentsGetIn(t *testing.T) {
	ours := newAuthority(t, time.Now())
	identity := identityOf(t, ours, "fra1", time.Now())
	for _, row := range []struct {
		name   string
		change func(*tls.Config)
		want   string // in the hub's log; empty: it gets in
	}{
		{"an agent", func(*tls.Config) {}, ""},
		{"nobody", func(c *tls.Config) { c.Certificates = nil }, "didn't provide a certificate"},
		{"an agent of another authority", func(c *tls.Config) {
			c.Certificates = identityOf(t, newAuthority(t, time.Now()), "fra1", time.Now()).Certificates
			// Go's client keeps back a certificate that isn't of an authority the hub has asked for.
			certificate := c.Certificates[0]
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
		}, "unknown authority"},
		{"an agent whose certificate has expired", func(c *tls.Config) {
			c.Certificates = identityOf(t, ours, "fra1", time.Now().Add(-authority.AgentLife-time.Minute)).Certificates
		}, "expired"},
		{"an agent whose certificate doesn't hold yet", func(c *tls.Config) {
			c.Certificates = identityOf(t, ours, "fra1", time.Now().Add(48*time.Hour)).Certificates
		}, "expired"},
		{"a hub", func(c *tls.Config) {
			hub, err := ours.ServerTLS()
			if err != nil {
				t.Fatal(err)
			}
			c.Certificates = hub.Certificates
		}, "incompatible key usage"},
		{"one with an older TLS", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, "unsupported versions"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log journal
			h := open(t, plan{authority: ours, log: zerolog.New(&log)})
			config := identity.Clone()
			row.change(config)
			err := firstWord(h, config)
			if row.want == "" {
				if err != nil {
					t.Errorf("it didn't get in: %v", err)
				}
				return
			}
			h.wantCount(countTurnedAway, 1)
			if err == nil || !strings.Contains(log.text(), row.want) || len(h.gateway) > 0 {
				t.Errorf("it heard %v, want %q in the hub's log:\n%s", err, row.want, log.text())
			}
		})
	}
}

// firstWord makes a link and waits for the first word over it.
func firstWord(h *house, config *tls.Config) error {
	a, err := h.call("fra1", config)
	if err != nil {
		return err
	}
	var frame []byte
	return a.stream.RecvMsg(&frame)
}

// A certificate is of an agent only if it has an agent's name.
func TestACertificateNamesAnAgent(t *testing.T) {
	named := func(name string) tls.ConnectionState {
		certificate := new(x509.Certificate)
		certificate.Subject.CommonName = name
		return tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{certificate}, VerifiedChains: [][]*x509.Certificate{{certificate}},
		}
	}
	unverified := named("fra1")
	unverified.VerifiedChains = nil
	for _, row := range []struct {
		name  string
		state tls.ConnectionState
		want  string
	}{
		{"an agent", named("fra1.example"), "fra1.example"},
		{"no name", named(""), ""},
		{"a path", named("fra1/../hub"), ""},
		{"an unverified one", unverified, ""},
		{"no certificate", tls.ConnectionState{}, ""},
	} {
		if have, err := agentOf(credentials.TLSInfo{State: row.state}); have != row.want || (err == nil) != (row.want != "") {
			t.Errorf("%s: have %q, %v", row.name, have, err)
		}
	}
}

// Who says nothing loses its place, and so does who has a certificate and then says nothing, or makes no link.
func TestTheSilentAreCut(t *testing.T) {
	h := open(t, plan{limits: func(l *limits) { l.handshake = 200 * time.Millisecond }})
	stranger, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	config := h.identity("fra1")
	config.NextProtos = []string{"h2"}
	agent, err := tls.Dial("tcp", h.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close()
	for name, conn := range map[string]net.Conn{"a stranger": stranger, "an agent": agent} {
		if err := readToEnd(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s wasn't cut", name)
		}
	}
	idle := h.client(h.identity("nyc1"))
	idle.Connect()
	for _, state := range []connectivity.State{connectivity.Idle, connectivity.Connecting, connectivity.Ready} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if !idle.WaitForStateChange(ctx, state) {
			t.Errorf("an agent without a link wasn't cut: its connection is %v", idle.GetState())
		}
		cancel()
	}
	waitFor(t, "their places to be free", func() bool {
		return h.guests() == 0 && h.connections("fra1") == 0 && h.connections("nyc1") == 0
	})
}

// readToEnd reads until the other side closes, but not longer than the test may take.
func readToEnd(conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	return err
}

// guests is how many connections have no link yet.
func (h *house) guests() int {
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	return len(h.door.guests)
}

// A flood of connections without a certificate takes the places for such, and no more. When they go, agents get in.
func TestAFloodOfStrangersIsBounded(t *testing.T) {
	const places, flood = 5, 50
	h := open(t, plan{limits: func(l *limits) { l.guests = places }})
	early := h.join("fra1")
	var strangers []net.Conn
	for range flood {
		conn, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		strangers = append(strangers, conn)
	}
	h.wantCount(countTurnedAway, flood-places)
	if n := h.guests(); n != places {
		t.Errorf("%d strangers are in, want %d", n, places)
	}
	if _, err := h.call("nyc1", h.identity("nyc1")); err == nil {
		t.Error("there was a place where there is none")
	}
	early.hello()
	wantHeard[*messages.Hello](h)
	for _, conn := range strangers {
		conn.Close()
	}
	waitFor(t, "the strangers to be gone", func() bool { return h.guests() == 0 })
	h.join("nyc1").hello()
	wantHeard[*messages.Hello](h)
}

// An agent that makes more and more connections takes no places of others.
func TestAnAgentHasFewConnections(t *testing.T) {
	const places = 3
	h := open(t, plan{limits: func(l *limits) { l.ofOne = places }})
	var links []*agent
	for range places {
		links = append(links, h.join("fra1"))
	}
	if _, err := h.call("fra1", h.identity("fra1")); err == nil {
		t.Error("it got one more")
	}
	h.wantCount(countTurnedAway, 1)
	h.join("nyc1")
	links[0].vanish()
	waitFor(t, "the connection to end", func() bool { return h.connections("fra1") < places })
	h.join("fra1")
}

// Close doesn't wait for those who say nothing, whether they have a certificate or not.
func TestCloseDoesNotWaitForTheSilent(t *testing.T) {
	h := open(t, plan{limits: func(l *limits) { l.handshake = time.Hour }})
	stranger, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	config := h.identity("fra1")
	config.NextProtos = []string{"h2"}
	agent, err := tls.Dial("tcp", h.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close()
	waitFor(t, "them to be in", func() bool { return h.guests() == 2 && h.connections("fra1") == 1 })
	h.Close(context.Background())
	for name, conn := range map[string]net.Conn{"the stranger": stranger, "the agent": agent} {
		if err := readToEnd(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s wasn't cut", name)
		}
	}
}

// A hub whose system can't accept for a while goes on when it can again, and says in its log what was wrong.
func TestAcceptGoesOnAfterErrors(t *testing.T) {
	var log journal
	h := open(t, plan{
		log: zerolog.New(&log),
		listener: func(l net.Listener) net.Listener {
			return &sickly{Listener: l, errors: []error{syscall.EMFILE, syscall.EPERM, syscall.ENOBUFS}}
		},
	})
	h.join("fra1")
	wantGateway[port.LinkOpened](h)
	for _, want := range []string{"too many open files", "operation not permitted", "no buffer space"} {
		if !strings.Contains(log.text(), want) {
			t.Errorf("want %q in the log, have\n%s", want, log.text())
		}
	}
}

// sickly is a listener that can't accept at first.
type sickly struct {
	net.Listener
	errors []error
}

func (l *sickly) Accept() (net.Conn, error) {
	if len(l.errors) == 0 {
		return l.Listener.Accept()
	}
	err := l.errors[0]
	l.errors = l.errors[1:]
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
}

// An address that is in use is named, with what to do.
func TestListenNamesAnAddressInUse(t *testing.T) {
	h := open(t, plan{})
	_, err := Listen(Options{Address: h.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), h.Addr().String()) || !strings.Contains(err.Error(), "--agent-listen") {
		t.Errorf("have %v", err)
	}
}

package agentnode

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"truechimer/actors/port"
	"truechimer/agentnode/identity"
	"truechimer/agentnode/ntp"
	"truechimer/messages"
	"truechimer/pool"
)

// patience bounds every wait of these tests; what they wait for takes milliseconds, but the machine may be busy.
const patience = 30 * time.Second

// machine is the runtime of this machine. It implements port.Runtime.
type machine struct{ started time.Time }

func (machine) Now() time.Time           { return time.Now().UTC() }
func (m machine) Elapsed() time.Duration { return time.Since(m.started) }
func (machine) Rand(string) *rand.Rand   { return rand.New(rand.NewPCG(1, 2)) }
func (machine) Sometimes(string)         {}

func (machine) AfterFunc(d time.Duration, f func()) (stop func()) {
	timer := time.AfterFunc(d, f)
	return func() { timer.Stop() }
}

// unseen is an agent's presence that nobody sees.
type unseen struct{}

func (unseen) Announce(*messages.LiveAccess, *messages.LiveAgent) {}
func (unseen) Withdraw()                                          {}

// awaitThat waits until a condition holds.
func awaitThat(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	bound := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-bound:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// goroutines counts those that run code of ours, but for the tests themselves.
func goroutines() int {
	text := make([]byte, 1<<20)
	text = text[:runtime.Stack(text, true)]
	ours := 0
	for stack := range strings.SplitSeq(string(text), "\n\n") {
		if strings.Contains(stack, "truechimer/") && !strings.Contains(stack, "testing.tRunner") {
			ours++
		}
	}
	return ours
}

// An agent ends at once, and leaves nothing behind, whether its hub refuses, or takes the connection and says nothing.
func TestAnAgentEndsWithoutAHub(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for name, hub := range map[string]net.Addr{"silent": silent.Addr(), "gone": gone.Addr()} {
		t.Run(name, func(t *testing.T) {
			agent, err := Start(Options{
				Identity: identity.Identity{Name: "alpha", Hub: hub.String(), TLS: &tls.Config{ServerName: "hub"}},
				Runtime:  machine{time.Now()}, Log: zerolog.Nop(), Presence: unseen{},
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			began := time.Now()
			agent.Close(ctx)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s to end", took)
			}
			awaitThat(t, "no goroutine of the agent is left", func() bool { return goroutines() == 0 })
		})
	}
}

// A query that is under way when the agent ends is given up, and none begins after it.
func TestNothingGoesOnOutdoorsAfterTheEnd(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0") // it never answers
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	addr := netip.MustParseAddrPort(server.LocalAddr().String())
	o := newOutdoors()
	p := prober{o, ntp.New(ntp.Options{Timeout: patience})}
	answered := make(chan pool.Sample, 2)
	p.Query(addr, netip.Addr{}, func(s pool.Sample) { answered <- s })
	var query [64]byte
	if _, _, err := server.ReadFrom(query[:]); err != nil {
		t.Fatal(err)
	}
	o.close()
	p.Query(addr, netip.Addr{}, func(s pool.Sample) { answered <- s })
	resolver{o}.Resolve("localhost", func(port.Resolved) { t.Error("a look-up began after the end") })
	o.under.Wait()
	if n := len(answered); n != 1 {
		t.Errorf("want the query that was under way answered, and no other, have %d answers", n)
	}
	if s := <-answered; !s.NoReply {
		t.Errorf("want no reply, have %+v", s)
	}
}

// A look-up answers in a stable order, IPv4 as IPv4.
func TestALookUpAnswersInOrder(t *testing.T) {
	o := newOutdoors()
	defer o.close()
	answered := make(chan port.Resolved, 1)
	resolver{o}.Resolve("::ffff:127.0.0.1", func(r port.Resolved) { answered <- r })
	select {
	case r := <-answered:
		if r.Err != nil || len(r.Addrs) != 1 || r.Addrs[0] != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("want 127.0.0.1, have %v %v", r.Addrs, r.Err)
		}
	case <-time.After(patience):
		t.Fatal("no answer")
	}
}

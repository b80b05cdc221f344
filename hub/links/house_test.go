package links

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/hub/authority"
	"truechimer/messages"
)

// patience bounds every wait of these tests; what they wait for takes milliseconds, but the machine may be busy.
const patience = 30 * time.Second

// house is the hub's end of links with what is behind them, as simple as can be: a gateway that makes a session
// for each link, and sessions that say welcome and tell the test what they hear.
type house struct {
	*Links
	t         testing.TB
	authority *authority.Authority
	gateway   chan any   // what the gateway has heard
	heard     chan heard // what the sessions have heard
	served    chan error // what Serve has returned
	tally     tally
}

// heard is a message as it came to a session.
type heard struct {
	link    uint64
	message any
	sender  *actor.PID
}

// mark is a message from within the hub, to tell what came before it.
type mark struct{}

// plan is what a test wants otherwise in its house.
type plan struct {
	limits    func(*limits)
	listener  func(net.Listener) net.Listener
	authority *authority.Authority
	// onOpened is what the gateway does about a new link instead of spawning its session.
	onOpened func(*house, port.LinkOpened)
	// onHeard is what a session does about a message instead of telling the test.
	onHeard func(actor.Context, heard)
	log     zerolog.Logger
}

func open(t testing.TB, p plan) *house {
	t.Helper()
	h := &house{
		t: t, authority: p.authority,
		gateway: make(chan any, 10_000), heard: make(chan heard, 100_000), served: make(chan error, 1),
	}
	if h.authority == nil {
		h.authority = newAuthority(t, time.Now())
	}
	config, err := h.authority.ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if p.listener != nil {
		listener = p.listener(listener)
	}
	limits := defaultLimits()
	if p.limits != nil {
		p.limits(&limits)
	}
	system := port.NewSystem(messages.HubAddress, zerolog.Nop())
	h.Links = listenOn(listener, Options{TLS: config, System: system, Count: h.tally.count, Log: p.log}, limits)
	h.spawnGateway(p)
	go func() { h.served <- h.Serve() }()
	t.Cleanup(h.close)
	return h
}

func newAuthority(t testing.TB, now time.Time) *authority.Authority {
	t.Helper()
	text, err := authority.New(now)
	if err != nil {
		t.Fatal(err)
	}
	a, err := authority.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// close ends the house, and sees that nobody is left in it.
func (h *house) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.Close(ctx)
	if err := await(h.t, h.served); err != nil {
		h.t.Errorf("Serve: %v", err)
	}
	waitFor(h.t, "the links' goroutines to end", func() bool { return !strings.Contains(stacks(), "links.(*link).") })
}

// stacks are those of all goroutines.
func stacks() string {
	text := make([]byte, 1<<20)
	return string(text[:runtime.Stack(text, true)])
}

func (h *house) spawnGateway(p plan) {
	onOpened := p.onOpened
	if onOpened == nil {
		onOpened = func(h *house, opened port.LinkOpened) { h.spawnSession(opened, p.onHeard) }
	}
	props := actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case port.LinkOpened:
			onOpened(h, m)
			h.gateway <- m
		case port.LinkClosed, mark:
			h.gateway <- m
		}
	})
	if _, err := h.system.Root.SpawnNamed(props, hubside.Gateway(h.system).Id); err != nil {
		h.t.Fatal(err)
	}
}

// spawnSession makes the session of a link, which says welcome at once.
func (h *house) spawnSession(opened port.LinkOpened, onHeard func(actor.Context, heard)) {
	if onHeard == nil {
		onHeard = func(_ actor.Context, m heard) { h.heard <- m }
	}
	props := actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Send(agentActor(opened.Agent, agentRoot), welcomeOf(ctx.Self().Id, opened))
		case *actor.Stopping, *actor.Stopped:
		default:
			onHeard(ctx, heard{opened.Link, m, ctx.Sender()})
		}
	})
	if _, err := h.system.Root.SpawnNamed(props, hubside.Session(h.system, opened.Agent, opened.Link).Id); err != nil {
		panic(err)
	}
}

func welcomeOf(session string, opened port.LinkOpened) *messages.Welcome {
	return &messages.Welcome{SessionId: opened.Session, Agent: opened.Agent, Session: session}
}

// agentActor is an actor of an agent, as the hub's actors know it.
func agentActor(agent, id string) *actor.PID { return actor.NewPID(messages.AgentAddress(agent), id) }

// say sends a message to the agent's root actor, from nobody.
func (h *house) say(agent string, m proto.Message) {
	h.system.Root.Send(agentActor(agent, agentRoot), m)
}

// identity is what an agent has: its certificate and the authority's.
func (h *house) identity(name string) *tls.Config {
	h.t.Helper()
	return identityOf(h.t, h.authority, name, time.Now())
}

// identityOf is an identity of an authority, issued at a time.
func identityOf(t testing.TB, a *authority.Authority, name string, now time.Time) *tls.Config {
	t.Helper()
	issued, err := a.IssueAgent(name, "hub.example:7443", now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(issued.PEM, issued.PEM)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(issued.PEM)
	pair.Certificate = pair.Certificate[:1]
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: messages.HubCertificateName,
	}
}

// journal is a log that tests can read.
type journal struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(line)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// tally counts as a hub's metrics do.
type tally struct {
	mu sync.Mutex
	of map[string]int
}

func (c *tally) count(what, kind string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[string]int)
	}
	c.of[what+": "+kind] += n
}

func (c *tally) have(kind string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[port.CountLinks+": "+kind]
}

// wantCount waits until a kind was counted so often.
func (h *house) wantCount(kind string, want int) {
	h.t.Helper()
	waitFor(h.t, fmt.Sprintf("%s to be counted %d times", kind, want), func() bool { return h.tally.have(kind) >= want })
	if have := h.tally.have(kind); have != want {
		h.t.Errorf("%s: counted %d times, want %d", kind, have, want)
	}
}

// wantHeard waits for the next message to a session, which has to be of a kind.
func wantHeard[M any](h *house) heard {
	h.t.Helper()
	next := await(h.t, h.heard)
	if _, is := next.message.(M); !is {
		h.t.Fatalf("the session of link %d heard a %T, want a %T", next.link, next.message, *new(M))
	}
	return next
}

// wantGateway waits for the next message to the gateway, which has to be of a kind.
func wantGateway[M any](h *house) M {
	h.t.Helper()
	next := await(h.t, h.gateway)
	m, is := next.(M)
	if !is {
		h.t.Fatalf("the gateway heard %+v, want a %T", next, m)
	}
	return m
}

func await[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case x := <-c:
		return x
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// waitFor waits until a condition holds.
func waitFor(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

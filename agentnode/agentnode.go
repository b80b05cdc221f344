// Package agentnode is the agent node: it wires the actors of package agentside to the network, to the link with
// the hub, and runs them until it is closed.
package agentnode

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"truechimer/actors/agentside"
	"truechimer/actors/port"
	"truechimer/agentnode/identity"
	"truechimer/agentnode/link"
	"truechimer/agentnode/ntp"
	"truechimer/messages"
	"truechimer/pool"
)

// Options for Start.
type Options struct {
	Identity     identity.Identity
	Version      string // of the program
	Runtime      port.Runtime
	Log          zerolog.Logger
	Presence     port.Presence // shows over MQTT that the agent is there
	AllowPrivate bool          // addresses that aren't of the internet may be probed too: in tests and labs
}

// Agent is a running agent.
type Agent struct {
	system   *actor.ActorSystem
	root     *actor.PID
	link     *link.Link
	outdoors *outdoors
}

// Start starts the agent's actors: they join the hub, and come back to it when the link is lost.
func Start(options Options) (*Agent, error) {
	log := options.Log.With().Str("agent", options.Identity.Name).Logger()
	system := port.NewSystem(messages.AgentAddress(options.Identity.Name), log)
	a := &Agent{
		system: system,
		link: link.New(link.Options{
			Hub: options.Identity.Hub, TLS: options.Identity.TLS, Until: options.Identity.Until, System: system, Log: log,
		}),
		outdoors: newOutdoors(),
	}
	var err error
	a.root, err = agentside.Spawn(agentside.Config{
		Node:         &port.Node{System: system, Runtime: options.Runtime, Log: log},
		Prober:       prober{a.outdoors, ntp.New(ntp.Options{Now: options.Runtime.Now})},
		Resolver:     resolver{a.outdoors},
		Link:         a.link,
		Presence:     options.Presence,
		Version:      options.Version,
		AllowPrivate: options.AllowPrivate,
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Close ends the agent: it says goodbye to the hub, and gives up the probes that are under way. When the context ends
// first, the hub finds out by itself.
func (a *Agent) Close(ctx context.Context) {
	within(ctx, func() { a.system.Root.StopFuture(a.root).Wait() })
	a.outdoors.close()
	a.link.Close() // where its actor didn't
	a.link.Wait(ctx)
	within(ctx, a.outdoors.under.Wait)
}

// within waits for something at most until the context ends.
func within(ctx context.Context, wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// outdoors is what goes on outside of the actors: queries and look-ups, which end with the agent.
type outdoors struct {
	ctx  context.Context
	stop context.CancelFunc

	mu     sync.Mutex
	closed bool // nothing begins any more
	under  sync.WaitGroup
}

func newOutdoors() *outdoors {
	ctx, stop := context.WithCancel(context.Background())
	return &outdoors{ctx: ctx, stop: stop}
}

// begin runs a query or a look-up on a goroutine of its own.
func (o *outdoors) begin(ask func(ctx context.Context)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.under.Go(func() { ask(o.ctx) })
	}
}

// close gives up all that is under way, and lets nothing begin any more.
func (o *outdoors) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.stop()
}

// prober is the network. It implements port.Prober.
type prober struct {
	outdoors *outdoors
	client   *ntp.Client
}

// Query asks a server.
func (p prober) Query(server netip.AddrPort, local netip.Addr, answer func(pool.Sample)) {
	p.outdoors.begin(func(ctx context.Context) { answer(p.client.Query(ctx, server, local)) })
}

// resolveWithin bounds a look-up: the clock guard waits for it before it can judge.
const resolveWithin = 10 * time.Second

// resolver is the system's. It implements port.Resolver.
type resolver struct{ outdoors *outdoors }

// Resolve looks a name up.
func (r resolver) Resolve(host string, answer func(port.Resolved)) {
	r.outdoors.begin(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, resolveWithin)
		defer cancel()
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		for i, addr := range addrs {
			addrs[i] = addr.Unmap()
		}
		slices.SortFunc(addrs, netip.Addr.Compare)
		answer(port.Resolved{Addrs: addrs, Err: err})
	})
}

// Package agentnode is the agent node: it wires the actors of package agentside to the network, to the link with
// the hub, and runs them until it is closed.
package agentnode

import (
	"context"
	"net"
	"net/netip"
	"slices"
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
	system *actor.ActorSystem
	root   *actor.PID
	link   *link.Link
	stop   context.CancelFunc
}

// Start starts the agent's actors: they join the hub, and come back to it when the link is lost.
func Start(options Options) (*Agent, error) {
	log := options.Log.With().Str("agent", options.Identity.Name).Logger()
	system := port.NewSystem(messages.AgentAddress(options.Identity.Name), log)
	ctx, stop := context.WithCancel(context.Background())
	a := &Agent{system: system, stop: stop}
	a.link = link.New(link.Options{Hub: options.Identity.Hub, TLS: options.Identity.TLS, System: system, Log: log})
	var err error
	a.root, err = agentside.Spawn(agentside.Config{
		Node:         &port.Node{System: system, Runtime: options.Runtime, Log: log},
		Prober:       prober{ctx: ctx, client: ntp.New(ntp.Options{Now: options.Runtime.Now})},
		Resolver:     resolver{ctx: ctx},
		Link:         a.link,
		Presence:     options.Presence,
		Version:      options.Version,
		AllowPrivate: options.AllowPrivate,
	})
	if err != nil {
		stop()
		return nil, err
	}
	return a, nil
}

// Close ends the agent: it says goodbye to the hub, and gives up the bursts that are under way.
func (a *Agent) Close(ctx context.Context) {
	stopped := make(chan struct{})
	go func() {
		a.system.Root.StopFuture(a.root).Wait() // an actor that doesn't stop is left behind with the process
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-ctx.Done():
	}
	a.link.Close() // where its actor didn't
	a.link.Wait(ctx)
	a.stop()
}

// prober is the network. It implements port.Prober.
type prober struct {
	ctx    context.Context // ends with the agent
	client *ntp.Client
}

// Query asks on a goroutine of its own.
func (p prober) Query(server netip.AddrPort, local netip.Addr, answer func(pool.Sample)) {
	go func() { answer(p.client.Query(p.ctx, server, local)) }()
}

// resolveWithin bounds a look-up: the clock guard waits for it before it can judge.
const resolveWithin = 10 * time.Second

// resolver is the system's. It implements port.Resolver.
type resolver struct{ ctx context.Context }

// Resolve looks a name up on a goroutine of its own.
func (r resolver) Resolve(host string, answer func(port.Resolved)) {
	go func() {
		ctx, cancel := context.WithTimeout(r.ctx, resolveWithin)
		defer cancel()
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		for i, addr := range addrs {
			addrs[i] = addr.Unmap()
		}
		slices.SortFunc(addrs, netip.Addr.Compare)
		answer(port.Resolved{Addrs: addrs, Err: err})
	}()
}

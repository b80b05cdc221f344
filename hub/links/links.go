// Package links is the hub's end of the connections that agents make: one gRPC stream each, over TLS 1.3 with
// certificates on both sides. Who an agent is, its certificate says; whom it may write to is its own session.
// What the connections mean is the business of the gateway and session actors.
package links

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/oklog/ulid/v2"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/messages"
)

// What is counted, as kinds of port.CountLinks.
const (
	countTurnedAway = "turned away"      // connections without a certificate of ours, or too many
	countRefused    = "message refused"  // of an agent, that isn't well-formed or not for its session
	countUnknown    = "message unknown"  // of an agent that is newer than this hub
	countMalformed  = "malformed"        // links that ended over what the agent sent
	countStuck      = "stuck"            // links that ended since the agent didn't read
	countUnsent     = "message not sent" // that no agent takes
)

// errGoingDown is what agents are told when the hub closes.
var errGoingDown = status.Error(codes.Unavailable, "the hub is going down")

// Options for Listen.
type Options struct {
	Address string      // host:port to listen on
	TLS     *tls.Config // the hub's certificate, and the CA that agents' must be from
	System  *actor.ActorSystem
	Count   port.Count
	Log     zerolog.Logger
}

// Links serves agents' connections. It implements port.Links.
type Links struct {
	system *actor.ActorSystem
	count  func(kind string)
	log    zerolog.Logger
	limits limits

	door      *door
	server    *grpc.Server
	receiving sync.WaitGroup // links that are being read

	mu      sync.Mutex
	closing bool
	last    uint64
	ids     *ulid.MonotonicEntropy // of sessions: in one millisecond too a later one is greater
	byAgent map[string]*link       // the newest of each agent
	open    map[uint64]*link
}

var _ port.Links = (*Links)(nil)

// Listen takes the address and makes agents' actors reachable for those of the system. It must come before
// anything else that resolves addresses in the system. Nobody is let in before Serve.
func Listen(options Options) (*Links, error) {
	listener, err := net.Listen("tcp", options.Address)
	if err != nil {
		return nil, fmt.Errorf("listen for agents on %s: %w; choose another address with --agent-listen", options.Address, err)
	}
	return listenOn(listener, options, defaultLimits()), nil
}

func listenOn(listener net.Listener, options Options, limits limits) *Links {
	l := &Links{
		system:  options.System,
		count:   func(kind string) { options.Count(port.CountLinks, kind, 1) },
		log:     options.Log,
		limits:  limits,
		ids:     ulid.Monotonic(rand.Reader, 0),
		byAgent: make(map[string]*link),
		open:    make(map[uint64]*link),
	}
	l.door = newDoor(listener, limits, l.count, l.log)
	l.server = newServer(keeper{credentials.NewTLS(options.TLS), l.door}, limits)
	l.server.RegisterService(service(), l)
	options.System.ProcessRegistry.RegisterAddressResolver(l.resolve)
	return l
}

func newServer(creds credentials.TransportCredentials, limits limits) *grpc.Server {
	return grpc.NewServer(
		grpc.Creds(creds),
		grpc.ForceServerCodec(messages.FrameCodec{}),
		grpc.MaxRecvMsgSize(messages.MaxFrame),
		grpc.MaxConcurrentStreams(1),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.StaticStreamWindowSize(window),
		grpc.StaticConnWindowSize(window),
		grpc.ReadBufferSize(readBuffer),
		grpc.ConnectionTimeout(limits.handshake),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: pingAfter, Timeout: pingWithin, MaxConnectionIdle: limits.handshake,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingLeast}),
	)
}

// service describes messages.LinkMethod for gRPC.
func service() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: "truechimer.AgentLink",
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{
			StreamName:    "Connect",
			ServerStreams: true,
			ClientStreams: true,
			Handler:       func(l any, stream grpc.ServerStream) error { return l.(*Links).serve(stream) },
		}},
	}
}

// Addr is where agents are awaited.
func (l *Links) Addr() net.Addr { return l.door.Addr() }

// Serve lets agents in until Close.
func (l *Links) Serve() error {
	if err := l.server.Serve(l.door); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve agents: %w", err)
	}
	return nil
}

// Close ends all links after what was sent, and waits until the gateway has been told of it. When the context ends,
// it cuts what is left.
func (l *Links) Close(ctx context.Context) {
	l.mu.Lock()
	l.closing = true
	open := slices.Collect(maps.Values(l.open))
	l.mu.Unlock()
	for _, link := range open {
		link.end(errGoingDown, nil)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.server.GracefulStop()
		l.receiving.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		l.server.Stop()
		<-done
	}
	l.door.Close() // where it was never served
}

// Hang ends a connection after what was sent, and last the dismissal, if any.
func (l *Links) Hang(number uint64, dismissal *messages.Dismissal) {
	l.mu.Lock()
	link := l.open[number]
	l.mu.Unlock()
	switch {
	case link == nil:
	case dismissal != nil:
		link.dismiss(dismissal)
	default:
		link.end(nil, nil)
	}
}

// newest is the newest link of an agent, nil if it has none.
func (l *Links) newest(agent string) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byAgent[agent]
}

// Agents is how many agents have a link now.
func (l *Links) Agents() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.byAgent)
}

// serve is the life of one link. The stream ends with it, and that ends the reading of it.
func (l *Links) serve(stream grpc.ServerStream) error {
	p, _ := peer.FromContext(stream.Context())
	who, is := p.AuthInfo.(caller)
	if !is {
		return status.Error(codes.Unauthenticated, "no certificate")
	}
	l.door.seat(who.visitor)
	link, err := l.enter(who, remoteOf(p), stream)
	if err != nil {
		return err
	}
	l.receiving.Go(func() {
		link.end(link.receive(), nil)
		l.leave(link)
	})
	return link.write()
}

// enter makes a link the newest one of its agent, and tells the gateway. The gateway hears of links in the order of
// their numbers: it takes the last one that it hears of for the newest.
func (l *Links) enter(who caller, remote netip.Addr, stream grpc.ServerStream) (*link, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil, errGoingDown
	}
	l.last++
	link := &link{
		number:  l.last,
		agent:   who.agent,
		session: ulid.MustNew(ulid.Now(), l.ids).String(),
		target:  hubside.Session(l.system, who.agent, l.last),
		stream:  stream,
		cut:     who.visitor.Close,
		links:   l,
		log:     l.log.With().Str("agent", who.agent).Uint64("link", l.last).Logger(),
		out:     newOutbox(l.limits.queue, l.limits.queueBytes),
	}
	l.byAgent[link.agent], l.open[link.number] = link, link
	l.system.Root.Send(hubside.Gateway(l.system), port.LinkOpened{
		Link: link.number, Agent: link.agent, Session: link.session, Remote: remote,
	})
	return link, nil
}

// leave forgets a link from which nothing comes any more, and tells the gateway.
func (l *Links) leave(link *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, link.number)
	if l.byAgent[link.agent] == link {
		delete(l.byAgent, link.agent)
	}
	link.log.Debug().AnErr("reason", link.why).Msg("link ended")
	l.system.Root.Send(hubside.Gateway(l.system), port.LinkClosed{Link: link.number})
}

// remoteOf is the address that a link comes from; invalid: it isn't known.
func remoteOf(p *peer.Peer) netip.Addr {
	at, err := netip.ParseAddrPort(p.Addr.String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

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
	"net"
	"net/netip"
	"sync"
	"time"

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

const (
	// pingAfter and pingWithin find a dead peer within 15 s; agents may ping every 5 s themselves.
	pingAfter  = 10 * time.Second
	pingWithin = 5 * time.Second
	pingLeast  = 5 * time.Second
	// handshakeWithin bounds how long a connection may take to show its certificate.
	handshakeWithin = 10 * time.Second
)

// What is counted, as kinds of port.CountLinks.
const (
	countRefused = "message refused"
	countUnknown = "message unknown"
)

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
	count  func(kind string, n int)
	log    zerolog.Logger

	listener net.Listener
	server   *grpc.Server

	mu      sync.Mutex
	last    uint64
	byAgent map[string]*link // the newest of each agent
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
	l := &Links{
		system:   options.System,
		count:    func(kind string, n int) { options.Count(port.CountLinks, kind, n) },
		log:      options.Log,
		listener: listener,
		byAgent:  make(map[string]*link),
		open:     make(map[uint64]*link),
	}
	l.server = grpc.NewServer(
		grpc.Creds(credentials.NewTLS(options.TLS)),
		grpc.ForceServerCodec(messages.FrameCodec{}),
		grpc.MaxRecvMsgSize(messages.MaxFrame),
		grpc.MaxConcurrentStreams(1),
		grpc.ConnectionTimeout(handshakeWithin),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pingWithin}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingLeast, PermitWithoutStream: true}),
	)
	l.server.RegisterService(service(), l)
	options.System.ProcessRegistry.RegisterAddressResolver(l.resolve)
	return l, nil
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
func (l *Links) Addr() net.Addr { return l.listener.Addr() }

// Serve lets agents in until Close.
func (l *Links) Serve() error {
	if err := l.server.Serve(l.listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve agents: %w", err)
	}
	return nil
}

// Close ends all links, and waits until they have ended or the context has.
func (l *Links) Close(ctx context.Context) {
	l.mu.Lock()
	for _, link := range l.open {
		link.hang(nil)
	}
	l.mu.Unlock()
	done := make(chan struct{})
	go func() {
		l.server.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		l.server.Stop()
	}
	l.listener.Close() // where it was never served
}

// Hang ends a connection.
func (l *Links) Hang(number uint64, dismissal *messages.Dismissal) {
	l.mu.Lock()
	link := l.open[number]
	l.mu.Unlock()
	if link != nil {
		link.hang(dismissal)
	}
}

// newest is the newest link of an agent, nil if it has none.
func (l *Links) newest(agent string) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byAgent[agent]
}

// serve is the life of one link.
func (l *Links) serve(stream grpc.ServerStream) error {
	agent, remote, err := identity(stream.Context())
	if err != nil {
		l.count(countRefused, 1)
		return status.Error(codes.Unauthenticated, err.Error())
	}
	link := l.enter(agent, remote, stream)
	l.system.Root.Send(hubside.Gateway(l.system), port.LinkOpened{
		Link: link.number, Agent: agent, Session: link.session, Remote: remote,
	})
	err = link.serve()
	l.leave(link)
	l.system.Root.Send(hubside.Gateway(l.system), port.LinkClosed{Link: link.number})
	if err != nil {
		l.log.Debug().Err(err).Str("agent", agent).Msg("link ended")
	}
	return err
}

// enter makes a link the newest one of its agent.
func (l *Links) enter(agent string, remote netip.Addr, stream grpc.ServerStream) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	link := &link{
		number:  l.last,
		agent:   agent,
		session: ulid.MustNew(ulid.Now(), rand.Reader).String(),
		remote:  remote,
		target:  hubside.Session(l.system, agent, l.last),
		stream:  stream,
		links:   l,
		log:     l.log.With().Str("agent", agent).Uint64("link", l.last).Logger(),
		out:     make(chan *messages.FromHub, queueLength),
		hung:    make(chan struct{}),
	}
	l.byAgent[agent], l.open[link.number] = link, link
	return link
}

func (l *Links) leave(link *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, link.number)
	if l.byAgent[link.agent] == link {
		delete(l.byAgent, link.agent)
	}
}

// identity is who is at the other end, as its certificate says, and from where.
func identity(ctx context.Context) (agent string, remote netip.Addr, err error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return "", netip.Addr{}, errors.New("no peer")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return "", netip.Addr{}, errors.New("no certificate of this hub's authority")
	}
	agent = info.State.PeerCertificates[0].Subject.CommonName
	if err := messages.ValidAgentName(agent); err != nil {
		return "", netip.Addr{}, fmt.Errorf("the certificate names no agent: %w", err)
	}
	if at, err := netip.ParseAddrPort(p.Addr.String()); err == nil {
		remote = at.Addr().Unmap()
	}
	return agent, remote, nil
}

// Package link is the agent's end of its connection with a hub: one outbound gRPC stream over TLS 1.3.
// When to dial, and again, is the business of the agent's actors.
package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/port"
	"truechimer/messages"
)

const (
	// pingAfter and pingWithin find a dead hub, or a path that forgot us, within 15 s.
	pingAfter  = 10 * time.Second
	pingWithin = 5 * time.Second
	// queueLength is how many messages may wait to be written. Each batch is answered before the next is sent,
	// so this many pile up only over a link that is dead.
	queueLength = 256
)

// Options for New.
type Options struct {
	Hub    string      // host:port
	TLS    *tls.Config // the agent's certificate, and the CA that the hub's must be from
	Name   string      // the agent's
	System *actor.ActorSystem
	Log    zerolog.Logger
}

// Link dials a hub. It implements port.Link.
type Link struct {
	options Options

	mu  sync.Mutex
	now *connection // nil: there is none
}

// connection is one life of the link.
type connection struct {
	stream grpc.ClientStream
	cancel context.CancelFunc
	out    chan *messages.FromAgent
	hung   chan struct{}
	hangUp sync.Once
}

var _ port.Link = (*Link)(nil)

// New makes hubs' actors reachable for those of the agent's system. It must come before any actor is spawned,
// since it gives the system its address.
func New(options Options) *Link {
	l := &Link{options: options}
	registry := options.System.ProcessRegistry
	registry.Address = messages.AgentAddress(options.Name)
	registry.RegisterAddressResolver(func(*actor.PID) (actor.Process, bool) { return process{l}, true })
	return l
}

// Dial opens the connection in the background and answers when it has ended.
func (l *Link) Dial(answer func(port.LinkEnded)) {
	go func() { answer(port.LinkEnded{Err: l.run()}) }()
}

// Close ends the connection after what was sent.
func (l *Link) Close() {
	if c := l.current(); c != nil {
		c.hang()
	}
}

func (l *Link) current() *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *Link) setCurrent(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = c
}

// run is one life of the connection.
func (l *Link) run() error {
	client, err := grpc.NewClient("passthrough:///"+l.options.Hub,
		grpc.WithTransportCredentials(credentials.NewTLS(l.options.TLS)),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(messages.FrameCodec{}), grpc.MaxCallRecvMsgSize(messages.MaxFrame)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingWithin}),
	)
	if err != nil {
		return fmt.Errorf("dial hub %s: %w", l.options.Hub, err)
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := client.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, messages.LinkMethod)
	if err != nil {
		return fmt.Errorf("connect to hub %s: %w", l.options.Hub, inWords(err))
	}
	c := &connection{stream: stream, cancel: cancel, out: make(chan *messages.FromAgent, queueLength), hung: make(chan struct{})}
	l.setCurrent(c)
	defer l.setCurrent(nil)
	written := make(chan struct{})
	go func() {
		c.write()
		close(written)
	}()
	err = l.receive(c)
	c.hang()
	<-written
	if err != nil {
		return fmt.Errorf("link with hub %s: %w", l.options.Hub, inWords(err))
	}
	return nil
}

// inWords takes gRPC's wrapping from an error.
func inWords(err error) error {
	if s, ok := status.FromError(err); ok {
		return errors.New(s.Message())
	}
	return err
}

// receive delivers what the hub sends until the stream ends.
func (l *Link) receive(c *connection) error {
	var frame []byte
	for {
		if err := c.stream.RecvMsg(&frame); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		down, err := messages.DecodeDown(frame)
		if err != nil {
			return err
		}
		for _, envelope := range down.Messages {
			l.deliver(envelope)
		}
	}
}

// deliver hands a message to the actor it names. One of a kind that this agent doesn't know is left alone:
// the hub is newer.
func (l *Link) deliver(envelope *messages.FromHub) {
	message, err := messages.UnwrapDown(envelope)
	if err != nil {
		l.options.Log.Debug().Err(err).Msg("a message of the hub was left alone")
		return
	}
	var sender *actor.PID
	if envelope.From != "" {
		sender = actor.NewPID(messages.HubAddress, envelope.From)
	}
	l.options.System.Root.RequestWithCustomSender(l.options.System.NewLocalPID(envelope.To), message, sender)
}

// send queues a message to the hub; one that doesn't fit any more ends the connection.
func (c *connection) send(envelope *messages.FromAgent) {
	select {
	case c.out <- envelope:
	default:
		c.cancel()
	}
}

// hang ends the connection after what is queued.
func (c *connection) hang() { c.hangUp.Do(func() { close(c.hung) }) }

// write sends what is queued until the connection is hung up and the queue empty.
func (c *connection) write() {
	defer func() {
		if c.stream.CloseSend() != nil {
			c.cancel()
		}
	}()
	for {
		select {
		case envelope := <-c.out:
			if c.writeFrame(envelope) != nil {
				return
			}
			continue
		default:
		}
		select {
		case envelope := <-c.out:
			if c.writeFrame(envelope) != nil {
				return
			}
		case <-c.hung:
			return
		}
	}
}

func (c *connection) writeFrame(envelope *messages.FromAgent) error {
	frame, err := proto.Marshal(&messages.Up{Messages: []*messages.FromAgent{envelope}})
	if err != nil {
		return fmt.Errorf("encode a frame: %w", err)
	}
	return c.stream.SendMsg(&frame)
}

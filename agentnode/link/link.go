// Package link is the agent's end of its connection with a hub: one outbound gRPC stream over TLS 1.3.
// When to dial, and again, is the business of the agent's actors.
package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"truechimer/actors/agentside"
	"truechimer/actors/port"
	"truechimer/messages"
)

const (
	// pingAfter and pingWithin find a hub that is gone, or a path that forgot us, within 15 s.
	// gRPC doesn't ping more often, and the hub minds who does so every 5 s.
	pingAfter  = 10 * time.Second
	pingWithin = 5 * time.Second

	// queueLength is how many messages may wait to be sent. Each batch is answered before the next is sent,
	// so this many pile up only over a link that is dead.
	queueLength = 256
)

// limits are those that tests make smaller.
type limits struct {
	welcome time.Duration // from the dial to the hub's first word
	linger  time.Duration // from the close to the end of what was left to say
}

func defaultLimits() limits {
	return limits{
		// A hub to which all its agents come back at once takes seconds for the last of them.
		welcome: 30 * time.Second,
		// A goodbye behind a batch takes one round trip.
		linger: 3 * time.Second,
	}
}

// Options for New.
type Options struct {
	Hub    string      // host:port
	TLS    *tls.Config // the agent's certificate, and the CA that the hub's must be from
	Until  time.Time   // when the certificate ends; zero: never, it is a fresh one for each connection
	System *actor.ActorSystem
	Log    zerolog.Logger
}

// Link dials a hub. It implements port.Link.
type Link struct {
	options Options
	limits  limits

	mu     sync.Mutex
	latest *connection // that was dialled, nil: none was; it may have ended
}

var _ port.Link = (*Link)(nil)

// New makes hubs' actors reachable for those of the system, at every address that isn't the system's own. It must come
// before anything is sent to them.
func New(options Options) *Link {
	l := &Link{options: options, limits: defaultLimits()}
	options.System.ProcessRegistry.RegisterAddressResolver(func(*actor.PID) (actor.Process, bool) { return process{l}, true })
	return l
}

// Dial opens a connection in the background and answers when it has ended. An earlier one is closed.
func (l *Link) Dial(answer func(port.LinkEnded)) {
	ctx, cancel := context.WithCancelCause(context.Background())
	c := newConnection(cancel)
	l.mu.Lock()
	earlier := l.latest
	l.latest = c
	l.mu.Unlock()
	if earlier != nil {
		earlier.close(l.limits.linger)
	}
	go func() {
		defer close(c.ended)
		answer(port.LinkEnded{Err: l.run(ctx, c)})
	}()
}

// Close ends the connection after what was sent, and a dial that is under way at once.
// From now on nothing that the hub says over it reaches an actor.
func (l *Link) Close() {
	if c := l.present(); c != nil {
		c.close(l.limits.linger)
	}
}

// Wait waits until the connection that was closed has ended, or the context has.
func (l *Link) Wait(ctx context.Context) {
	if c := l.present(); c != nil {
		select {
		case <-c.ended:
		case <-ctx.Done():
		}
	}
}

func (l *Link) present() *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest
}

// run is the life of a connection, and tells why it ended: nil when it was closed in order.
func (l *Link) run(ctx context.Context, c *connection) error {
	defer c.cancel(nil)
	err := l.talk(ctx, c)
	if cause := context.Cause(ctx); cause != nil {
		err = cause // what it did to the stream says less
	}
	if err == nil || errors.Is(err, errClosed) {
		return nil
	}
	err = fmt.Errorf("link with hub %s: %w", l.options.Hub, inWords(err))
	if until := l.options.Until; !until.IsZero() && time.Now().After(until) { // of which TLS tells the hub more than us
		err = fmt.Errorf("%w; the agent's certificate ended on %s", err, until.Format(time.DateOnly))
	}
	return err
}

// talk opens the stream, and sends and receives over it until it has ended.
func (l *Link) talk(ctx context.Context, c *connection) error {
	client, err := l.client()
	if err != nil {
		return err
	}
	defer client.Close()
	silence := time.AfterFunc(l.limits.welcome, func() { c.cancel(errSilent) })
	defer silence.Stop()
	stream, err := client.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, messages.LinkMethod)
	if err != nil {
		return err
	}
	var writing sync.WaitGroup
	writing.Go(func() { c.write(stream) })
	err = l.receive(c, stream, silence)
	c.finish()
	if err != nil {
		c.cancel(err) // a writer doesn't wait any longer for the hub to read
	}
	writing.Wait()
	return err
}

// client knows where the hub is. It dials once there is a stream to open, and once for it.
func (l *Link) client() (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+l.options.Hub,
		grpc.WithTransportCredentials(credentials.NewTLS(l.options.TLS)),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(messages.FrameCodec{}), grpc.MaxCallRecvMsgSize(messages.MaxFrame)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingWithin}),
	)
}

// inWords takes gRPC's wrapping from an error.
func inWords(err error) error {
	if s, ok := status.FromError(err); ok {
		return errors.New(s.Message())
	}
	return err
}

// receive delivers what the hub says until the stream ends. Its first word ends the silence.
func (l *Link) receive(c *connection, stream grpc.ClientStream, silence *time.Timer) error {
	for {
		var frame []byte
		err := stream.RecvMsg(&frame)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		silence.Stop()
		down, err := messages.DecodeDown(frame)
		if err != nil {
			return err
		}
		for _, envelope := range down.Messages {
			if c.listen() {
				l.deliver(envelope)
			}
		}
	}
}

// deliver hands a message to the agent's actor that it names. What this agent doesn't know is left alone.
func (l *Link) deliver(envelope *messages.FromHub) {
	message, err := messages.UnwrapDown(envelope)
	if err == nil && !isAgents(envelope.To) {
		err = fmt.Errorf("%s is none of the agent's actors", envelope.To)
	}
	if err != nil {
		level := zerolog.WarnLevel
		if errors.Is(err, messages.ErrUnknownMessage) {
			level = zerolog.DebugLevel // the hub is newer, and will say it again and again
		}
		l.options.Log.WithLevel(level).Err(err).Msg("a message of the hub was left alone")
		return
	}
	var sender *actor.PID
	if envelope.From != "" {
		sender = actor.NewPID(messages.HubAddress, envelope.From)
	}
	system := l.options.System
	system.Root.RequestWithCustomSender(system.NewLocalPID(envelope.To), message, sender)
}

// isAgents tells the agent's actors from those of protoactor, some of which panic over a message.
func isAgents(id string) bool {
	return id == agentside.Root || strings.HasPrefix(id, agentside.Root+"/")
}

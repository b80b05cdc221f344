package links

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"truechimer/messages"
)

// queueLength is how many messages may wait to be written to an agent. A full set of assignments for
// 10,000 servers is 20 messages and a batch is answered by one, so an agent that lets a thousand pile up
// doesn't read any more: its link is closed, and it will be told everything when it comes back.
const queueLength = 1024

// link is one connection of an agent.
type link struct {
	number  uint64
	agent   string
	session string
	remote  netip.Addr
	target  *actor.PID // the session's actor: all that an agent may write to
	stream  grpc.ServerStream
	links   *Links
	log     zerolog.Logger

	out    chan *messages.FromHub
	hung   chan struct{} // closed when the link shall end
	hangUp sync.Once
}

// send queues a message to the agent. It never blocks; a queue that is full ends the link.
func (l *link) send(envelope *messages.FromHub) {
	select {
	case l.out <- envelope:
	default:
		l.log.Warn().Int("waiting", queueLength).Msg("the agent doesn't read; its link is closed")
		l.hang(nil)
	}
}

// hang ends the link after what is queued, and the dismissal as the last message if there is one.
func (l *link) hang(dismissal *messages.Dismissal) {
	l.hangUp.Do(func() {
		if dismissal != nil {
			if envelope, err := messages.WrapDown("agent", "", dismissal); err == nil {
				select {
				case l.out <- envelope:
				default: // it doesn't read anyway
				}
			}
		}
		close(l.hung)
	})
}

// serve runs the link until it ends, and says why: nil when it was hung up.
func (l *link) serve() error {
	received := make(chan error, 1)
	go func() { received <- l.receive() }()
	written := make(chan error, 1)
	go func() { written <- l.write() }()
	select {
	case err := <-received:
		l.hang(nil)
		return err
	case err := <-written:
		return err
	}
}

// write sends what is queued, as many messages in a frame as there are, until the link is hung up
// and the queue empty.
func (l *link) write() error {
	for {
		select {
		case envelope := <-l.out:
			if err := l.writeFrame(envelope); err != nil {
				return err
			}
		case <-l.hung:
			return l.flush()
		}
	}
}

// flush sends what is left in the queue.
func (l *link) flush() error {
	for {
		select {
		case envelope := <-l.out:
			if err := l.writeFrame(envelope); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// writeFrame sends one message, and those behind it that fit into the same frame.
func (l *link) writeFrame(first *messages.FromHub) error {
	down := &messages.Down{Messages: []*messages.FromHub{first}}
	size := proto.Size(first)
	for len(down.Messages) < messages.MaxFrameMessages && size < messages.MaxFrame/4 {
		select {
		case next := <-l.out:
			down.Messages = append(down.Messages, next)
			size += proto.Size(next)
			continue
		default:
		}
		break
	}
	frame, err := proto.Marshal(down)
	if err != nil {
		return fmt.Errorf("encode a frame for agent %s: %w", l.agent, err)
	}
	if err := l.stream.SendMsg(&frame); err != nil {
		return fmt.Errorf("send to agent %s: %w", l.agent, err)
	}
	return nil
}

// receive takes frames until the stream ends or one is malformed.
func (l *link) receive() error {
	var frame []byte
	for {
		err := l.stream.RecvMsg(&frame)
		if errors.Is(err, io.EOF) {
			return nil // the agent has closed in order
		}
		if err != nil {
			return fmt.Errorf("receive from agent %s: %w", l.agent, err)
		}
		up, err := messages.DecodeUp(frame)
		if err != nil {
			return err
		}
		for _, envelope := range up.Messages {
			l.deliver(envelope)
		}
	}
}

// deliver hands a message to the agent's session. Anything else is refused and counted.
func (l *link) deliver(envelope *messages.FromAgent) {
	message, err := messages.UnwrapUp(envelope)
	switch {
	case errors.Is(err, messages.ErrUnknownMessage):
		l.links.count(countUnknown, 1)
		return
	case err != nil || envelope.To != l.target.Id:
		l.links.count(countRefused, 1)
		l.log.Debug().Err(err).Str("to", envelope.GetTo()).Msg("a message of an agent was refused")
		return
	}
	var sender *actor.PID
	if envelope.From != "" {
		sender = actor.NewPID(messages.AgentAddress(l.agent), envelope.From)
	}
	l.links.system.Root.RequestWithCustomSender(l.target, message, sender)
}

package links

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"truechimer/messages"
)

// agentRoot is the agent's actor that a hub welcomes and dismisses (port.Link).
const agentRoot = "agent"

// link is one connection of an agent.
//
// What is sent over it goes through its outbox, which gRPC's handler of the stream empties; what comes is read on
// a goroutine of its own. Whatever ends the link closes the outbox, so that what was sent before still goes out.
type link struct {
	number  uint64
	agent   string
	session string
	target  *actor.PID // the session's actor: all that an agent may write to
	stream  grpc.ServerStream
	cut     func() error // closes the connection at once
	links   *Links
	log     zerolog.Logger
	out     *outbox

	mu       sync.Mutex
	welcomed bool // by its own session

	ending sync.Once
	why    error // it has ended; nil: in order
}

// send queues a message to the agent, without ever waiting. An agent that doesn't read loses its link.
func (l *link) send(to, from string, m proto.Message) {
	frame, err := frameOf(to, from, m)
	if err != nil {
		l.unsendable(err)
		return
	}
	if errors.Is(l.put(frame, m), errFull) {
		l.links.count(countStuck)
		l.log.Warn().Msg("the agent doesn't read; its link is closed")
		l.end(errFull, nil)
		l.cut()
	}
}

// put queues a frame. A link begins with the welcome of its own session: until then what comes is what an earlier
// link's session had still to say, and its own welcome never is for this one.
func (l *link) put(frame []byte, m proto.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if welcome, is := m.(*messages.Welcome); is {
		if welcome.SessionId != l.session {
			return nil
		}
		l.welcomed = true
	}
	if !l.welcomed {
		return nil
	}
	return l.out.put(frame)
}

func (l *link) isWelcomed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.welcomed
}

// frameOf is a frame with one message.
func frameOf(to, from string, m proto.Message) ([]byte, error) {
	envelope, err := messages.WrapDown(to, from, m)
	if err != nil {
		return nil, err
	}
	frame, err := proto.Marshal(&messages.Down{Messages: []*messages.FromHub{envelope}})
	if err != nil {
		return nil, fmt.Errorf("encode a %T: %w", m, err)
	}
	if len(frame) > messages.MaxFrame {
		return nil, fmt.Errorf("a %T of %d bytes is more than the %d that an agent takes", m, len(frame), messages.MaxFrame)
	}
	return frame, nil
}

// unsendable tells of a message that no agent takes, which is our fault. The link goes on without it: the agent
// would end it over such a message, and get the same one again when it comes back.
func (l *link) unsendable(why error) {
	l.links.count(countUnsent)
	l.log.Error().Err(why).Msg("a message can't go to an agent")
}

// end ends the link after what is queued and a last frame, if there is one. Only the first reason counts.
func (l *link) end(why error, last []byte) {
	l.ending.Do(func() {
		l.why = why
		l.out.close(last)
		// One that doesn't read wouldn't let its link end, nor one that holds the connection open.
		time.AfterFunc(l.links.limits.linger, func() { l.cut() })
	})
}

// dismiss ends the link with a last message.
func (l *link) dismiss(dismissal *messages.Dismissal) {
	last, err := frameOf(agentRoot, "", dismissal)
	if err != nil {
		l.unsendable(err)
	}
	l.end(nil, last)
}

// write sends what is queued until the link has ended, and says why it has.
func (l *link) write() error {
	for {
		frame, open := l.out.next()
		if !open {
			return l.why
		}
		if err := l.stream.SendMsg(&frame); err != nil {
			l.end(fmt.Errorf("send to agent %s: %w", l.agent, err), nil)
			return l.why
		}
	}
}

// receive takes frames until the stream ends or one is malformed.
func (l *link) receive() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = l.panicked(cause)
		}
	}()
	pace := pace{rate: l.links.limits.rate, ahead: l.links.limits.ahead}
	for {
		var frame []byte
		err := l.stream.RecvMsg(&frame)
		if errors.Is(err, io.EOF) {
			return nil // the agent has closed in order
		}
		if err != nil {
			if status.Code(err) == codes.ResourceExhausted { // it is too large
				l.links.count(countMalformed)
			}
			return fmt.Errorf("receive from agent %s: %w", l.agent, err)
		}
		up, err := messages.DecodeUp(frame)
		if err != nil {
			l.links.count(countMalformed)
			return err
		}
		for _, envelope := range up.Messages {
			l.deliver(envelope)
		}
		l.rest(pace.take(time.Now(), len(frame)+max(1, len(up.Messages))*messageCost))
	}
}

// panicked makes a panic over what an agent has sent cost its link, and not the hub.
func (l *link) panicked(cause any) error {
	l.links.count(countMalformed)
	l.log.Error().Any("reason", cause).Bytes("stack", debug.Stack()).Msg("a message of an agent made its link panic")
	return fmt.Errorf("receive from agent %s: panic: %v", l.agent, cause)
}

// rest waits, but not longer than the stream lasts.
func (l *link) rest(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.stream.Context().Done():
	}
}

// deliver hands a message to the agent's session, once that has said welcome. Anything else is refused and counted.
func (l *link) deliver(envelope *messages.FromAgent) {
	message, err := messages.UnwrapUp(envelope)
	switch {
	case errors.Is(err, messages.ErrUnknownMessage):
		l.links.count(countUnknown)
		return
	case err != nil || envelope.To != l.target.Id || !l.isWelcomed():
		l.links.count(countRefused)
		l.log.Debug().Err(err).Str("to", envelope.To).Msg("a message of an agent was refused")
		return
	}
	var sender *actor.PID
	if envelope.From != "" {
		sender = actor.NewPID(messages.AgentAddress(l.agent), envelope.From)
	}
	l.links.system.Root.RequestWithCustomSender(l.target, message, sender)
}

package link

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/messages"
)

// process stands for all actors of the hub: what is sent to them goes over the link, whichever is the present one.
type process struct{ link *Link }

// SendUserMessage sends over the link. Without one the message is gone: whoever sent it is told that the link is.
func (p process) SendUserMessage(pid *actor.PID, message any) {
	_, inner, sender := actor.UnwrapEnvelope(message)
	c := p.link.present()
	if c == nil {
		return
	}
	from := ""
	if sender != nil {
		from = sender.Id
	}
	switch m := inner.(type) {
	case *actor.DeadLetterResponse: // protoactor's word to a hub that has written to an actor which is gone
	case proto.Message:
		frame, err := frameOf(pid.Id, from, m)
		if err != nil {
			p.link.unsendable(err)
			return
		}
		c.send(frame)
	default:
		p.link.unsendable(fmt.Errorf("a %T is no message", m))
	}
}

// frameOf is a frame with one message.
func frameOf(to, from string, m proto.Message) ([]byte, error) {
	envelope, err := messages.WrapUp(to, from, m)
	if err != nil {
		return nil, err
	}
	frame, err := proto.Marshal(&messages.Up{Messages: []*messages.FromAgent{envelope}})
	if err != nil {
		return nil, fmt.Errorf("encode a %T: %w", m, err)
	}
	if len(frame) > messages.MaxFrame {
		return nil, fmt.Errorf("a %T of %d bytes is more than the %d that a hub takes", m, len(frame), messages.MaxFrame)
	}
	return frame, nil
}

// unsendable tells of a message that no hub takes, which is our fault. The link goes on without it.
func (l *Link) unsendable(why error) {
	l.options.Log.Error().Err(why).Msg("a message can't go to the hub")
}

// SendSystemMessage does nothing: life and death of actors aren't shared over a link.
func (process) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing: an agent doesn't stop a hub's actors.
func (process) Stop(*actor.PID) {}

package link

import (
	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/messages"
)

// process stands for all actors of the hub: what is sent to them goes over the link, whichever is the present one.
type process struct{ link *Link }

// SendUserMessage sends over the link. Without one the message is gone: whoever sent it is told that the link is.
func (p process) SendUserMessage(pid *actor.PID, message any) {
	_, inner, sender := actor.UnwrapEnvelope(message)
	c := p.link.current()
	m, is := inner.(proto.Message)
	if c == nil || !is {
		return
	}
	from := ""
	if sender != nil {
		from = sender.Id
	}
	envelope, err := messages.WrapUp(pid.Id, from, m)
	if err != nil {
		p.link.options.Log.Error().Err(err).Msg("a message can't go to the hub")
		return
	}
	c.send(envelope)
}

// SendSystemMessage does nothing: life and death of actors aren't shared over a link.
func (process) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing: an agent doesn't stop a hub's actors.
func (process) Stop(*actor.PID) {}

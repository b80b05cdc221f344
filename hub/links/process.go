package links

import (
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/messages"
)

// process stands for all actors of one agent: what is sent to them goes over the agent's newest link.
// It holds no link itself, since PIDs keep the process they were resolved to for ever.
type process struct {
	links *Links
	agent string
}

// resolve is protoactor's hook for addresses that aren't its own.
func (l *Links) resolve(pid *actor.PID) (actor.Process, bool) {
	agent, is := strings.CutPrefix(pid.Address, messages.AgentAddress(""))
	if !is {
		return nil, false
	}
	return &process{links: l, agent: agent}, true
}

// SendUserMessage sends over the link. Without one the message is gone: what an agent needs to know
// it is told when it comes back.
func (p *process) SendUserMessage(pid *actor.PID, message any) {
	_, inner, sender := actor.UnwrapEnvelope(message)
	link := p.links.newest(p.agent)
	m, is := inner.(proto.Message)
	if link == nil || !is {
		return
	}
	from := ""
	if sender != nil {
		from = sender.Id
	}
	envelope, err := messages.WrapDown(pid.Id, from, m)
	if err != nil {
		p.links.log.Error().Err(err).Str("agent", p.agent).Msg("a message can't go to an agent")
		return
	}
	link.send(envelope)
}

// SendSystemMessage does nothing: life and death of actors aren't shared over a link.
// That the link is gone is told by port.LinkClosed.
func (p *process) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing: a hub doesn't stop an agent's actors.
func (p *process) Stop(*actor.PID) {}

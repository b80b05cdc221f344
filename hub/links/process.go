package links

import (
	"fmt"
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
	if link == nil {
		return
	}
	from := ""
	if sender != nil {
		from = sender.Id
	}
	switch m := inner.(type) {
	case *actor.DeadLetterResponse: // protoactor's word to an agent whose session has just ended
	case proto.Message:
		link.send(pid.Id, from, m)
	default:
		link.unsendable(fmt.Errorf("a %T is no message", m))
	}
}

// SendSystemMessage does nothing: life and death of actors aren't shared over a link.
// That the link is gone is told by port.LinkClosed.
func (p *process) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing: a hub doesn't stop an agent's actors.
func (p *process) Stop(*actor.PID) {}

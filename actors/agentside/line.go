package agentside

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
)

// line is the agent's way to the hub. There is one for all incarnations of the agent, since a connection outlives the
// one that opened it: the next one must not open another beside it, lest the agent take the hub from itself.
type line struct {
	link  port.Link
	dials uint64        // how often the hub was dialled
	ended atomic.Uint64 // the number of the last dial that has been answered: its connection is down
}

// lineEnded tells the agent that the connection of a dial is down, or didn't come about.
type lineEnded struct {
	dial uint64
	port.LinkEnded
}

// dial opens a connection. There must be none.
func (l *line) dial(ctx actor.Context) {
	l.dials++
	number, system, agent := l.dials, ctx.ActorSystem(), ctx.Self()
	l.link.Dial(func(ended port.LinkEnded) {
		l.ended.Store(number)
		system.Root.Send(agent, lineEnded{number, ended})
	})
}

// isBusy tells whether there is a connection, or one on its way.
func (l *line) isBusy() bool { return l.ended.Load() != l.dials }

// isNews tells whether a message is about the last dial. One about an earlier one was left over by an incarnation
// that failed.
func (l *line) isNews(ended lineEnded) bool { return ended.dial == l.dials }

// hang ends the connection if there is one.
func (l *line) hang() { l.link.Close() }

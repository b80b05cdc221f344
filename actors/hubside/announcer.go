package hubside

import (
	"net/netip"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/messages/topic"
	"truechimer/pool"
)

// announcer tells watchers what happens, in the words of messages/live.proto. It holds the newest state of each
// server, to publish it again when the broker has forgotten it. When it fails, watchers of a server see it again
// with its next sample.
type announcer struct {
	env    *port.Environment
	config *Config

	names  map[pool.MonitorID]string // the agent of each monitor
	load   question
	scores map[netip.Addr][]byte // the newest published state of each server
}

func newAnnouncer(env *port.Environment, config *Config) *announcer {
	return &announcer{
		env: env, config: config, load: question{env: env},
		names: make(map[pool.MonitorID]string), scores: make(map[netip.Addr][]byte),
	}
}

func (a *announcer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.load.put(ctx, local(ctx, archivistName), &messages.LoadRoster{Question: a.load.draw()})
	case *messages.RosterLoaded:
		if a.load.answeredBy(msg.Question) {
			a.onRoster(msg.Roster)
		}
	case *messages.Roster:
		a.onRoster(msg)
	case *messages.Announcement:
		a.onAnnouncement(msg)
	case *messages.Selected:
		a.onSelected(msg)
	case port.LiveUp:
		a.onLiveUp()
	case askAgain:
		msg.again(ctx)
	}
}

// onRoster learns the names of the monitors. Those of monitors that are gone stay known: their last samples
// may still be on the way.
func (a *announcer) onRoster(msg *messages.Roster) {
	for _, m := range msg.Monitors {
		a.names[pool.MonitorID(m.Id)] = m.Agent
	}
}

func (a *announcer) onAnnouncement(msg *messages.Announcement) {
	server, ok := netip.AddrFromSlice(msg.Ip)
	if !ok {
		return
	}
	if msg.Over {
		delete(a.scores, server)
		a.publishScore(server, nil) // MQTT 3.1.1 section 3.3.1.3: nothing is retained any more
		return
	}
	for _, row := range msg.Rows {
		a.publishSample(server, a.names[pool.MonitorID(row.MonitorId)], row)
	}
	payload := messages.LiveJSON(messages.NewLiveScore(msg, func(id pool.MonitorID) string { return a.names[id] }))
	a.scores[server] = payload
	a.publishScore(server, payload)
}

func (a *announcer) publishScore(server netip.Addr, payload []byte) {
	name, err := topic.Score(a.config.Deployment, server)
	a.publish(name, err, 1, true, payload)
}

func (a *announcer) publishSample(server netip.Addr, monitor string, row *messages.LogRow) {
	if monitor == "" {
		return
	}
	name, err := topic.Sample(a.config.Deployment, server, monitor)
	a.publish(name, err, 0, false, messages.LiveJSON(messages.NewLiveSample(server, monitor, messages.ToLogRow(row))))
}

// onSelected tells what monitors are for a server from now on, one message for each.
func (a *announcer) onSelected(msg *messages.Selected) {
	server, ok := netip.AddrFromSlice(msg.Ip)
	if !ok {
		return
	}
	name, err := topic.Selection(a.config.Deployment, server)
	for _, move := range msg.Moves {
		monitor, known := a.names[pool.MonitorID(move.MonitorId)]
		if !known {
			continue // it was deleted while nobody looked: watchers know it by no name
		}
		change := messages.NewLiveSelection(server, monitor, time.UnixMicro(msg.AtUs), move)
		a.publish(name, err, 1, false, messages.LiveJSON(change))
	}
}

// publish hands a message to the broker. Servers' addresses and agents' names are checked where they come in,
// so that a topic can always be made of them; one that can't is said, and nothing is published.
func (a *announcer) publish(name string, err error, qos byte, retained bool, payload []byte) {
	if err != nil {
		a.env.Log().Error().Err(err).Msg("a live message has no topic")
		return
	}
	a.config.Live.Publish(name, qos, retained, payload)
}

// onLiveUp publishes the state of all servers again.
func (a *announcer) onLiveUp() {
	servers := make([]netip.Addr, 0, len(a.scores))
	for server := range a.scores {
		servers = append(servers, server)
	}
	slices.SortFunc(servers, netip.Addr.Compare)
	for _, server := range servers {
		a.publishScore(server, a.scores[server])
	}
}

package hubside

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

// What the archivist does with what the store has loaded.

func (a *archivist) onOpened(ctx actor.Context, answer port.Opened) {
	done := a.finish(answer.Err)
	if len(done) == 0 {
		return
	}
	roster := a.roster(answer.Roster)
	asker := make(map[uint32]*actor.PID, len(done))
	for _, q := range done {
		asker[q.message.(*messages.OpenShard).Shard] = q.sender
	}
	for _, opened := range answer.Images {
		image := messages.FromShardImage(opened, roster)
		a.opened[image.Shard] = image.Epoch
		ctx.Send(asker[image.Shard], image)
	}
}

func (a *archivist) onServerLoaded(ctx actor.Context, answer port.ServerLoaded) {
	for _, q := range a.finish(answer.Err) {
		load := q.message.(*messages.LoadServer)
		loaded := &messages.ServerLoaded{ServerId: load.ServerId, Question: load.Question}
		if answer.Found {
			loaded.Image = messages.FromServerImage(answer.Image)
		}
		ctx.Send(q.sender, loaded)
	}
}

func (a *archivist) onAgentLoaded(ctx actor.Context, answer port.AgentLoaded) {
	for _, q := range a.finish(answer.Err) {
		load := q.message.(*messages.LoadAgent)
		loaded := &messages.AgentLoaded{Name: load.Name, Question: load.Question}
		if answer.Found {
			loaded.Image = messages.FromAgentImage(answer.Image)
		}
		ctx.Send(q.sender, loaded)
	}
}

func (a *archivist) onRosterLoaded(ctx actor.Context, answer port.RosterLoaded) {
	for _, q := range a.finish(answer.Err) {
		load := q.message.(*messages.LoadRoster)
		ctx.Send(q.sender, &messages.RosterLoaded{Question: load.Question, Roster: a.roster(answer.Roster)})
	}
}

// roster says what of it can't be read: once, as long as it stays so.
func (a *archivist) roster(roster pool.Roster) *messages.Roster {
	for _, warning := range roster.Warnings {
		if !slices.Contains(a.warned, warning) {
			a.env.Log().Warn().Str("reason", warning).Msg("what is stored can't be read, its default holds")
		}
	}
	a.warned = roster.Warnings
	return messages.FromRoster(roster)
}

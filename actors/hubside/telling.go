package hubside

import (
	"cmp"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/placement"
	"truechimer/pool/schedule"
)

// How a server tells monitors what they are to do.

// onTellDue tells everybody again, and looks at the timetable, whose candidates change daily.
func (a *server) onTellDue(ctx actor.Context) {
	a.env.After(tellEvery, tellDue{})
	for _, monitor := range sortedKeys(a.pairs) {
		if a.pairs[monitor].Cadence != nil {
			a.tell(ctx, a.pairs[monitor], schedule.Placed{})
		}
	}
	a.arrange(ctx)
}

// tellAll tells every monitor its place, and those without one that they have none.
func (a *server) tellAll(ctx actor.Context) {
	for _, monitor := range sortedKeys(a.pairs) {
		a.tell(ctx, a.pairs[monitor], schedule.Placed{})
	}
}

// tell tells a monitor's actor its place in the timetable, or that it has none.
func (a *server) tell(ctx actor.Context, status pool.PairStatus, place schedule.Placed) {
	agent := cmp.Or(a.roster.agent(status.Monitor), a.gone[status.Monitor])
	if agent == "" {
		return // it was deleted before: what it still does its probe gives up by itself
	}
	assigned := &messages.Assigned{
		ServerId:  uint32(a.id),
		Ip:        a.server.Addr.Addr().AsSlice(),
		Port:      uint32(a.server.Addr.Port()),
		MonitorId: uint32(status.Monitor),
		Status:    string(status.Status),
		AtOnce:    place.AtOnce,
	}
	if !place.From.IsZero() {
		assigned.StartUs = place.From.UnixMicro()
	}
	if status.Cadence != nil {
		assigned.Cadence = messages.FromCadence(*status.Cadence)
	}
	ctx.Send(a.config.Directory.Shard(placement.OfAgent(agent)), &messages.ForAgent{
		Agent: agent, Message: &messages.ForAgent_Assigned{Assigned: assigned},
	})
}

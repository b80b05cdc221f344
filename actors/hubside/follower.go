package hubside

import (
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/placement"
)

const (
	// followEvery is how often the table of changes is read: what somebody changes is seen within a second.
	followEvery = 500 * time.Millisecond
	// sightEvery is how often the roster is read for when agents were seen, which is no change of it.
	// Selection asks whether that was in the last hour.
	sightEvery = 5 * time.Minute
)

// follower tells the hub's actors what was changed in the database by commands and other hubs.
// When it fails it reads again from where the hub started: told twice, an actor looks twice.
type follower struct {
	env    *port.Environment
	config *Config

	after   uint64 // the newest change that was told
	failing bool
	load    question // of a roster that has changed
	sight   question // of one that may only know more of who was seen
}

// timers of the follower.
type (
	follow   struct{} // the next look at the changes
	sightDue struct{}
)

func newFollower(env *port.Environment, config *Config) *follower {
	return &follower{env: env, config: config, after: config.Since, load: question{env: env}, sight: question{env: env}}
}

func (a *follower) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.env.After(followEvery, follow{})
		a.env.After(sightEvery, sightDue{})
	case sightDue:
		a.onSightDue(ctx)
	case follow:
		a.config.Store.Changes(a.after, port.Answer[port.ChangesRead](a.env))
	case port.ChangesRead:
		a.onChanges(ctx, msg)
	case *messages.RosterLoaded:
		a.onRoster(ctx, msg)
	case askAgain:
		msg.again(ctx)
	}
}

// onSightDue asks who was seen, unless that is asked already: while the database is away questions don't gather.
func (a *follower) onSightDue(ctx actor.Context) {
	a.env.After(sightEvery, sightDue{})
	if !a.sight.isOpen() {
		a.sight.put(ctx, local(ctx, archivistName), &messages.LoadRoster{Question: a.sight.draw()})
	}
}

func (a *follower) onChanges(ctx actor.Context, read port.ChangesRead) {
	a.env.After(followEvery, follow{})
	if read.Err != nil && !a.failing {
		a.env.Log().Warn().Err(read.Err).Msg("changes can't be read; commands take effect when they can")
	}
	a.failing = read.Err != nil
	rosterChanged := false
	for _, change := range read.Changes {
		rosterChanged = a.tell(ctx, change) || rosterChanged
		a.after = max(a.after, change.ID)
	}
	if rosterChanged {
		a.load.put(ctx, local(ctx, archivistName), &messages.LoadRoster{Question: a.load.draw()})
	}
}

// tell passes a change on to whom it concerns, and says whether the roster is another one now.
func (a *follower) tell(ctx actor.Context, change pool.Change) (rosterChanged bool) {
	told := &messages.Changed{Kind: string(change.Kind), Key: change.Key}
	switch change.Kind {
	case pool.ChangedServer:
		id, err := strconv.ParseUint(change.Key, 10, 32)
		if err != nil {
			a.env.Log().Warn().Str("key", change.Key).Msg("a change names no server")
			return false
		}
		ctx.Send(Shard(ctx.ActorSystem(), placement.OfServer(pool.ServerID(id))), told)
		return false
	case pool.ChangedMonitor:
		ctx.Send(Shard(ctx.ActorSystem(), placement.OfAgent(change.Key)), told)
		return true
	default:
		return true
	}
}

// onRoster hands a new roster to everybody, also when one that is newer still is on its way.
func (a *follower) onRoster(ctx actor.Context, loaded *messages.RosterLoaded) {
	if a.sight.answeredBy(loaded.Question) {
		a.toShards(ctx, &messages.Sighted{Roster: loaded.Roster})
		return
	}
	a.load.answeredBy(loaded.Question)
	ctx.Send(local(ctx, announcerName), loaded.Roster)
	a.toShards(ctx, loaded.Roster)
}

func (a *follower) toShards(ctx actor.Context, msg any) {
	for _, shard := range a.config.Shards {
		ctx.Send(Shard(ctx.ActorSystem(), shard), msg)
	}
}

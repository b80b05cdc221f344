package hubside

import (
	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

// archivist asks the store one thing after the other, in the order in which it was asked itself: what somebody
// loads has all in it that was asked to be kept before. While one transaction runs the next one gathers.
// What it has answered as kept is on disk. When it fails, its askers hear nothing, and ask again.
type archivist struct {
	env    *port.Environment
	config *Config
	turn   *turn

	queue    []*asked // in order; the first ones are under way while the store is at them
	busy     int      // how many of them are
	retries  int      // how often the head has failed in a row; 0: there is no pause
	troubled bool     // the log was told that the database takes nothing
	unheard  bool     // the log was told that the times at which agents were seen aren't recorded
	warned   []string // of what in the roster the log was told
	waiting  map[questionKey]bool
	opened   map[uint32]uint64 // the newest epoch of each shard that was taken here
	seen     map[pool.MonitorID]pool.AgentSeen
}

// turn says whether the store is at a question. It outlives the archivist that asked it: a successor waits for the end
// of it, or a commit that was under way when the archivist failed could come after what is loaded next.
type turn struct{ taken bool }

// private messages of the archivist.
type (
	turnEnds         struct{ of *turn }
	archivistRetries struct{}
	loadAgain        struct{ load *asked }
	writeSeen        struct{}
	seenWritten      struct{ err error }
)

func newArchivist(env *port.Environment, config *Config, turn *turn) *archivist {
	return &archivist{
		env: env, config: config, turn: turn,
		waiting: make(map[questionKey]bool),
		opened:  make(map[uint32]uint64),
		seen:    make(map[pool.MonitorID]pool.AgentSeen),
	}
}

func (a *archivist) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.env.After(seenEvery, writeSeen{})
	case *messages.Commit, *messages.OpenShard, *messages.LoadServer, *messages.LoadAgent, *messages.LoadRoster:
		a.onAsked(ctx)
	case port.Committed:
		a.onCommitted(ctx, msg)
	case port.Opened:
		a.onOpened(ctx, msg)
	case port.ServerLoaded:
		a.onServerLoaded(ctx, msg)
	case port.AgentLoaded:
		a.onAgentLoaded(ctx, msg)
	case port.RosterLoaded:
		a.onRosterLoaded(ctx, msg)
	case turnEnds:
		a.onTurnEnds(ctx, msg.of)
	case archivistRetries:
		a.next(ctx)
	case loadAgain:
		a.queue = append(a.queue, msg.load)
		a.resume(ctx)
	case *messages.Seen:
		a.onSeen(msg)
	case writeSeen:
		a.onWriteSeen()
	case seenWritten:
		a.onSeenWritten(msg)
	}
}

// onAsked takes a question, unless the same one is in the queue already.
func (a *archivist) onAsked(ctx actor.Context) {
	q := &asked{message: ctx.Message(), sender: ctx.Sender()}
	if key := q.key(); !a.waiting[key] {
		a.waiting[key] = true
		a.queue = append(a.queue, q)
		a.resume(ctx)
	}
}

// resume goes on with the queue, unless the store failed and is given a pause.
func (a *archivist) resume(ctx actor.Context) {
	if a.retries == 0 {
		a.next(ctx)
	}
}

// next has the store take the head of the queue, with all that follow it and can go along in one question.
func (a *archivist) next(ctx actor.Context) {
	if a.turn.taken || len(a.queue) == 0 {
		return
	}
	a.busy = 1
	switch head := a.queue[0].message.(type) {
	case *messages.Commit:
		commits := headCommits(a.queue)
		a.busy = len(commits)
		a.config.Store.Commit(commits, takeTurn[port.Committed](a, ctx))
	case *messages.OpenShard:
		shards := headShards(a.queue)
		a.busy = len(shards)
		a.config.Store.Open(shards, a.env.Now(), takeTurn[port.Opened](a, ctx))
	case *messages.LoadServer:
		a.config.Store.LoadServer(pool.ServerID(head.ServerId), a.env.Now(), takeTurn[port.ServerLoaded](a, ctx))
	case *messages.LoadAgent:
		a.config.Store.LoadAgent(head.Name, takeTurn[port.AgentLoaded](a, ctx))
	case *messages.LoadRoster:
		a.config.Store.LoadRoster(takeTurn[port.RosterLoaded](a, ctx))
	}
}

// takeTurn is how the store answers: this incarnation hears the answer, whichever there is then hears that
// the store is free.
func takeTurn[T any](a *archivist, ctx actor.Context) (answer func(T)) {
	a.turn.taken = true
	turn, hear, root, self := a.turn, port.Answer[T](a.env), ctx.ActorSystem().Root, ctx.Self()
	return func(t T) {
		hear(t)
		root.Send(self, turnEnds{turn})
	}
}

// onTurnEnds goes on with the queue. A hub that starts all again gives its archivist a turn of its own, whose end it is
// not when that of an earlier one comes late: the store's answers would be taken for those to other questions.
func (a *archivist) onTurnEnds(ctx actor.Context, turn *turn) {
	if turn == a.turn {
		a.turn.taken = false
		a.resume(ctx)
	}
}

package hubside

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

const (
	// commitRows bounds one transaction: at 70,000 rows/s it holds its locks for less than 100 ms.
	commitRows = 5000
	// firstRetry and lastRetry bound the pauses while the database doesn't answer: the first is short,
	// since most faults are a restart or a lost connection; the last keeps a long outage from hammering it.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
	// seenEvery is how often the times at which agents were seen are written.
	// Selection judges them by the hour, so losing that much at a crash is nothing.
	seenEvery = 10 * time.Second
)

// archivist asks the store one thing after the other, in the order in which it was asked itself: what a shard
// loads has all its commits in it. While one transaction runs the next one gathers.
// What it has answered as kept is on disk. When it fails, its askers hear nothing, and ask again.
type archivist struct {
	env    *port.Environment
	config *Config

	queue   []asked // in order; the head is under way while busy
	busy    int     // how many of the queue's head are under way; 0: none
	retries int     // how often the head has failed in a row
	waiting map[questionKey]bool
	opened  map[uint32]uint64 // the newest epoch of each shard that was taken here
	seen    map[pool.MonitorID]pool.AgentSeen
}

// asked is one thing that somebody wants of the store.
type asked struct {
	message any
	sender  *actor.PID
}

// private messages of the archivist.
type (
	archivistRetries struct{}
	writeSeen        struct{}
	seenWritten      struct{ err error }
)

func newArchivist(env *port.Environment, config *Config) *archivist {
	return &archivist{
		env: env, config: config,
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
	case archivistRetries:
		a.next()
	case *messages.Seen:
		a.onSeen(msg)
	case writeSeen:
		a.onWriteSeen()
	case seenWritten:
		a.onSeenWritten(msg)
	}
}

// onAsked takes a question, unless the same one of the same asker is in the queue already.
func (a *archivist) onAsked(ctx actor.Context) {
	q := asked{message: ctx.Message(), sender: ctx.Sender()}
	if key := q.key(); !a.waiting[key] {
		a.waiting[key] = true
		a.queue = append(a.queue, q)
		a.resume()
	}
}

// questionKey tells questions apart.
type questionKey struct {
	asker string
	kind  byte
	about uint64
}

func (q asked) key() questionKey {
	asker := q.sender.GetAddress() + "/" + q.sender.GetId()
	switch m := q.message.(type) {
	case *messages.Commit:
		return questionKey{asker, 'c', m.Id}
	case *messages.OpenShard:
		return questionKey{asker, 'o', uint64(m.Shard)}
	case *messages.LoadServer:
		return questionKey{asker, 's', uint64(m.ServerId)}
	case *messages.LoadAgent:
		return questionKey{asker, 'a', 0} // an asker asks for one agent only, its own
	default:
		return questionKey{asker, 'r', 0}
	}
}

// next puts the head of the queue under way, with all that follow it and can go along in one question.
func (a *archivist) next() {
	if a.busy > 0 || len(a.queue) == 0 {
		return
	}
	switch head := a.queue[0].message.(type) {
	case *messages.Commit:
		commits := a.headCommits()
		a.busy = len(commits)
		a.config.Store.Commit(commits, port.Answer[port.Committed](a.env))
	case *messages.OpenShard:
		shards := a.headShards()
		a.busy = len(shards)
		a.config.Store.Open(shards, port.Answer[port.Opened](a.env))
	case *messages.LoadServer:
		a.busy = 1
		a.config.Store.LoadServer(pool.ServerID(head.ServerId), port.Answer[port.ServerLoaded](a.env))
	case *messages.LoadAgent:
		a.busy = 1
		a.config.Store.LoadAgent(head.Name, port.Answer[port.AgentLoaded](a.env))
	case *messages.LoadRoster:
		a.busy = 1
		a.config.Store.LoadRoster(port.Answer[port.RosterLoaded](a.env))
	}
}

// headCommits are the commits at the head of the queue, as many as one transaction takes, one at least.
func (a *archivist) headCommits() []pool.ServerCommit {
	var commits []pool.ServerCommit
	rows := 0
	for _, q := range a.queue {
		m, is := q.message.(*messages.Commit)
		if rows += len(m.GetRows()); !is || rows > commitRows && len(commits) > 0 {
			break
		}
		commits = append(commits, messages.ToServerCommit(m))
	}
	return commits
}

// headShards are the shards at the head of the queue that want to be opened.
func (a *archivist) headShards() []pool.ShardID {
	var shards []pool.ShardID
	for _, q := range a.queue {
		m, is := q.message.(*messages.OpenShard)
		if !is || slices.Contains(shards, pool.ShardID(m.Shard)) {
			break
		}
		shards = append(shards, pool.ShardID(m.Shard))
	}
	return shards
}

// finish takes what was under way from the queue if the store did it; else it will be asked again after a pause.
func (a *archivist) finish(err error) (done []asked) {
	under := a.busy
	a.busy = 0
	if err != nil {
		a.retryLater(err)
		return nil
	}
	if a.retries > 0 {
		a.env.Log().Info().Msg("the database answers again")
	}
	a.retries = 0
	done = slices.Clone(a.queue[:under])
	for _, q := range done {
		delete(a.waiting, q.key())
	}
	a.queue = slices.Delete(a.queue, 0, under)
	return done
}

// retryLater says once what is wrong, and asks again after a growing pause with jitter.
func (a *archivist) retryLater(err error) {
	a.env.Sometimes("store failed")
	a.config.Count(port.CountCommits, "failed", 1)
	if a.retries == 0 {
		a.env.Log().Error().Err(err).Msg("the database doesn't answer; evidence waits")
	}
	pause := min(lastRetry, firstRetry<<min(a.retries, 10))
	a.retries++
	a.env.After(pause/2+time.Duration(a.env.Rand().Int64N(int64(pause))), archivistRetries{})
}

func (a *archivist) onCommitted(ctx actor.Context, answer port.Committed) {
	for i, q := range a.finish(answer.Err) {
		commit := q.message.(*messages.Commit)
		a.answerCommit(ctx, q.sender, commit, answer.Outcomes[i])
	}
	a.resume()
}

// resume goes on with the queue, unless the store failed and is given a pause.
func (a *archivist) resume() {
	if a.retries == 0 {
		a.next()
	}
}

func (a *archivist) answerCommit(ctx actor.Context, asker *actor.PID, commit *messages.Commit, outcome pool.CommitOutcome) {
	answer := messages.FromCommitOutcome(commit.Id, outcome)
	a.config.Count(port.CountCommits, outcomeWord(answer.Outcome), 1)
	switch answer.Outcome {
	case messages.Committed_FENCED:
		a.env.Sometimes("commit fenced")
		if commit.Epoch >= a.opened[commit.Shard] { // else a newer activation on this hub has fenced it
			ctx.Send(ctx.Parent(), &messages.Lost{Shard: commit.Shard})
		}
	case messages.Committed_REFUSED:
		a.env.Log().Error().Err(outcome.Err).Uint32("server", commit.ServerId).Msg("a commit can't be kept")
	}
	ctx.Send(asker, answer)
}

func outcomeWord(o messages.Committed_Outcome) string {
	switch o {
	case messages.Committed_KEPT:
		return "kept"
	case messages.Committed_FENCED:
		return "fenced"
	default:
		return "refused"
	}
}

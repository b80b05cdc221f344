package hubside

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
)

// What the archivist was asked, and what of it goes together.

// commitRows bounds one transaction: at 70,000 rows/s it holds its locks for less than 100 ms.
const commitRows = 5000

// asked is one thing that somebody wants of the store.
type asked struct {
	message  any
	sender   *actor.PID
	failures int // how often the store couldn't answer it, of a load
}

// questionKey tells questions apart.
type questionKey struct {
	asker string
	kind  byte
	about uint64
}

func (q *asked) key() questionKey {
	asker := q.sender.GetAddress() + "/" + q.sender.GetId()
	switch m := q.message.(type) {
	case *messages.Commit:
		return questionKey{asker, 'c', m.Id}
	case *messages.OpenShard:
		return questionKey{asker, 'o', uint64(m.Shard)}
	case *messages.LoadServer:
		return questionKey{asker, 's', m.Question}
	case *messages.LoadAgent:
		return questionKey{asker, 'a', m.Question}
	case *messages.LoadRoster:
		return questionKey{asker, 'r', m.Question}
	}
	panic("hubside: the archivist was asked for what it doesn't know")
}

// isLoad tells whether it only reads.
func (q *asked) isLoad() bool {
	switch q.message.(type) {
	case *messages.Commit, *messages.OpenShard:
		return false
	}
	return true
}

// headCommits are the commits at the head of a queue, as many as one transaction takes, one at least.
func headCommits(queue []*asked) []pool.ServerCommit {
	var commits []pool.ServerCommit
	rows := 0
	for _, q := range queue {
		m, is := q.message.(*messages.Commit)
		if rows += rowsOf(m); !is || rows > commitRows && len(commits) > 0 {
			break
		}
		commits = append(commits, messages.ToServerCommit(m))
	}
	return commits
}

// rowsOf is how many rows of the database a commit writes.
func rowsOf(m *messages.Commit) int {
	return len(m.GetRows()) + len(m.GetScores()) + len(m.GetStatuses()) + 1 // the server's own
}

// headShards are the shards at the head of a queue that want to be opened.
func headShards(queue []*asked) []pool.ShardID {
	var shards []pool.ShardID
	for _, q := range queue {
		m, is := q.message.(*messages.OpenShard)
		if !is || slices.Contains(shards, pool.ShardID(m.Shard)) {
			break
		}
		shards = append(shards, pool.ShardID(m.Shard))
	}
	return shards
}

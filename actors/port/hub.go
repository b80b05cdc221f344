package port

import (
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
)

// Store keeps what must outlive the hub's memory. Questions are answered in any order;
// whoever needs an order (the archivist does) asks one after the other.
type Store interface {
	// Open takes the next epoch of each shard, so that every earlier holder is fenced, and loads the shards.
	// The pairs' figures are those of now's hour and the 24 before it, as of a server that is loaded by itself.
	Open(shards []pool.ShardID, now time.Time, answer func(Opened))

	LoadServer(id pool.ServerID, now time.Time, answer func(ServerLoaded))
	LoadAgent(name string, answer func(AgentLoaded))
	LoadRoster(answer func(RosterLoaded))

	// Commit keeps the commits in one transaction, each wholly or not at all. An error says that it isn't known
	// whether they were kept: ask again with the same ones, those that were kept count once.
	Commit(commits []pool.ServerCommit, answer func(Committed))

	// Seen records when agents were here.
	Seen(seen []pool.AgentSeen, answer func(error))

	// Changes are those after a given one, oldest first, at most a few hundred.
	Changes(after uint64, answer func(ChangesRead))
}

// Opened answers Store.Open.
type Opened struct {
	Images []pool.ShardImage // one for each shard asked for, in any order
	Roster pool.Roster
	Err    error
}

// ServerLoaded answers Store.LoadServer.
type ServerLoaded struct {
	Image pool.ServerImage
	Found bool
	Err   error
}

// AgentLoaded answers Store.LoadAgent.
type AgentLoaded struct {
	Image pool.AgentImage
	Found bool
	Err   error
}

// RosterLoaded answers Store.LoadRoster.
type RosterLoaded struct {
	Roster pool.Roster
	Err    error
}

// Committed answers Store.Commit.
type Committed struct {
	Outcomes []pool.CommitOutcome // in the order of the commits
	Err      error
}

// ChangesRead answers Store.Changes.
type ChangesRead struct {
	Changes []pool.Change
	Err     error
}

// Live publishes to watchers.
type Live interface {
	// Publish hands a message to the broker. It never blocks: what can't be sent now is conflated by topic
	// where it is retained, else dropped and counted.
	Publish(topic string, qos byte, retained bool, payload []byte)
}

// Directory knows where the actors of the pool are.
type Directory interface {
	// Shard is the actor of a shard, on whichever hub it is now.
	Shard(shard pool.ShardID) *actor.PID
}

// Links are the hub's ends of the agents' connections.
type Links interface {
	// Hang ends a connection after what was sent over it before has left, and last the dismissal, if any.
	Hang(link uint64, dismissal *messages.Dismissal)
}

// LinkOpened tells the gateway of a new connection, identified by its certificate.
// The address "agent:<name>" leads to this connection from now on.
type LinkOpened struct {
	Link    uint64 // this hub's number for it, never used again
	Agent   string
	Session string // a new ULID
	Remote  netip.Addr
}

// LinkClosed tells the gateway that a connection is gone.
type LinkClosed struct {
	Link uint64
}

// LiveUp tells the announcer that the broker has been reached, and may have forgotten what was retained.
type LiveUp struct{}

// LiveAccess makes an agent's access to the broker; nil where there is none for agents.
type LiveAccess func(agent string, now time.Time) *messages.LiveAccess

// Halt ends the hub: it may not go on serving, for the reason given.
type Halt func(reason string)

// Count adds n to a counter of the hub, by what was counted and a word that tells its kinds apart.
type Count func(what, kind string, n int)

package simulation

import (
	"context"
	"errors"
	"time"

	"truechimer/actors/port"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// The store takes between these times, half of it on the way there. What was on its way back when the hub crashed
// is kept all the same, as with a real database.
const (
	leastStoreTime = time.Millisecond
	mostStoreTime  = 20 * time.Millisecond
)

// store is the database as one hub reaches it. It implements port.Store.
type store struct {
	node *world.Node
	kept *persistence.Memory
	mood *StoreMood

	referee referee
}

// StoreMood is how the database is just now. It may be changed at any time.
type StoreMood struct {
	Away   bool // nothing gets there
	Mute   bool // what gets there is done, but the answer is lost on its way back
	Failed int  // how many questions have failed so far
}

// errAway is what a question is answered with when the database can't be heard.
var errAway = errors.New("the database doesn't answer")

var _ port.Store = (*store)(nil)

// ask does something in the store after a while, and answers after another.
func ask[T any](s *store, failed T, question func(context.Context) T, answer func(T)) {
	w := s.node.World()
	way := func() time.Duration {
		return (leastStoreTime + time.Duration(w.Load.Int64N(int64(mostStoreTime-leastStoreTime)))) / 2
	}
	there, back := way(), way()
	w.After(there, func() { // on its way it doesn't die with the hub
		var said T
		if !s.mood.Away {
			said = question(context.Background())
		}
		if s.mood.Away || s.mood.Mute {
			s.mood.Failed++
			said = failed
		}
		s.node.Later(back, func() { answer(said) })
	})
}

func (s *store) Open(shards []pool.ShardID, now time.Time, answer func(port.Opened)) {
	ask(s, port.Opened{Err: errAway}, func(ctx context.Context) (opened port.Opened) {
		if opened.Images, opened.Err = s.kept.Open(ctx, s.node.Name(), shards, now); opened.Err == nil {
			opened.Roster, opened.Err = s.kept.LoadRoster(ctx)
		}
		return opened
	}, answer)
}

func (s *store) LoadServer(id pool.ServerID, now time.Time, answer func(port.ServerLoaded)) {
	ask(s, port.ServerLoaded{Err: errAway}, func(ctx context.Context) (loaded port.ServerLoaded) {
		loaded.Image, loaded.Found, loaded.Err = s.kept.LoadServer(ctx, id, now)
		return loaded
	}, answer)
}

func (s *store) LoadAgent(name string, answer func(port.AgentLoaded)) {
	ask(s, port.AgentLoaded{Err: errAway}, func(ctx context.Context) (loaded port.AgentLoaded) {
		loaded.Image, loaded.Found, loaded.Err = s.kept.LoadAgent(ctx, name)
		return loaded
	}, answer)
}

func (s *store) LoadRoster(answer func(port.RosterLoaded)) {
	ask(s, port.RosterLoaded{Err: errAway}, func(ctx context.Context) (loaded port.RosterLoaded) {
		loaded.Roster, loaded.Err = s.kept.LoadRoster(ctx)
		return loaded
	}, answer)
}

func (s *store) Commit(commits []pool.ServerCommit, answer func(port.Committed)) {
	ask(s, port.Committed{Err: errAway}, func(ctx context.Context) (committed port.Committed) {
		before := s.referee.before(ctx, commits)
		committed.Outcomes, committed.Err = s.kept.Commit(ctx, commits)
		s.referee.judge(ctx, before)
		return committed
	}, answer)
}

func (s *store) Seen(seen []pool.AgentSeen, answer func(error)) {
	ask(s, errAway, func(ctx context.Context) error { return s.kept.Seen(ctx, seen) }, answer)
}

func (s *store) Changes(after uint64, answer func(port.ChangesRead)) {
	ask(s, port.ChangesRead{Err: errAway}, func(ctx context.Context) (read port.ChangesRead) {
		read.Changes, read.Err = s.kept.Changes(ctx, after)
		return read
	}, answer)
}

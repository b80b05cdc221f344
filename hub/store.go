package hub

import (
	"context"
	"sync"
	"time"

	"truechimer/actors/port"
	"truechimer/persistence"
	"truechimer/pool"
)

// storeWithin bounds a question to the store. A shard of 10,000 servers loads in a second;
// what takes longer than this waits for a database that has gone.
const storeWithin = 30 * time.Second

// store makes a Store's blocking calls asynchronous. It implements port.Store.
type store struct {
	persistence.Store
	hub  string
	ctx  context.Context // ends with the hub
	stop context.CancelFunc

	mu      sync.Mutex
	closed  bool // nothing is asked any more
	running sync.WaitGroup
}

var _ port.Store = (*store)(nil)

func newStore(of persistence.Store, hub string) *store {
	ctx, stop := context.WithCancel(context.Background())
	return &store{Store: of, hub: hub, ctx: ctx, stop: stop}
}

// ask runs a question on a goroutine of its own. After close nothing is asked, and nobody gets an answer.
func (s *store) ask(question func(ctx context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.running.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, storeWithin)
		defer cancel()
		question(ctx)
	})
}

// close waits for what is under way, breaks it off when the context ends, and returns when nothing runs any more.
func (s *store) close(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	within(ctx, s.running.Wait)
	s.stop()
	s.running.Wait()
}

func (s *store) Open(shards []pool.ShardID, now time.Time, answer func(port.Opened)) {
	s.ask(func(ctx context.Context) {
		var opened port.Opened
		opened.Images, opened.Err = s.Store.Open(ctx, s.hub, shards, now)
		if opened.Err == nil {
			opened.Roster, opened.Err = s.Store.LoadRoster(ctx)
		}
		answer(opened)
	})
}

func (s *store) LoadServer(id pool.ServerID, now time.Time, answer func(port.ServerLoaded)) {
	s.ask(func(ctx context.Context) {
		image, found, err := s.Store.LoadServer(ctx, id, now)
		answer(port.ServerLoaded{Image: image, Found: found, Err: err})
	})
}

func (s *store) LoadAgent(name string, answer func(port.AgentLoaded)) {
	s.ask(func(ctx context.Context) {
		image, found, err := s.Store.LoadAgent(ctx, name)
		answer(port.AgentLoaded{Image: image, Found: found, Err: err})
	})
}

func (s *store) LoadRoster(answer func(port.RosterLoaded)) {
	s.ask(func(ctx context.Context) {
		roster, err := s.Store.LoadRoster(ctx)
		answer(port.RosterLoaded{Roster: roster, Err: err})
	})
}

func (s *store) Commit(commits []pool.ServerCommit, answer func(port.Committed)) {
	s.ask(func(ctx context.Context) {
		outcomes, err := s.Store.Commit(ctx, commits)
		answer(port.Committed{Outcomes: outcomes, Err: err})
	})
}

func (s *store) Seen(seen []pool.AgentSeen, answer func(error)) {
	s.ask(func(ctx context.Context) { answer(s.Store.Seen(ctx, seen)) })
}

func (s *store) Changes(after uint64, answer func(port.ChangesRead)) {
	s.ask(func(ctx context.Context) {
		changes, err := s.Store.Changes(ctx, after)
		answer(port.ChangesRead{Changes: changes, Err: err})
	})
}

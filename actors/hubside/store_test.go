package hubside_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"truechimer/actors/port"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// store is the hub's way to the database, in the moods that the test gives it. It implements port.Store.
type store struct {
	rig  *rig
	node *world.Node
	wait time.Duration // how long an answer takes, half of it on the way there

	away  bool                   // nothing gets there
	mute  bool                   // what gets there is done, but the answer is lost
	fails func(what string) bool // questions that fail
	spoil func(pool.ServerCommit) error
	edit  func(*pool.ServerImage)
	purge map[pool.ServerID]bool // servers that aren't there any more
	judge func(*pool.Roster)     // what becomes of rosters on their way to the hub
	more  []pool.Change          // that the next look at the changes finds too
	held  []func()               // what waits for release
	hold  func(what string) bool
	late  func(what string) bool // answers that take five seconds more

	asked  []asked
	failed int
}

// asked is a question, as in "commit 1 2" or "load server 3".
type asked struct {
	what string
	at   time.Time
}

var (
	_ port.Store = (*store)(nil)

	errAway = errors.New("the database is away")
)

func newStore(r *rig) *store {
	never := func(string) bool { return false }
	return &store{
		rig: r, node: r.hub, wait: 2 * time.Millisecond, fails: never, hold: never, late: never,
		spoil: func(pool.ServerCommit) error { return nil },
		edit:  func(*pool.ServerImage) {},
		judge: func(*pool.Roster) {}, purge: make(map[pool.ServerID]bool),
	}
}

// questions are all that was asked and matches.
func (s *store) questions(matches func(what string) bool) (whats []string) {
	for _, a := range s.asked {
		if matches(a.what) {
			whats = append(whats, a.what)
		}
	}
	return whats
}

// release lets what was held go its way, and holds nothing any more.
func (s *store) release() {
	held := s.held
	s.held, s.hold = nil, func(string) bool { return false }
	for _, f := range held {
		f()
	}
}

// ask does something in the database after a while, and answers after another. On its way there it doesn't die with the hub.
func ask[T any](s *store, what string, failed T, question func(context.Context) T, answer func(T)) {
	s.asked = append(s.asked, asked{what, s.rig.Now()})
	do := func() {
		s.rig.After(s.wait/2, func() {
			fails := s.away || s.fails(what)
			var said T
			if !fails {
				said = question(context.Background())
			}
			if fails || s.mute {
				s.failed++
				said = failed
			}
			back := s.wait / 2
			if s.late(what) {
				back += 5 * time.Second
			}
			s.node.Later(back, func() { answer(said) })
		})
	}
	if s.hold(what) {
		s.held = append(s.held, do)
		return
	}
	do()
}

func (s *store) Open(shards []pool.ShardID, now time.Time, answer func(port.Opened)) {
	ask(s, fmt.Sprintf("open %d", len(shards)), port.Opened{Err: errAway}, func(ctx context.Context) (opened port.Opened) {
		opened.Images, opened.Err = s.rig.db.Open(ctx, s.node.Name(), shards, now)
		s.rig.must(opened.Err)
		for i := range opened.Images {
			for j := range opened.Images[i].Servers {
				s.edit(&opened.Images[i].Servers[j])
			}
		}
		opened.Roster, opened.Err = s.rig.db.LoadRoster(ctx)
		s.judge(&opened.Roster)
		return opened
	}, answer)
}

func (s *store) LoadServer(id pool.ServerID, now time.Time, answer func(port.ServerLoaded)) {
	ask(s, fmt.Sprintf("load server %d", id), port.ServerLoaded{Err: errAway}, func(ctx context.Context) (loaded port.ServerLoaded) {
		loaded.Image, loaded.Found, loaded.Err = s.rig.db.LoadServer(ctx, id, now)
		s.edit(&loaded.Image)
		loaded.Found = loaded.Found && !s.purge[id]
		return loaded
	}, answer)
}

func (s *store) LoadAgent(name string, answer func(port.AgentLoaded)) {
	ask(s, "load agent "+name, port.AgentLoaded{Err: errAway}, func(ctx context.Context) (loaded port.AgentLoaded) {
		loaded.Image, loaded.Found, loaded.Err = s.rig.db.LoadAgent(ctx, name)
		return loaded
	}, answer)
}

func (s *store) LoadRoster(answer func(port.RosterLoaded)) {
	ask(s, "load roster", port.RosterLoaded{Err: errAway}, func(ctx context.Context) (loaded port.RosterLoaded) {
		loaded.Roster, loaded.Err = s.rig.db.LoadRoster(ctx)
		s.judge(&loaded.Roster)
		return loaded
	}, answer)
}

// Commit keeps what isn't spoiled.
func (s *store) Commit(commits []pool.ServerCommit, answer func(port.Committed)) {
	what := "commit"
	for _, c := range commits {
		what += fmt.Sprintf(" %d", c.Server)
		if len(c.Rows) == 0 {
			what += "*" // an arrangement
		}
	}
	ask(s, what, port.Committed{Err: errAway}, func(ctx context.Context) port.Committed {
		outcomes := make([]pool.CommitOutcome, len(commits))
		for i, c := range commits {
			if outcomes[i].Err = s.spoil(c); outcomes[i].Err == nil {
				kept, err := s.rig.db.Commit(ctx, commits[i:i+1])
				s.rig.must(err)
				outcomes[i] = kept[0]
			}
		}
		return port.Committed{Outcomes: outcomes}
	}, answer)
}

func (s *store) Seen(seen []pool.AgentSeen, answer func(error)) {
	ask(s, "seen", errAway, func(ctx context.Context) error { return s.rig.db.Seen(ctx, seen) }, answer)
}

func (s *store) Changes(after uint64, answer func(port.ChangesRead)) {
	ask(s, "changes", port.ChangesRead{Err: errAway}, func(ctx context.Context) (read port.ChangesRead) {
		read.Changes, read.Err = s.rig.db.Changes(ctx, after)
		read.Changes, s.more = append(read.Changes, s.more...), nil
		return read
	}, answer)
}

// is matches questions that are one of these, or begin with one that ends with a space.
func is(whats ...string) func(string) bool {
	return func(what string) bool {
		return slices.ContainsFunc(whats, func(w string) bool {
			return w == what || w[len(w)-1] == ' ' && len(what) > len(w) && what[:len(w)] == w
		})
	}
}

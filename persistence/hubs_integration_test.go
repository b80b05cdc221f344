//go:build integration

package persistence_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"truechimer/pool"
	"truechimer/pool/placement"
)

// Hubs write to neighbouring rows at once and don't meet: all is kept, and each row once.
func TestHubsCommitSideBySide(t *testing.T) {
	store, _ := freshMySQL(t)
	const hubs, rounds, servers = 3, 15, 30
	w := newWorld(t, store, servers)
	var wait sync.WaitGroup
	for hub := range hubs {
		wait.Go(func() {
			for round := range rounds {
				var batch []pool.ServerCommit
				for i := hub; i < servers; i += hubs {
					at := noon.Add(time.Duration(round) * time.Minute)
					c := sampled(w.v4, at, float64(round))
					c.Rows = append(c.Rows, pool.LogRow{Monitor: w.every, At: at, Score: float64(round)})
					c.Scores = append(c.Scores, pool.PairScore{Monitor: w.every, At: at, Score: float64(round), Row: 1})
					c.Overall = &pool.Overall{Score: float64(round), At: at, Known: true}
					c.Statuses = []pool.PairStatus{{Monitor: w.v6, Status: pool.Testing}}
					batch = append(batch, w.of(i, c))
				}
				outcomes, err := store.Commit(t.Context(), batch)
				if err != nil {
					t.Error(err)
					return
				}
				for _, outcome := range outcomes {
					if outcome.Err != nil || outcome.Fenced {
						t.Errorf("outcome %+v", outcome)
					}
				}
			}
		})
		wait.Go(func() { // meanwhile the monitors are seen, in whatever order
			for range rounds {
				if err := store.Seen(t.Context(), []pool.AgentSeen{{Monitor: w.v6, Seen: noon}, {Monitor: w.v4, Seen: noon}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for i := range servers {
		if log := w.log(i); len(log) != 2*rounds {
			t.Errorf("server %d has %d rows", i, len(log))
		}
		if pair := w.pair(i, w.v4); pair.Score != rounds-1 {
			t.Errorf("server %d: %+v", i, pair)
		}
	}
}

// However a commit is cut off, it is there as a whole or not at all, and sent again it counts once.
func TestCommitThatWasCutOffCountsOnce(t *testing.T) {
	store, db := freshMySQL(t)
	const servers = 20
	w := newWorld(t, store, servers)
	cut := 0
	for round := range 60 {
		var batch []pool.ServerCommit
		for i := range servers {
			at := noon.Add(time.Duration(round) * time.Minute)
			c := sampled(w.v4, at, float64(round))
			c.Rows = append(c.Rows, pool.LogRow{Monitor: w.median, At: at, Score: float64(round), Counted: []pool.Ref{{Row: 0}}})
			c.Scores[0].Row = 0
			batch = append(batch, w.of(i, c))
		}
		// The context ends at another moment in each round: before the first statement, in the midst, at the COMMIT.
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(round)*150*time.Microsecond)
		_, err := store.Commit(ctx, batch)
		cancel()
		if err != nil {
			cut++
		}
		for i, outcome := range w.commit(batch...) {
			if outcome.Err != nil || outcome.Fenced || outcome.IDs[0] == 0 || outcome.IDs[1] <= outcome.IDs[0] {
				t.Fatalf("round %d, server %d: %+v", round, i, outcome)
			}
		}
	}
	if cut == 0 || cut == 60 {
		t.Errorf("%d of 60 commits were cut off: the test tests nothing", cut)
	}
	w.same("rows", []string{fmt.Sprint(60 * servers * 2)}, column(t, db, "SELECT COUNT(*) FROM log_scores"))
	for i := range servers {
		for n, entry := range w.log(i) {
			if want := float64(n / 2); entry.Score != want {
				t.Fatalf("server %d, row %d: %v, want %v", i, n, entry.Score, want)
			}
		}
	}
}

// While a shard changes hands, what the old hub is told it kept is there before the new one loads, and nothing after.
func TestNothingIsKeptBehindANewOwner(t *testing.T) {
	store, _ := freshMySQL(t)
	w := newWorld(t, store, 4)
	for takeover := range 10 {
		kept := make(chan int, 1)
		started := make(chan struct{})
		old := w.of(1, pool.ServerCommit{})
		go func() {
			count := 0
			for n := 0; ; n++ {
				if n == 3 {
					close(started)
				}
				c := sampled(w.v4, noon.Add(time.Duration(takeover)*time.Hour+time.Duration(n)*time.Second), 1)
				c.Server, c.Shard, c.Epoch = old.Server, old.Shard, old.Epoch
				outcomes, err := store.Commit(t.Context(), []pool.ServerCommit{c})
				if err != nil || outcomes[0].Err != nil || outcomes[0].Fenced {
					kept <- count
					return
				}
				count++
			}
		}()
		<-started
		before := len(w.log(1))
		images := w.open()
		loaded := images[old.Shard].Servers[0].Pairs
		log := w.log(1)
		newest := log[len(log)-1]
		if len(loaded) != 1 || loaded[0].Kept.ID != newest.ID && len(log) > 0 {
			t.Fatalf("loaded %+v, newest row %d", loaded, newest.ID)
		}
		count := <-kept
		if after := len(w.log(1)); after != len(log) || after < before || count < 3 {
			t.Errorf("takeover %d: %d rows when it was loaded, %d later", takeover, len(log), after)
		}
	}
}

// A hub that stopped in the midst of a transaction holds up the next owner of its shards for seconds only,
// and nobody else at all.
func TestStoppedHubLosesItsLocks(t *testing.T) {
	store, _ := freshMySQL(t)
	w := newWorld(t, store, 200)
	shard := placement.OfServer(w.servers[7])
	all := sampled(w.v4, noon, 1)
	all.Overall = &pool.Overall{Score: 1, At: noon, Known: true}
	all.Review = &pool.Review{Next: noon}
	stopped, err := store.BeginLocked(t.Context(), w.of(7, all))
	w.must(err)
	begun := time.Now()
	others := slices.DeleteFunc(allShards(), func(s pool.ShardID) bool { return s == shard })
	images, err := store.Open(t.Context(), "hub-2", others, noon)
	w.must(err)
	for _, image := range images {
		w.epochs[image.Shard] = image.Epoch
	}
	var batch []pool.ServerCommit
	for i := range w.servers {
		if i != 7 {
			batch = append(batch, w.of(i, all))
		}
	}
	for _, outcome := range w.commit(batch...) {
		if outcome.Err != nil || outcome.Fenced {
			t.Fatalf("outcome %+v", outcome)
		}
	}
	if waited := time.Since(begun); waited > 3*time.Second {
		t.Errorf("other shards were held up for %s", waited)
	}
	if _, err := store.Open(t.Context(), "hub-2", []pool.ShardID{shard}, noon); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(begun); waited < time.Second || waited > 9*time.Second {
		t.Errorf("its own shard was held up for %s", waited)
	}
	if err := stopped.Commit(); err == nil {
		t.Error("the stopped hub could go on")
	}
}

// A statement ends on the server too: the end of its context wouldn't do that.
func TestStatementsEndOnTheServer(t *testing.T) {
	store, _ := freshMySQL(t)
	for name, want := range map[string]string{
		"max_statement_time": "60", "time_zone": "+00:00", "wait_timeout": "5", "auto_increment_increment": "1",
		"innodb_lock_wait_timeout": "10", "lock_wait_timeout": "10",
	} {
		if have, err := store.Variable(t.Context(), name); have != want || err != nil {
			t.Errorf("%s is %s, %v; want %s", name, have, err, want)
		}
	}
}

// A transaction that was given up for another's sake is done again, some times.
func TestConflictsAreTriedAgain(t *testing.T) {
	store, _ := freshMySQL(t)
	deadlock := &mysql.MySQLError{Number: 1213, Message: "Deadlock found when trying to get lock"}
	for _, c := range []struct {
		name   string
		err    error
		fails  int
		tries  int
		worked bool
	}{
		{"none", nil, 0, 1, true},
		{"two deadlocks", deadlock, 2, 3, true},
		{"a timeout of a lock", &mysql.MySQLError{Number: 1205}, 1, 2, true},
		{"deadlocks without end", deadlock, 99, 5, false},
		{"another error", errors.New("broken"), 99, 1, false},
	} {
		tries := 0
		err := store.Change(t.Context(), func(*sql.Tx) error {
			if tries++; tries <= c.fails {
				return fmt.Errorf("write: %w", c.err)
			}
			return nil
		})
		if tries != c.tries || (err == nil) != c.worked {
			t.Errorf("%s: %d tries, %v", c.name, tries, err)
		}
	}
}

//go:build integration

package persistence_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"truechimer/pool"
)

// A round waits for the commits of its shard, as they wait for it.
func TestARoundWaitsForCommits(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 1)
	commit, err := store.BeginLocked(t.Context(), w.of(0, pool.ServerCommit{})) // which locks its shard, and has yet to begin
	w.must(err)
	applied := make(chan error, 1)
	go func() {
		applied <- store.ApplyRound(t.Context(), "me", w.servers[0], []pool.PairStatus{{Monitor: w.v4, Status: pool.Active}}, pool.Review{Last: noon.Add(1)})
	}()
	awaitLock(t, db)
	select {
	case err := <-applied:
		t.Errorf("it didn't wait: %v", err)
	default:
	}
	w.must(commit.Commit())
	w.must(<-applied)
	if have := w.pair(0, w.v4).Status; have != pool.Active {
		t.Errorf("status %s", have)
	}
}

// awaitLock waits until a transaction waits for a lock. The server tells what it knew at the last question, unless that
// is a tenth of a second ago.
func awaitLock(t *testing.T, db *sql.DB) {
	t.Helper()
	within := time.After(4 * time.Second)
	for strings.Join(column(t, db, "SELECT COUNT(*) FROM information_schema.innodb_lock_waits"), "") == "0" {
		select {
		case <-within:
			t.Fatal("nobody waits for a lock")
		case <-time.Tick(200 * time.Millisecond):
		}
	}
}

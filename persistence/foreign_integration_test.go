//go:build integration

package persistence_test

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
)

// forget takes from a database all that the pool's own doesn't have.
func forget(t *testing.T, db *sql.DB) {
	t.Helper()
	run(t, db,
		"DROP TABLE truechimer_versions, hub_nodes, shards, agents, authority, changes, server_monitor_hours, server_monitor_days,"+
			" server_monitor_figures, closed_hours, stale_hours",
		"ALTER TABLE servers DROP KEY shard, DROP COLUMN shard, DROP COLUMN port",
		"ALTER TABLE server_scores DROP COLUMN interval_ms, DROP COLUMN phase_ms, DROP COLUMN window_ms,"+
			" DROP COLUMN log_id, DROP COLUMN log_ts, DROP COLUMN log_score, DROP COLUMN log_step, DROP COLUMN log_rtt,"+
			" MODIFY created_on datetime NOT NULL, MODIFY status varchar(20) NOT NULL",
		"ALTER TABLE log_scores RENAME KEY server_ts TO by_server",
	)
}

// On a database of the pool that Truechimer has never seen, selections hold the same as on one of ours, and nothing there
// changes.
func TestSelectionsOfTheRealPool(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 4)
	w.spread(1)
	w.spread(2)
	w.keep(w.of(1, pool.ServerCommit{
		Scores:   []pool.PairScore{{Monitor: w.every, Score: 1, At: noon, Row: -1}},
		Statuses: []pool.PairStatus{{Monitor: w.v6, Status: pool.Paused, Violation: "account", ViolationSince: noon, LastCheck: noon, PauseReason: "constraint"}},
		Review:   &pool.Review{Last: noon, Next: noon.Add(time.Hour)},
	}))
	w.must(w.RemoveServer(t.Context(), "me", w.servers[3], noon))
	w.must(w.CloseHours(t.Context(), noon))
	want := w.selections(noon)
	forget(t, db)
	tables := schemaTexts(t, db)
	w.same("selections", want, w.selections(noon))
	w.same("a selection", want[1:2], w.selections(noon, w.servers[1]))
	// What we don't know is passed on as it is.
	run(t, db, "UPDATE server_scores SET status = 'new' WHERE server_id = 2 AND monitor_id = 4")
	want[1].Image.Pairs[1].Status = "new"
	w.same("a status that is new", want, w.selections(noon))
	w.same("tables", tables, schemaTexts(t, db))
}

// schemaTexts are the tables of a database as the server describes them.
func schemaTexts(t *testing.T, db *sql.DB) []string {
	t.Helper()
	return column(t, db, "SELECT CONCAT_WS(' ', table_name, column_name, column_type, column_default) FROM information_schema.columns"+
		" WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position")
}

// Pairs of monitors that are gone are handed over like any other.
func TestSelectionsOfMonitorsThatAreGone(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 1)
	w.sampleAt(0, noon)
	run(t, db, "ALTER TABLE server_scores DROP FOREIGN KEY server_scores_monitor", fmt.Sprint("DELETE FROM monitors WHERE id = ", w.v4))
	w.same("selections", []chosen{{
		pool.ServerImage{Server: w.server(0).Server, Pairs: []pool.Pair{{Monitor: w.v4, Server: w.servers[0], Status: pool.Candidate}}},
		[]pool.Tally{hour(0, 1).Tally},
	}}, w.selections(noon))
}

// A round is kept in such a database too, and nothing else there changes.
func TestRoundsInTheRealPool(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 2)
	w.keep(w.of(0, sampled(w.v4, noon, 7)))
	forget(t, db)
	tables := schemaTexts(t, db)
	review := pool.Review{Last: noon, Next: noon.Add(time.Hour)}
	w.must(store.ApplyRound(t.Context(), "me", w.servers[0], []pool.PairStatus{
		{Monitor: w.v6, Status: pool.Testing}, {Monitor: w.v4, Status: pool.Active, Violation: "limit", ViolationSince: noon},
	}, review))
	have := w.selections(noon)
	w.same("pairs", []pool.Pair{
		{Monitor: w.v4, Server: w.servers[0], Status: pool.Active, Violation: "limit", ViolationSince: noon},
		{Monitor: w.v6, Server: w.servers[0], Status: pool.Testing},
	}, have[0].Image.Pairs)
	w.same("review", review, have[0].Image.Review)
	w.same("score", []string{"7"}, column(t, db, "SELECT score_raw FROM server_scores WHERE monitor_id = 3"))
	w.same("tables", tables, schemaTexts(t, db))
	if err := store.ApplyRound(t.Context(), "me", 99, nil, review); !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("a server that isn't there: %v", err)
	}
}

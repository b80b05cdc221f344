//go:build integration

package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"truechimer/pool"
)

// BeginLocked is a commit of a server that has written all it wants to write and goes no further.
func (m *MySQL) BeginLocked(ctx context.Context, c pool.ServerCommit) (*sql.Tx, error) {
	tx, err := m.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return nil, err
	}
	b := &batch{commits: []pool.ServerCommit{c}, outcomes: make([]pool.CommitOutcome, 1)}
	return tx, b.write(ctx, tx, []int{0}, false)
}

// Change is a transaction that is tried again.
func (m *MySQL) Change(ctx context.Context, write func(*sql.Tx) error) error {
	return m.change(ctx, write)
}

// Variable reads a variable of a session.
func (m *MySQL) Variable(ctx context.Context, name string) (string, error) {
	var value string
	err := m.db.QueryRowContext(ctx, "SELECT @@"+name).Scan(&value)
	return value, err
}

// Execute runs a statement.
func (m *MySQL) Execute(ctx context.Context, statement string) error {
	_, err := m.db.ExecContext(ctx, statement)
	return err
}

// AddServers adds many servers at once, of ids from 1.
func (m *MySQL) AddServers(ctx context.Context, servers int) error {
	var rows tuples
	for id := 1; id <= servers; id++ {
		rows.add()
		rows.integer(int64(id))
		rows.words(fmt.Sprintf("10.0.%d.%d", id/256, id%256))
	}
	return m.Execute(ctx, rows.statement("INSERT INTO servers (id, ip) VALUES (", ")"))
}

// AddPairs adds a pair of each monitor with each server.
func (m *MySQL) AddPairs(ctx context.Context) error {
	return m.Execute(ctx, `INSERT IGNORE INTO server_scores (server_id, monitor_id, score_ts, interval_ms, phase_ms, window_ms, log_id, log_ts, log_score, log_step)
		SELECT s.id, m.id, NOW(6), 540000, 1000, 20000, 1, NOW(6), 20, 1 FROM servers s CROSS JOIN monitors m`)
}

// InsertBare inserts the samples of commits and nothing else.
func (m *MySQL) InsertBare(ctx context.Context, commits []pool.ServerCommit) error {
	b := &batch{commits: commits, outcomes: make([]pool.CommitOutcome, len(commits))}
	var samples []place
	for i, c := range commits {
		b.outcomes[i].IDs = make([]pool.LogID, len(c.Rows))
		for r, row := range c.Rows {
			if row.Sample != nil {
				samples = append(samples, place{commit: i, row: r})
			}
		}
	}
	return m.change(ctx, func(tx *sql.Tx) error { return b.insertRows(ctx, tx, samples) })
}

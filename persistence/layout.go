package persistence

import (
	"context"
	"database/sql"
	"fmt"
)

// layout is what a database holds. One of the pool that was never migrated lacks what is ours.
type layout struct {
	columns map[string]bool // table.column
	indexed bool            // log_scores has an index by server and time of the name that ours has
}

// readLayout finds it out.
func readLayout(ctx context.Context, tx *sql.Tx) (layout, error) {
	l := layout{columns: make(map[string]bool)}
	err := eachRow(ctx, tx, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()",
		func(scan scanner) error {
			var table, column string
			err := scan(&table, &column)
			l.columns[table+"."+column] = true
			return err
		})
	if err != nil {
		return layout{}, fmt.Errorf("read the columns of the database: %w", err)
	}
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
		AND table_name = 'log_scores' AND index_name = 'server_ts')`).Scan(&l.indexed)
	if err != nil {
		return layout{}, fmt.Errorf("read the indexes of log_scores: %w", err)
	}
	return l, nil
}

// has tells whether there is a column, given as table.column.
func (l layout) has(column string) bool { return l.columns[column] }

// column is a column of a table, or a constant in its place where there is none.
func (l layout) column(table, name, otherwise string) string {
	if l.has(table + "." + name) {
		return name
	}
	return otherwise
}

// sums tells whether hours are added up here: whether the tables for it are there.
func (l layout) sums() bool {
	return l.has("server_monitor_hours.sum_step_pico") && l.has("closed_hours.hour") &&
		l.has("stale_hours.hour") && l.has("server_monitor_figures.count")
}

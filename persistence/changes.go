package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
)

// entry is what an administrative change writes into the table changes; an empty kind: nothing was changed.
type entry struct {
	kind pool.ChangeKind
	key  string
	what string // in words
}

// administer makes a change and its entry in one transaction. Such changes are made one after the other, under a lock on
// the first entry: ids then become visible in their order, and what was found before a change still holds when it is made.
func (m *MySQL) administer(ctx context.Context, who string, change func(*sqlcgen.Queries) (entry, error)) error {
	return m.change(ctx, func(tx *sql.Tx) error {
		q := sqlcgen.New(tx)
		if _, err := q.LockChanges(ctx); err != nil {
			return fmt.Errorf("lock the changes: %w", err)
		}
		made, err := change(q)
		if err != nil || made.kind == "" {
			return err
		}
		return record(ctx, q, who, made)
	})
}

// record writes an entry; the caller holds the lock.
func record(ctx context.Context, q *sqlcgen.Queries, who string, made entry) error {
	err := q.AddChange(ctx, sqlcgen.AddChangeParams{Kind: string(made.kind), Key: made.key, Who: who, What: made.what})
	if err != nil {
		return fmt.Errorf("record the change: %w", err)
	}
	return nil
}

// Changes reads the entries after one.
func (m *MySQL) Changes(ctx context.Context, after uint64) ([]pool.Change, error) {
	rows, err := sqlcgen.New(m.db).ChangesAfter(ctx, after)
	if err != nil {
		return nil, fmt.Errorf("read changes after %d: %w", after, explained(err))
	}
	changes := make([]pool.Change, len(rows))
	for i, row := range rows {
		changes[i] = pool.Change{ID: row.ID, Kind: pool.ChangeKind(row.Kind), Key: row.Key}
	}
	return changes, nil
}

// LatestChange reads the id of the newest entry.
func (m *MySQL) LatestChange(ctx context.Context) (uint64, error) {
	id, err := sqlcgen.New(m.db).LatestChange(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the latest change: %w", explained(err))
	}
	return uint64(id), nil
}

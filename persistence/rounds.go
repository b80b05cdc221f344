package persistence

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// ApplyRound writes a round in one transaction.
func (m *MySQL) ApplyRound(ctx context.Context, who string, server pool.ServerID, statuses []pool.PairStatus, review pool.Review) error {
	statuses, err := checkRound(statuses)
	if err != nil {
		return fmt.Errorf("apply a round of server %d: %w", server, err)
	}
	err = m.change(ctx, func(tx *sql.Tx) error {
		l, err := lockForRound(ctx, tx, server)
		if err != nil {
			return err
		}
		if err := writeRound(ctx, tx, server, statuses); err != nil {
			return err
		}
		b := &batch{commits: []pool.ServerCommit{{Server: server, Review: &review}}}
		if err := b.writeReviews(ctx, tx, []int{0}); err != nil {
			return fmt.Errorf("write the review: %w", err)
		}
		if !l.has("changes.id") {
			return nil
		}
		return record(ctx, sqlcgen.New(tx), who, roundApplied(server, statuses))
	})
	if err != nil {
		return fmt.Errorf("apply a round of server %d: %w", server, err)
	}
	return nil
}

// checkRound sorts statuses by monitor, and refuses what can't be kept.
func checkRound(statuses []pool.PairStatus) ([]pool.PairStatus, error) {
	statuses = slices.SortedFunc(slices.Values(statuses), func(a, b pool.PairStatus) int { return cmp.Compare(a.Monitor, b.Monitor) })
	for i, status := range statuses {
		if i > 0 && statuses[i-1].Monitor == status.Monitor {
			return nil, fmt.Errorf("monitor %d is in it twice", status.Monitor)
		}
		if err := checkStatus(status); err != nil {
			return nil, fmt.Errorf("status of monitor %d: %w", status.Monitor, err)
		}
	}
	return statuses, nil
}

// lockForRound keeps commits of the server's shard and other changes away, as far as the database knows of them:
// changes before shards, as everybody locks them. It finds the server.
func lockForRound(ctx context.Context, tx *sql.Tx, server pool.ServerID) (layout, error) {
	l, err := readLayout(ctx, tx)
	if err != nil {
		return layout{}, err
	}
	q := sqlcgen.New(tx)
	if l.has("changes.id") {
		if _, err := q.LockChanges(ctx); err != nil {
			return layout{}, fmt.Errorf("lock the changes: %w", err)
		}
	}
	if l.has("shards.id") {
		if _, err := q.LockEpochs(ctx, []pool.ShardID{placement.OfServer(server)}); err != nil {
			return layout{}, fmt.Errorf("lock the shard: %w", err)
		}
	}
	var ip string
	err = tx.QueryRowContext(ctx, "SELECT ip FROM servers WHERE id = ?", server).Scan(&ip)
	if errors.Is(err, sql.ErrNoRows) {
		return layout{}, ErrNotFound
	}
	return l, err
}

// writeRound writes the status columns of pairs but for their cadences. The pool's own tables want to be told when a row
// was made.
func writeRound(ctx context.Context, tx *sql.Tx, server pool.ServerID, statuses []pool.PairStatus) error {
	for chunk := range slices.Chunk(statuses, rowsPerInsert) {
		var rows tuples
		for _, status := range chunk {
			rows.add()
			rows.integer(int64(server))
			rows.integer(int64(status.Monitor))
			rows.words(string(status.Status))
			rows.words(status.Violation)
			rows.at(status.ViolationSince)
			rows.at(status.LastCheck)
			rows.words(status.PauseReason)
			rows.raw("NOW()")
		}
		_, err := tx.ExecContext(ctx, rows.statement(
			"INSERT INTO server_scores (server_id, monitor_id, status, constraint_violation_type, constraint_violation_since,"+
				" last_constraint_check, pause_reason, created_on) VALUES\n(",
			`) ON DUPLICATE KEY UPDATE status = VALUES(status), constraint_violation_type = VALUES(constraint_violation_type),
				constraint_violation_since = VALUES(constraint_violation_since),
				last_constraint_check = VALUES(last_constraint_check), pause_reason = VALUES(pause_reason)`))
		if numberOf(err) == faultNoParent {
			return fmt.Errorf("one of its monitors: %w", ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("write statuses: %w", err)
		}
	}
	return nil
}

// roundApplied is the entry of a round.
func roundApplied(server pool.ServerID, statuses []pool.PairStatus) entry {
	words := make([]string, len(statuses))
	for i, status := range statuses {
		words[i] = "monitor " + idText(status.Monitor) + " " + string(status.Status)
	}
	return entry{pool.ChangedServer, idText(server), "round of selection: " + strings.Join(words, ", ")}
}

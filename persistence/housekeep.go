package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// daysAhead is how many days have their partition before they begin: a hub that isn't called for a weekend,
	// and agents whose clocks are ahead, are no reason for a row to land in the last one.
	daysAhead = 3

	// lastPartition takes what lies beyond the days ahead; new days are cut off from it.
	lastPartition = "later"

	// partitionName is the form of a day's name.
	partitionName = "p20060102"

	// housekeepingLockSeconds is short: another hub does the same work.
	housekeepingLockSeconds = 10
)

// Housekeep cuts the coming days off the last partition and drops those that are too old. Hubs take turns.
func (m *MySQL) Housekeep(ctx context.Context, now time.Time) error {
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("keep house: %w", explained(err))
	}
	defer conn.Close()
	if err := m.housekeep(ctx, conn, now); err != nil {
		return fmt.Errorf("keep house: %w", explained(err))
	}
	return nil
}

func (m *MySQL) housekeep(ctx context.Context, conn *sql.Conn, now time.Time) error {
	turn, err := takeTurn(ctx, conn, "days", housekeepingLockSeconds)
	if err != nil {
		return err
	}
	if !turn {
		return errors.New("another hub is at it and doesn't end")
	}
	defer endTurn(ctx, conn)
	days, err := partitions(ctx, conn)
	if err != nil {
		return fmt.Errorf("read the partitions of log_scores: %w", err)
	}
	oldest := m.options.oldestDay(now)
	if err := addDays(ctx, conn, missingDays(days, oldest, dayOf(now).AddDate(0, 0, daysAhead))); err != nil {
		return fmt.Errorf("add days to log_scores: %w", err)
	}
	if err := dropDays(ctx, conn, days, oldest); err != nil {
		return fmt.Errorf("drop days of log_scores: %w", err)
	}
	return nil
}

// takeTurn waits some seconds until no other hub is at a work; false: one still is. The turn is the connection's, and ends
// with it. Such locks are the whole server's, so that the name holds the database's.
func takeTurn(ctx context.Context, conn *sql.Conn, work string, seconds int) (bool, error) {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT('truechimer ', ?, ' ', MD5(DATABASE())), ?)", work, seconds).Scan(&got)
	return got.Int64 == 1, err
}

func endTurn(ctx context.Context, conn *sql.Conn) {
	// Where this fails the connection is gone, and the turn with it.
	_, _ = conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_ALL_LOCKS()")
}

// partitions are the days that have one, in their order. One of another name isn't ours to touch.
func partitions(ctx context.Context, conn *sql.Conn) ([]time.Time, error) {
	rows, err := conn.QueryContext(ctx, `SELECT partition_name FROM information_schema.partitions
		WHERE table_schema = DATABASE() AND table_name = 'log_scores' ORDER BY partition_ordinal_position`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var days []time.Time
	for rows.Next() {
		var name sql.NullString
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if at, err := time.Parse(partitionName, name.String); err == nil {
			days = append(days, at)
		}
	}
	return days, rows.Err()
}

// missingDays are those from the oldest to the last that come after all that there are. Between two that there are none
// is missing: the later one would hold its rows.
func missingDays(days []time.Time, oldest, last time.Time) []time.Time {
	first := oldest
	if len(days) > 0 {
		if after := days[len(days)-1].AddDate(0, 0, 1); after.After(first) {
			first = after
		}
	}
	var missing []time.Time
	for at := first; !at.After(last); at = at.AddDate(0, 0, 1) {
		missing = append(missing, at)
	}
	return missing
}

// addDays cuts days off the last partition; its rows of these days, if it has any, move with them.
func addDays(ctx context.Context, conn *sql.Conn, days []time.Time) error {
	if len(days) == 0 {
		return nil
	}
	var sql strings.Builder
	sql.WriteString("ALTER TABLE log_scores REORGANIZE PARTITION " + lastPartition + " INTO (")
	for _, at := range days {
		fmt.Fprintf(&sql, "PARTITION %s VALUES LESS THAN ('%s'), ",
			at.Format(partitionName), at.AddDate(0, 0, 1).Format(time.DateTime))
	}
	sql.WriteString("PARTITION " + lastPartition + " VALUES LESS THAN (MAXVALUE))")
	_, err := conn.ExecContext(ctx, sql.String())
	return err
}

// dropDays drops the days before the oldest that is kept.
func dropDays(ctx context.Context, conn *sql.Conn, days []time.Time, oldest time.Time) error {
	var old []string
	for _, at := range days {
		if at.Before(oldest) {
			old = append(old, at.Format(partitionName))
		}
	}
	if len(old) == 0 {
		return nil
	}
	_, err := conn.ExecContext(ctx, "ALTER TABLE log_scores DROP PARTITION "+strings.Join(old, ", "))
	return err
}

package persistence

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
)

// History reads the newest rows of a server.
func (m *MySQL) History(ctx context.Context, server pool.ServerID, limit int) ([]LogEntry, error) {
	scorers, err := m.scorerIDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("history of server %d: %w", server, err)
	}
	rows, err := sqlcgen.New(m.db).History(ctx, sqlcgen.HistoryParams{
		ServerID: server,
		Limit:    int32(max(0, min(limit, math.MaxInt32))),
	})
	if err != nil {
		return nil, fmt.Errorf("history of server %d: %w", server, explained(err))
	}
	entries := make([]LogEntry, len(rows))
	for i, row := range rows {
		entries[i] = logEntryOf(row, scorers[row.MonitorID])
	}
	slices.SortFunc(entries, func(a, b LogEntry) int { return cmp.Compare(a.ID, b.ID) })
	return entries, nil
}

// logEntryOf reads a row of the log.
func logEntryOf(row sqlcgen.HistoryRow, ofScorer bool) LogEntry {
	a := parseAttributes(row.Attributes.String)
	read := pool.LogRow{
		Monitor: row.MonitorID, At: row.Ts, Score: row.Score, Step: row.Step, Late: a.Late, Rule: a.Rule,
	}
	for _, id := range a.Counted {
		read.Counted = append(read.Counted, pool.Ref{ID: id})
	}
	if !ofScorer {
		read.Sample = &pool.Sample{
			At:      row.Ts,
			Offset:  secondsOf(row.Offset),
			RTT:     durationOf(sql.NullInt64{Int64: int64(row.Rtt.Int32), Valid: row.Rtt.Valid}, time.Microsecond),
			Stratum: a.Stratum,
			Leap:    pool.Leap(a.Leap),
			NoReply: a.NoResponse,
			Kiss:    pool.Kiss(a.Kiss),
			Error:   a.Error,
			Warning: a.Warning,
		}
	}
	return LogEntry{ID: row.ID, LogRow: read}
}

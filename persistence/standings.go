package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"truechimer/pool"
)

// What follows from the samples of a batch: the scores and statuses of pairs, the servers' own scores, reviews,
// and how far the scorers have come. Each is written once for a batch, whatever number of commits speak of it.

// rowsPerUnion keeps a UNION short: a server has some ten kB of memory for each of its SELECTs.
const rowsPerUnion = 250

// writeStandings writes them all.
func (b *batch) writeStandings(ctx context.Context, tx *sql.Tx, live []int) error {
	for _, part := range []struct {
		of    string
		write func(context.Context, *sql.Tx, []int) error
	}{
		{"scores of pairs", b.writeScores},
		{"statuses of pairs", b.writeStatuses},
		{"scores of servers", b.writeServers},
		{"reviews", b.writeReviews},
		{"status of scorers", b.writeScorers},
	} {
		if err := part.write(ctx, tx, live); err != nil {
			return fmt.Errorf("write %s: %w", part.of, err)
		}
	}
	return nil
}

// writeServers writes the servers' own scores, which only move forward in time, and their strata.
// The join goes from these servers to the table: the other way round it would lock those of other hubs.
// Its conditions hold whether a column they name has been set already or not: the order is the server's choice.
func (b *batch) writeServers(ctx context.Context, tx *sql.Tx, live []int) error {
	servers := make(map[pool.ServerID]pool.Overall)
	for _, i := range live {
		if overall := b.commits[i].Overall; overall != nil {
			id := b.commits[i].Server
			servers[id] = mergedOverall(servers[id], *overall)
		}
	}
	ids := slices.Sorted(maps.Keys(servers))
	for chunk := range slices.Chunk(ids, rowsPerUnion) {
		rows := tuples{between: "\nUNION ALL SELECT "}
		for _, id := range chunk {
			appendOverall(&rows, id, servers[id])
		}
		_, err := tx.ExecContext(ctx, rows.statement(
			"UPDATE (SELECT 0 AS id, NULL AS stratum, NULL AS ts, NULL AS score\nUNION ALL SELECT ",
			`) v STRAIGHT_JOIN servers s ON s.id = v.id SET s.stratum = COALESCE(v.stratum, s.stratum),
				s.score_raw = IF(v.ts >= COALESCE(s.score_ts, v.ts), v.score, s.score_raw),
				s.score_ts = IF(v.ts >= COALESCE(s.score_ts, v.ts), v.ts, s.score_ts)`))
		if err != nil {
			return err
		}
	}
	return nil
}

// mergedOverall is the newer of two overall scores, with the newer stratum.
func mergedOverall(old, fresh pool.Overall) pool.Overall {
	if fresh.Stratum == 0 {
		fresh.Stratum = old.Stratum
	}
	if old.Known && (!fresh.Known || fresh.At.Before(old.At)) {
		fresh.Known, fresh.At, fresh.Score = true, old.At, old.Score
	}
	return fresh
}

func appendOverall(rows *tuples, id pool.ServerID, overall pool.Overall) {
	rows.add()
	rows.integer(int64(id))
	rows.known(uint64(overall.Stratum))
	if !overall.Known {
		rows.null()
		rows.null()
		return
	}
	rows.at(overall.At)
	rows.float(overall.Score)
}

// writeReviews writes when servers are reviewed.
func (b *batch) writeReviews(ctx context.Context, tx *sql.Tx, live []int) error {
	reviews := make(map[pool.ServerID]pool.Review)
	for _, i := range live {
		if review := b.commits[i].Review; review != nil {
			reviews[b.commits[i].Server] = *review
		}
	}
	ids := slices.Sorted(maps.Keys(reviews))
	for chunk := range slices.Chunk(ids, rowsPerInsert) {
		var rows tuples
		for _, id := range chunk {
			rows.add()
			rows.integer(int64(id))
			for _, at := range []time.Time{reviews[id].Last, reviews[id].Next, reviews[id].Change} {
				rows.at(at)
			}
		}
		_, err := tx.ExecContext(ctx, rows.statement(
			"INSERT INTO servers_monitor_review (server_id, last_review, next_review, last_change) VALUES\n(",
			`) ON DUPLICATE KEY UPDATE last_review = VALUES(last_review), next_review = VALUES(next_review),
				last_change = VALUES(last_change)`))
		if err != nil {
			return err
		}
	}
	return nil
}

// writeScorers notes the newest row of each scorer.
func (b *batch) writeScorers(ctx context.Context, tx *sql.Tx, live []int) error {
	newest := make(map[pool.MonitorID]pool.LogID)
	for _, i := range live {
		for r, row := range b.commits[i].Rows {
			if row.Sample == nil {
				newest[row.Monitor] = max(newest[row.Monitor], b.outcomes[i].IDs[r])
			}
		}
	}
	if len(newest) == 0 {
		return nil
	}
	var rows tuples
	for _, scorer := range slices.Sorted(maps.Keys(newest)) {
		rows.add()
		rows.integer(int64(scorer))
		rows.known(uint64(newest[scorer]))
	}
	_, err := tx.ExecContext(ctx, rows.statement(
		"INSERT INTO scorer_status (scorer_id, log_score_id) VALUES\n(",
		") ON DUPLICATE KEY UPDATE log_score_id = GREATEST(log_score_id, VALUES(log_score_id))"))
	return err
}

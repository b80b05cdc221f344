package persistence

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"

	"truechimer/pool"
)

// pairKey names a pair of server and monitor, in the order of the table.
type pairKey struct {
	server  pool.ServerID
	monitor pool.MonitorID
}

func (k pairKey) compare(other pairKey) int {
	return cmp.Or(cmp.Compare(k.server, other.server), cmp.Compare(k.monitor, other.monitor))
}

// pairScore is what is written of a pair's score.
type pairScore struct {
	score pool.PairScore
	kept  pool.Kept // ID 0: as it was
}

// writeScores writes the score columns of pairs and leaves their status alone; a pair that is new starts as a candidate.
// Most scorers' values make no row in the log: those are written by a statement of their own, with half the columns.
func (b *batch) writeScores(ctx context.Context, tx *sql.Tx, live []int) error {
	pairs := make(map[pairKey]pairScore)
	for _, i := range live {
		for _, score := range b.commits[i].Scores {
			key := pairKey{b.commits[i].Server, score.Monitor}
			pairs[key] = b.merged(pairs[key], score, i)
		}
	}
	hasRow := func(key pairKey) bool { return pairs[key].kept.ID != 0 }
	with, without := partition(slices.SortedFunc(maps.Keys(pairs), pairKey.compare), hasRow)
	err := upsert(ctx, tx, without, func(rows *tuples, key pairKey) { b.appendScore(rows, key, pairs[key].score) },
		"INSERT INTO server_scores (server_id, monitor_id, status, score_ts, score_raw, stratum) VALUES\n(",
		`) ON DUPLICATE KEY UPDATE score_ts = VALUES(score_ts), score_raw = VALUES(score_raw),
			stratum = COALESCE(VALUES(stratum), stratum)`)
	if err != nil {
		return err
	}
	return upsert(ctx, tx, with, func(rows *tuples, key pairKey) {
		b.appendScore(rows, key, pairs[key].score)
		appendKept(rows, pairs[key].kept)
	},
		"INSERT INTO server_scores (server_id, monitor_id, status, score_ts, score_raw, stratum,"+
			" log_id, log_ts, log_score, log_step, log_rtt) VALUES\n(",
		`) ON DUPLICATE KEY UPDATE score_ts = VALUES(score_ts), score_raw = VALUES(score_raw),
			stratum = COALESCE(VALUES(stratum), stratum), log_id = VALUES(log_id), log_ts = VALUES(log_ts),
			log_score = VALUES(log_score), log_step = VALUES(log_step), log_rtt = VALUES(log_rtt)`)
}

// partition parts what has a quality from what hasn't, each in its order.
func partition[T any](all []T, has func(T) bool) (with, without []T) {
	for _, one := range all {
		if has(one) {
			with = append(with, one)
		} else {
			without = append(without, one)
		}
	}
	return with, without
}

// merged is what is known of a pair after one more commit.
func (b *batch) merged(pair pairScore, score pool.PairScore, commit int) pairScore {
	if score.Stratum == 0 {
		score.Stratum = pair.score.Stratum
	}
	pair.score = score
	if score.Row >= 0 {
		p := place{commit: commit, row: score.Row}
		pair.kept = keptOf(b.outcomes[commit].IDs[score.Row], b.row(p))
	}
	return pair
}

// keptOf is what a pair remembers of a row.
func keptOf(id pool.LogID, row pool.LogRow) pool.Kept {
	kept := pool.Kept{ID: id, At: row.At, Score: row.Score, Step: row.Step}
	if row.Sample != nil {
		kept.RTT = row.Sample.RTT
	}
	return kept
}

func (b *batch) appendScore(rows *tuples, key pairKey, score pool.PairScore) {
	// A scorer serves every server, always.
	status := pool.Candidate
	if b.scorers[key.monitor] {
		status = pool.Active
	}
	rows.words(string(status))
	rows.at(score.At)
	rows.float(score.Score)
	rows.known(uint64(score.Stratum))
}

func appendKept(rows *tuples, kept pool.Kept) {
	rows.known(uint64(kept.ID))
	rows.at(kept.At)
	rows.float(kept.Score)
	rows.float(kept.Step)
	rows.micros(kept.RTT)
}

// writeStatuses writes the status columns of pairs and leaves their scores alone.
func (b *batch) writeStatuses(ctx context.Context, tx *sql.Tx, live []int) error {
	pairs := make(map[pairKey]pool.PairStatus)
	for _, i := range live {
		for _, status := range b.commits[i].Statuses {
			pairs[pairKey{b.commits[i].Server, status.Monitor}] = status
		}
	}
	keys := slices.SortedFunc(maps.Keys(pairs), pairKey.compare)
	return upsert(ctx, tx, keys, func(rows *tuples, key pairKey) { appendStatus(rows, pairs[key]) },
		"INSERT INTO server_scores (server_id, monitor_id, status, interval_ms, phase_ms, window_ms, constraint_violation_type,"+
			" constraint_violation_since, last_constraint_check, pause_reason) VALUES\n(",
		`) ON DUPLICATE KEY UPDATE status = VALUES(status),
			interval_ms = VALUES(interval_ms), phase_ms = VALUES(phase_ms), window_ms = VALUES(window_ms),
			constraint_violation_type = VALUES(constraint_violation_type),
			constraint_violation_since = VALUES(constraint_violation_since),
			last_constraint_check = VALUES(last_constraint_check), pause_reason = VALUES(pause_reason)`)
}

func appendStatus(rows *tuples, status pool.PairStatus) {
	rows.words(string(status.Status))
	if c := status.Cadence; c != nil {
		rows.integer(c.Interval.Milliseconds())
		rows.integer(c.Phase.Milliseconds())
		rows.integer(c.Window.Milliseconds())
	} else {
		rows.null()
		rows.null()
		rows.null()
	}
	rows.words(status.Violation)
	rows.at(status.ViolationSince)
	rows.at(status.LastCheck)
	rows.words(status.PauseReason)
}

// upsert inserts or updates pairs, whose keys come sorted.
func upsert(ctx context.Context, tx *sql.Tx, keys []pairKey, appendPair func(*tuples, pairKey), begin, end string) error {
	for chunk := range slices.Chunk(keys, rowsPerInsert) {
		rows := tuplesFor(len(chunk))
		for _, key := range chunk {
			rows.add()
			rows.integer(int64(key.server))
			rows.integer(int64(key.monitor))
			appendPair(rows, key)
		}
		if _, err := tx.ExecContext(ctx, rows.statement(begin, end)); err != nil {
			return err
		}
	}
	return nil
}

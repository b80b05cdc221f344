package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"truechimer/pool"
)

const (
	// rowsPerInsert is where longer statements stop being faster (measured: 100 rows a statement reach 65,000 rows/s,
	// 1,000 reach 94,000), and a few hundred kB, far below any server's largest packet.
	rowsPerInsert = 1000

	// keysPerLookup keeps the list in an IN short enough for MySQL's range optimizer, which gives up and scans
	// the table when it would need over 8 MB for one.
	keysPerLookup = 500
)

// place is where a row stands in a batch.
type place struct {
	commit int
	row    int
}

// sampleKey is what makes a sample one.
type sampleKey struct {
	monitor pool.MonitorID
	server  pool.ServerID
	micros  int64
}

func keyOf(server pool.ServerID, row pool.LogRow) sampleKey {
	return sampleKey{monitor: row.Monitor, server: server, micros: row.At.UnixMicro()}
}

// row is the row at a place.
func (b *batch) row(p place) pool.LogRow { return b.commits[p.commit].Rows[p.row] }

// key is what makes the row at a place one.
func (b *batch) key(p place) sampleKey { return keyOf(b.commits[p.commit].Server, b.row(p)) }

// stored finds the rows that are in the log already: among the late ones, or among all.
func (b *batch) stored(ctx context.Context, tx *sql.Tx, live []int, all bool) (map[sampleKey]pool.LogID, error) {
	var wanted []sampleKey
	for _, i := range live {
		for _, row := range b.commits[i].Rows {
			if all || row.Late {
				wanted = append(wanted, keyOf(b.commits[i].Server, row))
			}
		}
	}
	there := make(map[sampleKey]pool.LogID)
	for keys := range slices.Chunk(wanted, keysPerLookup) {
		if err := lookUp(ctx, tx, keys, there); err != nil {
			return nil, fmt.Errorf("look for rows that are there already: %w", err)
		}
	}
	return there, nil
}

// lookUp adds the ids of those rows of log_scores that are there.
func lookUp(ctx context.Context, tx *sql.Tx, keys []sampleKey, there map[sampleKey]pool.LogID) error {
	var list tuples
	for _, key := range keys {
		list.add()
		list.integer(int64(key.monitor))
		list.integer(int64(key.server))
		list.at(timeOfMicros(key.micros))
	}
	rows, err := tx.QueryContext(ctx, list.statement(
		"SELECT monitor_id, server_id, ts, id FROM log_scores WHERE (monitor_id, server_id, ts) IN ((", "))"))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key sampleKey
		var at sql.NullTime
		var id pool.LogID
		if err := rows.Scan(&key.monitor, &key.server, &at, &id); err != nil {
			return err
		}
		key.micros = at.Time.UnixMicro()
		there[key] = id
	}
	return rows.Err()
}

// absent are the commits that aren't there yet. Of one that is the ids are filled in; one of which a part is, is refused.
func (b *batch) absent(live []int, there map[sampleKey]pool.LogID) []int {
	var absent []int
	for _, i := range live {
		if !b.repeated(i, there) && b.outcomes[i].Err == nil {
			absent = append(absent, i)
		}
	}
	return absent
}

// repeated tells whether a commit is there already.
func (b *batch) repeated(i int, there map[sampleKey]pool.LogID) bool {
	found, missing := 0, 0
	for r, row := range b.commits[i].Rows {
		if row.Late {
			continue
		}
		id := there[b.key(place{commit: i, row: r})]
		if id == 0 {
			missing++
			continue
		}
		found++
		b.outcomes[i].IDs[r] = id
	}
	if found > 0 && missing > 0 {
		b.outcomes[i] = pool.CommitOutcome{Err: errPartlyThere(b.commits[i].Server, found, missing)}
		return false
	}
	return found > 0
}

// rows are those to insert: samples, and scorers' values. Of the late ones only those that are nowhere yet.
func (b *batch) rows(live []int, there map[sampleKey]pool.LogID) (samples, values []place) {
	taken := make(map[sampleKey]bool)
	for _, i := range live {
		for r, row := range b.commits[i].Rows {
			p := place{commit: i, row: r}
			if row.Sample == nil {
				values = append(values, p)
				continue
			}
			key := b.key(p)
			if row.Late && (there[key] != 0 || taken[key]) {
				continue
			}
			taken[key] = true
			samples = append(samples, p)
		}
	}
	return samples, values
}

// errPartlyThere refuses a commit of which a part is there: it is kept whole or not at all, so this is another one
// with the same sample.
func errPartlyThere(server pool.ServerID, found, missing int) error {
	return fmt.Errorf("%d of %d rows of server %d are there already", found, found+missing, server)
}

// insertRows inserts rows and learns their ids.
func (b *batch) insertRows(ctx context.Context, tx *sql.Tx, places []place) error {
	for chunk := range slices.Chunk(places, rowsPerInsert) {
		rows := tuplesFor(len(chunk))
		for _, p := range chunk {
			b.appendRow(rows, p)
		}
		inserted, err := tx.ExecContext(ctx, rows.statement(
			"INSERT INTO log_scores (monitor_id, server_id, ts, score, step, `offset`, rtt, attributes) VALUES\n(", ")"))
		if err != nil {
			return fmt.Errorf("insert %d rows into log_scores: %w", len(chunk), err)
		}
		// The server tells the first id; those of one statement follow each other.
		first, err := inserted.LastInsertId()
		if err != nil {
			return err
		}
		for k, p := range chunk {
			b.outcomes[p.commit].IDs[p.row] = pool.LogID(first) + pool.LogID(k)
		}
	}
	return nil
}

// appendRow writes one row of log_scores.
func (b *batch) appendRow(rows *tuples, p place) {
	row := b.row(p)
	rows.add()
	rows.integer(int64(row.Monitor))
	rows.integer(int64(b.commits[p.commit].Server))
	rows.at(row.At)
	rows.float(row.Score)
	rows.float(row.Step)
	if row.Sample != nil && row.Sample.Offset != nil {
		rows.float(row.Sample.Offset.Seconds())
	} else {
		rows.null()
	}
	if row.Sample != nil {
		rows.micros(row.Sample.RTT)
	} else {
		rows.null()
	}
	rows.attributes(row, b.counted(p))
}

// counted resolves what a scorer's row counts to ids.
func (b *batch) counted(p place) []pool.LogID {
	return resolve(b.row(p).Counted, b.outcomes[p.commit].IDs)
}

// resolve turns refs into ids.
func resolve(refs []pool.Ref, ids []pool.LogID) []pool.LogID {
	if len(refs) == 0 {
		return nil
	}
	counted := make([]pool.LogID, len(refs))
	for i, ref := range refs {
		counted[i] = ref.ID
		if ref.ID == 0 {
			counted[i] = ids[ref.Row]
		}
	}
	return counted
}

// attributes writes the JSON of a row. It is ours and plain but for what a server said.
func (t *tuples) attributes(row pool.LogRow, counted []pool.LogID) {
	var buffer [256]byte // most are shorter
	text := appendAttributes(buffer[:0], row, counted)
	if len(text) == 0 {
		t.null()
		return
	}
	t.next()
	t.text = appendWords(t.text, text)
}

package persistence

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"truechimer/pool"
)

// serverHour is an hour of a server's log, in the order of the table stale_hours.
type serverHour struct {
	hour   int64 // of its beginning, in seconds since 1970
	server pool.ServerID
}

func (h serverHour) compare(other serverHour) int {
	return cmp.Or(cmp.Compare(h.hour, other.hour), cmp.Compare(h.server, other.server))
}

// markStale marks the hours that had ended when the transaction began, and now have more samples: they may be closed,
// or be closed beside this transaction. A mark that is there already is locked, so that who adds up the hour leaves it
// until these samples can be seen.
func (b *batch) markStale(ctx context.Context, tx *sql.Tx, samples []place) error {
	stale := make(map[serverHour]bool)
	for _, p := range samples {
		hour := b.row(p).At.Truncate(time.Hour)
		if !hour.Add(time.Hour).After(b.began) {
			stale[serverHour{hour.Unix(), b.commits[p.commit].Server}] = true
		}
	}
	for chunk := range slices.Chunk(slices.SortedFunc(maps.Keys(stale), serverHour.compare), rowsPerInsert) {
		var rows tuples
		for _, key := range chunk {
			rows.add()
			rows.at(time.Unix(key.hour, 0))
			rows.integer(int64(key.server))
		}
		_, err := tx.ExecContext(ctx, rows.statement(
			"INSERT INTO stale_hours (`hour`, server_id) VALUES\n(", ") ON DUPLICATE KEY UPDATE server_id = VALUES(server_id)"))
		if err != nil {
			return fmt.Errorf("mark hours as stale: %w", err)
		}
	}
	return nil
}

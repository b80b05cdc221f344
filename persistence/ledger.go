package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"truechimer/pool"
)

// What samples add up to is read from where it is added up already, and for the rest from the log: of open hours, and of
// closed ones that are stale for a server. All in one snapshot, so that each sample is in one of the two.

// ledger says which hours of which servers are added up, as of one snapshot.
type ledger struct {
	window span
	closed []time.Time                   // hours of the window that are, by time
	stale  map[pool.ServerID][]time.Time // but for these
}

// readLedger reads it for a window of whole hours.
func readLedger(ctx context.Context, tx *sql.Tx, window span) (ledger, error) {
	l := ledger{window: window, stale: make(map[pool.ServerID][]time.Time)}
	err := eachRow(ctx, tx, "SELECT `hour` FROM closed_hours WHERE"+within("`hour`", window)+"ORDER BY `hour`",
		func(scan scanner) error {
			var hour time.Time
			err := scan(&hour)
			l.closed = append(l.closed, hour)
			return err
		})
	if err != nil {
		return ledger{}, fmt.Errorf("closed hours: %w", err)
	}
	err = eachRow(ctx, tx, "SELECT t.server_id, t.`hour` FROM stale_hours t JOIN closed_hours c ON c.`hour` = t.`hour` WHERE"+
		within("t.`hour`", window), func(scan scanner) error {
		var server integer
		var hour time.Time
		err := scan(&server, &hour)
		l.stale[pool.ServerID(server)] = append(l.stale[pool.ServerID(server)], hour)
		return err
	})
	if err != nil {
		return ledger{}, fmt.Errorf("stale hours: %w", err)
	}
	return l, nil
}

// has tells whether an hour of a server is added up.
func (l ledger) has(server pool.ServerID, hour time.Time) bool {
	return !slices.ContainsFunc(l.stale[server], hour.Equal)
}

// open are the stretches of a window that aren't closed.
func (l ledger) open(window span) []span {
	var open []span
	from := window.from
	for _, hour := range l.closed {
		if from.Before(hour) {
			open = append(open, span{from, hour})
		}
		if end := hour.Add(time.Hour); end.After(from) {
			from = end
		}
	}
	if from.Before(window.to) {
		open = append(open, span{from, window.to})
	}
	return open
}

// part is a part of the log: some stretches of time of some servers.
type part struct {
	servers []pool.ServerID // by id
	spans   []span
}

// logged are the parts of the log that aren't added up for some servers, which come sorted.
func (l ledger) logged(servers []pool.ServerID) []part {
	parts := []part{{servers, l.open(l.window)}}
	of := make(map[int64][]pool.ServerID)
	for _, id := range servers {
		for _, hour := range l.stale[id] {
			of[hour.Unix()] = append(of[hour.Unix()], id)
		}
	}
	for _, unix := range slices.Sorted(maps.Keys(of)) {
		hour := time.Unix(unix, 0).UTC()
		parts = append(parts, part{of[unix], []span{{hour, hour.Add(time.Hour)}}})
	}
	return parts
}

// serversPerRead keeps a list of servers short enough that both MySQL and MariaDB look each of them up in the index:
// from 1,000 on MariaDB makes a table of it, and joins.
const serversPerRead = 500

// chunked cuts parts up so that none is of too many servers. One that is long, though, is best read in one pass over
// the table.
func chunked(parts []part) []part {
	var all []part
	for _, p := range parts {
		if len(p.spans) == 0 {
			continue
		}
		if p.isWide() {
			all = append(all, p)
			continue
		}
		for servers := range slices.Chunk(p.servers, serversPerRead) {
			all = append(all, part{servers, p.spans})
		}
	}
	return all
}

// isWide tells whether a pass over the table is quicker than to look up each row through the index, which costs some ten
// times as much a row: where most servers are asked for and hours are a good part of a day.
func (p part) isWide() bool {
	const many, long = 100, 4 * time.Hour
	var all time.Duration
	for _, s := range p.spans {
		all += s.to.Sub(s.from)
	}
	return len(p.servers) > many && all > long
}

// where is the condition for the rows of a part. It may hold for servers between those of a wide one too.
func (p part) where() string {
	var text strings.Builder
	if p.isWide() {
		fmt.Fprintf(&text, " server_id BETWEEN %d AND %d AND (", p.servers[0], p.servers[len(p.servers)-1])
	} else {
		text.WriteString(" server_id IN (" + idList(p.servers) + ") AND (")
	}
	for i, s := range p.spans {
		if i > 0 {
			text.WriteString("OR")
		}
		text.WriteString(within("ts", s))
	}
	return text.String() + ") "
}

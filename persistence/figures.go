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

// figuresWindow are the hours of figures.
func figuresWindow(now time.Time) span {
	since := pool.FiguresSince(now)
	return span{since, since.Add(pool.FiguresHours * time.Hour)}
}

// readFigures fills in the hours of the images' pairs.
func (m *MySQL) readFigures(ctx context.Context, tx *sql.Tx, now time.Time, images []*pool.ServerImage) error {
	scorers, err := m.scorerIDs(ctx)
	if err != nil {
		return err
	}
	log := logReader{scorers: append(slices.Sorted(maps.Keys(scorers)), 0), indexed: true}
	window := figuresWindow(now)
	l, err := readLedger(ctx, tx, window)
	if err != nil {
		return err
	}
	of, servers := indexed(images)
	add := func(t tallied) {
		if pair := pairIn(of[t.server], t.monitor); pair != nil {
			hour := window.from.Add(time.Duration(t.hour) * time.Hour)
			pair.Hours = append(pair.Hours, pool.HourTally{Hour: hour, Tally: t.Tally})
		}
	}
	if err := l.readHours(ctx, tx, servers, add); err != nil {
		return fmt.Errorf("hours that are added up: %w", err)
	}
	if err := log.read(ctx, tx, l.logged(servers), hourNumber("ts", window), add); err != nil {
		return fmt.Errorf("hours from the log: %w", err)
	}
	for _, image := range images {
		for i := range image.Pairs {
			slices.SortFunc(image.Pairs[i].Hours, func(a, b pool.HourTally) int { return a.Hour.Compare(b.Hour) })
		}
	}
	return nil
}

// indexed finds images by their server, and lists the servers by id.
func indexed(images []*pool.ServerImage) (map[pool.ServerID]*pool.ServerImage, []pool.ServerID) {
	of := make(map[pool.ServerID]*pool.ServerImage, len(images))
	for _, image := range images {
		of[image.Server.ID] = image
	}
	return of, slices.Sorted(maps.Keys(of))
}

// pairIn finds the pair of a monitor; nil: there is none.
func pairIn(image *pool.ServerImage, monitor pool.MonitorID) *pool.Pair {
	i, there := findPair(image.Pairs, monitor)
	if !there {
		return nil
	}
	return &image.Pairs[i]
}

// findPair finds where the pair of a monitor is, or would be: pairs are sorted by monitor.
func findPair(pairs []pool.Pair, monitor pool.MonitorID) (int, bool) {
	return slices.BinarySearchFunc(pairs, monitor, func(pair pool.Pair, id pool.MonitorID) int {
		return cmp.Compare(pair.Monitor, id)
	})
}

// tallied is what is read of one pair: of one hour, or of several where that makes no difference.
type tallied struct {
	server  pool.ServerID
	monitor pool.MonitorID
	hour    int // its number in the window
	pool.Tally
}

// eachTally runs a query whose columns are those of tallied.
func eachTally(ctx context.Context, tx *sql.Tx, query string, add func(tallied)) error {
	var server, monitor, hour, count, timed, micros, step integer
	return eachRow(ctx, tx, query, func(scan scanner) error {
		err := scan(&server, &monitor, &hour, &count, &timed, &micros, &step)
		add(tallied{
			server: pool.ServerID(server), monitor: pool.MonitorID(monitor), hour: int(hour),
			Tally: pool.Tally{
				Count: int(count), Timed: int(timed), RTT: time.Duration(micros) * time.Microsecond, Step: int64(step),
			},
		})
		return err
	})
}

// tallyColumns are those of tables that hold tallies.
const tallyColumns = "`count`, count_rtt, sum_rtt_us, sum_step_pico"

// readHours reads the hours that are added up, for servers which come sorted.
func (l ledger) readHours(ctx context.Context, tx *sql.Tx, servers []pool.ServerID, add func(tallied)) error {
	if len(l.closed) == 0 {
		return nil
	}
	for chunk := range slices.Chunk(servers, serversPerRead) {
		query := "SELECT server_id, monitor_id, " + hourNumber("`hour`", l.window) + ", " + tallyColumns +
			" FROM server_monitor_hours WHERE server_id IN (" + idList(chunk) + ") AND" + within("`hour`", l.window)
		err := eachTally(ctx, tx, query, func(t tallied) {
			if l.has(t.server, l.window.from.Add(time.Duration(t.hour)*time.Hour)) {
				add(t)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// logReader reads tallies from the log.
type logReader struct {
	scorers []pool.MonitorID // whose rows are left out; 0, which is nobody's, is among them, so that there is one
	indexed bool             // the log has our index by server and time
}

// read adds up parts of the log by pair and hour, or by pair alone where hour is the text of a constant.
func (r logReader) read(ctx context.Context, tx *sql.Tx, parts []part, hour string, add func(tallied)) error {
	for _, p := range chunked(parts) {
		err := eachTally(ctx, tx, r.query(p, hour), func(t tallied) {
			if _, asked := slices.BinarySearch(p.servers, t.server); asked {
				add(t)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r logReader) query(p part, hour string) string {
	hint := ""
	if r.indexed && !p.isWide() {
		hint = " FORCE INDEX (server_ts)"
	}
	// The order is of no use to anybody, and MySQL would sort.
	return "SELECT server_id, monitor_id, " + hour + " AS hour_number, COUNT(*), COUNT(rtt), COALESCE(SUM(rtt), 0)," +
		" SUM(CAST(FLOOR(GREATEST(-1e3, LEAST(step, 1e3)) * 1e12 + 5e-1) AS SIGNED)) FROM log_scores" + hint + " WHERE" + p.where() +
		"AND monitor_id NOT IN (" + idList(r.scorers) + ") GROUP BY server_id, monitor_id, hour_number ORDER BY NULL"
}

//go:build integration

package persistence_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"truechimer/persistence"
	"truechimer/pool"
)

// Whatever samples come, in time or late, and whenever hours are closed in between: figures are those of the log,
// to the last digit, and so is what is added up of closed hours.
func TestFiguresAreThoseOfTheLog(t *testing.T) {
	store, db := freshMySQL(t)
	stores := []*world{newWorld(t, store, 0), newWorld(t, persistence.NewMemory(persistence.Options{}), 0)}
	number, turn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		first := number
		for ; number < first+2; number++ {
			addWithPairs(t, stores, number)
		}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "close") == 0 {
				closing := noon.Add(time.Duration(rapid.IntRange(-26*60, 3*60).Draw(t, "closing minute")) * time.Minute)
				if err := store.CloseHours(context.Background(), closing); err != nil {
					t.Fatal(err)
				}
				continue
			}
			turn++
			samples := rapid.SliceOfN(rapid.Custom(drawLate), 1, 12).Draw(t, "samples")
			for _, w := range stores {
				keepLate(t, w, w.servers[first:], turn, samples)
			}
		}
		now := noon.Add(time.Duration(rapid.IntRange(-120, 300).Draw(t, "now")) * time.Minute)
		want := figuresOf(t, stores[1], stores[1].servers[first:], now)
		if diff := gocmp.Diff(want, figuresOf(t, stores[0], stores[0].servers[first:], now), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("figures at %s (-Memory +MySQL):\n%s", now, diff)
		}
		compareHours(t, db, stores[0].servers[first:])
	})
}

// addWithPairs adds a server that both monitors look at.
func addWithPairs(t *rapid.T, stores []*world, number int) {
	for _, w := range stores {
		addr := netip.AddrFrom4([4]byte{10, byte(number >> 16), byte(number >> 8), byte(number)})
		id, _, err := w.AddServer(context.Background(), "test", pool.Server{Addr: netip.AddrPortFrom(addr, 123)})
		if err != nil {
			t.Fatal(err)
		}
		w.servers = append(w.servers, id)
		w.keep(w.of(number, pool.ServerCommit{Statuses: []pool.PairStatus{
			{Monitor: w.v4, Status: pool.Active}, {Monitor: w.v6, Status: pool.Testing},
		}}))
	}
}

// lateSample is a sample of one of two servers that comes whenever it comes.
type lateSample struct {
	Server int
	V6     bool
	Minute int
	Step   float64
	RTT    *time.Duration
}

func drawLate(t *rapid.T) lateSample {
	s := lateSample{
		Server: rapid.IntRange(0, 1).Draw(t, "server"), V6: rapid.Bool().Draw(t, "v6"),
		Minute: rapid.IntRange(-28*60, 60).Draw(t, "minute"),
		Step:   rapid.OneOf(rapid.Float64Range(-10, 1), rapid.Float64Range(-1e6, 1e6), rapid.Float64Range(-1e-11, 1e-11)).Draw(t, "step"),
	}
	if rapid.Bool().Draw(t, "answered") {
		s.RTT = ptr(time.Duration(rapid.IntRange(0, 2_000_000_000).Draw(t, "rtt")))
	}
	return s
}

// keepLate commits samples; each turn has times of its own.
func keepLate(t *rapid.T, w *world, servers []pool.ServerID, turn int, samples []lateSample) {
	var commits []pool.ServerCommit
	for i := range servers {
		c := w.of(len(w.servers)-len(servers)+i, pool.ServerCommit{})
		for n, s := range samples {
			if s.Server != i {
				continue
			}
			at := thisHour.Add(time.Duration(s.Minute)*time.Minute + time.Duration(turn*100+n)*time.Microsecond)
			row := pool.LogRow{Monitor: w.v4, At: at, Step: s.Step, Late: true, Sample: &pool.Sample{At: at, RTT: s.RTT, NoReply: s.RTT == nil}}
			if s.V6 {
				row.Monitor = w.v6
			}
			c.Rows = append(c.Rows, row)
		}
		commits = append(commits, c)
	}
	outcomes, err := w.Commit(context.Background(), commits)
	if err != nil {
		t.Fatal(err)
	}
	for _, outcome := range outcomes {
		if outcome.Err != nil || outcome.Fenced {
			t.Fatalf("outcome %+v", outcome)
		}
	}
}

// figures are those of a server by monitor, hour by hour and in one.
type figures struct {
	Hours [][]pool.HourTally
	Sums  []pool.Tally
}

func figuresOf(t *rapid.T, w *world, ids []pool.ServerID, now time.Time) (all []figures) {
	for _, id := range ids {
		image, _, err := w.LoadServer(context.Background(), id, now)
		if err != nil {
			t.Fatal(err)
		}
		var f figures
		for _, pair := range image.Pairs {
			f.Hours = append(f.Hours, pair.Hours)
		}
		all = append(all, f)
	}
	i := 0
	err := w.Selections(context.Background(), now, ids, func(_ pool.ServerImage, tallies []pool.Tally) error {
		all[i].Sums = tallies
		i++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// compareHours compares what is added up of closed hours that aren't stale with the log.
func compareHours(t *rapid.T, db *sql.DB, ids []pool.ServerID) {
	servers := " WHERE server_id IN (" + strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]") + ")"
	closed := columnOf(t, db, "SELECT `hour` FROM closed_hours")
	stale := columnOf(t, db, "SELECT CONCAT_WS(' ', `hour`, server_id) FROM stale_hours")
	summed := func(tallies []string) []string {
		return slices.DeleteFunc(tallies, func(tally string) bool { // such as 2026-03-14 11:00:00 7 ...
			hour, rest := tally[:len(time.DateTime)], tally[len(time.DateTime)+1:]
			server, _, _ := strings.Cut(rest, " ")
			return !slices.Contains(closed, hour) || slices.Contains(stale, hour+" "+server)
		})
	}
	log := summed(columnOf(t, db, "SELECT CONCAT_WS(' ', MAX(DATE_FORMAT(ts, '%Y-%m-%d %H:00:00')), server_id, monitor_id, COUNT(*), COUNT(rtt),"+
		" COALESCE(SUM(rtt), 0), CAST(SUM(FLOOR(GREATEST(-1000, LEAST(1000, step)) * 1e12 + 0.5)) AS DECIMAL(30))) AS tally FROM log_scores"+
		servers+" GROUP BY server_id, monitor_id, DATE_FORMAT(ts, '%Y-%m-%d %H') ORDER BY tally"))
	sums := summed(columnOf(t, db, "SELECT CONCAT_WS(' ', `hour`, server_id, monitor_id, `count`, count_rtt, sum_rtt_us, sum_step_pico) AS tally"+
		" FROM server_monitor_hours"+servers+" ORDER BY tally"))
	if diff := gocmp.Diff(log, sums, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("closed hours (-log +sums):\n%s", diff)
	}
}

func columnOf(t *rapid.T, db *sql.DB, query string) (all []string) {
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	return all
}

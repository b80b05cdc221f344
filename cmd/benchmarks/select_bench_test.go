package benchmarks

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"truechimer/persistence"
	"truechimer/persistence/privatedb"
	"truechimer/pool"
)

const (
	crowdServers  = 2000
	crowdMonitors = 100

	// crowdPool holds the whole log: what is compared is work, not disks.
	crowdPool = 1 << 30
)

// crowd is a pool with a day of samples: of each server's monitors 7 are active, 5 testing, and 20 candidates are probed.
type crowd struct {
	dsn   string
	store *persistence.MySQL
	db    *sql.DB
	now   time.Time
}

func newCrowd(b *testing.B) *crowd {
	b.Helper()
	server, err := privatedb.Start(b.Context(), privatedb.Options{Dir: b.TempDir(), BufferPool: crowdPool, Volatile: true, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			b.Log(err)
		}
	})
	// Half past an hour is as good as any time: the running hour is half full.
	c := &crowd{dsn: server.DSN("crowd"), now: time.Now().UTC().Truncate(24 * time.Hour).Add(-690 * time.Minute)}
	c.db = open(b, server.DSN("information_schema"))
	c.run(b, "CREATE DATABASE crowd")
	c.db = open(b, c.dsn)
	if c.store, err = persistence.Open(b.Context(), c.dsn, persistence.Options{}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.store.Close() })
	if err := c.store.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := c.store.Housekeep(b.Context(), c.now); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	c.fill(b)
	b.Logf("made in %s", time.Since(began).Round(time.Second))
	return c
}

func open(b *testing.B, dsn string) *sql.DB {
	b.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return db
}

// fill makes the rows. Those of the log come hour by hour, as they do in life; its other indexes are made at the end.
func (c *crowd) fill(b *testing.B) {
	b.Helper()
	c.run(b,
		fmt.Sprintf(`INSERT INTO servers (id, ip, shard) SELECT seq, CONCAT('10.0.', seq DIV 256, '.', seq MOD 256), seq MOD 256
			FROM seq_1_to_%d`, crowdServers),
		fmt.Sprintf(`INSERT INTO monitors (id, type, hostname, tls_name, ip_version, status, config)
			SELECT seq + 2, 'monitor', CONCAT('m', seq), CONCAT('m', seq), 'v4', 'active', '{}' FROM seq_1_to_%d`, crowdMonitors),
		fmt.Sprintf(`INSERT INTO server_scores (server_id, monitor_id, score_ts, score_raw, status) SELECT s.id, m.id, NOW(6), 19,
			CASE WHEN MOD(m.id + s.id, %[1]d) < 7 THEN 'active' WHEN MOD(m.id + s.id, %[1]d) < 12 THEN 'testing' ELSE 'candidate' END
			FROM servers s CROSS JOIN monitors m WHERE m.type = 'monitor'`, crowdMonitors),
		"INSERT INTO servers_monitor_review (server_id, last_review) SELECT id, NOW(6) FROM servers",
		"ALTER TABLE log_scores DROP KEY sample, DROP KEY server_ts",
	)
	for hour := pool.FiguresSince(c.now); hour.Before(c.now); hour = hour.Add(time.Hour) {
		c.run(b, c.hour(hour))
	}
	c.run(b, "ALTER TABLE log_scores ADD UNIQUE KEY sample (monitor_id, server_id, ts), ADD KEY server_ts (server_id, ts)",
		"ANALYZE TABLE log_scores, server_scores")
}

// hour makes the samples of an hour, as far as they lie within the last 24 h. Number k of a pair, counted back from now,
// is k intervals and the pair's phase ago; the ninth from the first in the hour is outside of it.
func (c *crowd) hour(from time.Time) string {
	const interval = "CASE p.status WHEN 'active' THEN 540 WHEN 'testing' THEN 2700 ELSE 7200 END"
	at := func(at time.Time) string { return at.Format("TIMESTAMP'2006-01-02 15:04:05'") }
	to := from.Add(time.Hour)
	return fmt.Sprintf("INSERT INTO log_scores (monitor_id, server_id, ts, score, step, `offset`, rtt, attributes)"+
		` SELECT monitor_id, server_id, ts, 19.123456789, IF(n = 7, -5, 1 - n / 30000), IF(n = 7, NULL, 0.00123456),
			IF(n = 7, NULL, 20000 + n), '{"stratum":2,"rule":"good"}' FROM (
			SELECT p.monitor_id, p.server_id, p.k, p.span, MOD(p.server_id * 79 + p.monitor_id * 104 + p.k, 50) AS n,
				%s - INTERVAL (p.k * p.span + MOD(p.server_id * 37 + p.monitor_id * 77, p.span)) * 1000000
					+ MOD(p.server_id * 7919, 1000000) MICROSECOND AS ts
			FROM (SELECT CAST(p.server_id AS SIGNED) AS server_id, CAST(p.monitor_id AS SIGNED) AS monitor_id, %s AS span, %[3]d DIV (%[2]s) - 1 + CAST(k.seq AS SIGNED) AS k
				FROM server_scores p CROSS JOIN seq_0_to_8 k WHERE MOD(p.monitor_id + p.server_id, %[4]d) < 32) p
			WHERE p.k >= 0 AND p.k * p.span < 86400) v
		WHERE ts >= %[5]s AND ts < %[6]s ORDER BY ts`,
		at(c.now), interval, int(max(0, c.now.Sub(to)).Seconds()), crowdMonitors, at(from), at(to))
}

func (c *crowd) run(b *testing.B, statements ...string) {
	b.Helper()
	for _, statement := range statements {
		if _, err := c.db.ExecContext(b.Context(), statement); err != nil {
			b.Fatalf("%.60s: %v", statement, err)
		}
	}
}

// oneByOne asks for the figures of one server after the other, as others do. It returns how many pairs had samples.
func (c *crowd) oneByOne(b *testing.B) (pairs int) {
	b.Helper()
	for id := 1; id <= crowdServers; id++ {
		rows, err := c.db.QueryContext(b.Context(), `SELECT m.id, m.status, ss.status, COUNT(*), AVG(ls.rtt), AVG(ls.step)
			FROM log_scores ls JOIN monitors m ON m.id = ls.monitor_id
			LEFT JOIN server_scores ss ON ss.server_id = ls.server_id AND ss.monitor_id = ls.monitor_id
			WHERE ls.server_id = ? AND ls.ts > ? GROUP BY m.id, m.status, ss.status`, id, c.now.Add(-24*time.Hour))
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
			var monitor, count int
			var global, status string
			var rtt, step sql.NullFloat64
			if err := rows.Scan(&monitor, &global, &status, &count, &rtt, &step); err != nil {
				b.Fatal(err)
			}
			pairs++
		}
		if err := rows.Err(); err != nil {
			b.Fatal(err)
		}
	}
	return pairs
}

// dryRun has the program run a round for each server. It returns how many it has told of.
func (c *crowd) dryRun(b *testing.B) (servers int) {
	b.Helper()
	program, err := build()
	if err != nil {
		b.Fatal(err)
	}
	run := exec.CommandContext(b.Context(), program, "select", "--all", "--dry-run", "--json",
		"--now", c.now.Format(time.RFC3339), "--database-dsn", c.dsn)
	run.Stderr = os.Stderr
	told, err := run.Output()
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Count(told, []byte("\n"))
}

// timed is how long something takes, which must find what it should.
func timed(b *testing.B, want int, find func(*testing.B) int) time.Duration {
	b.Helper()
	began := time.Now()
	if have := find(b); have != want {
		b.Fatalf("found %d, want %d", have, want)
	}
	return time.Since(began)
}

// BenchmarkSelect is `select --all --dry-run` on a whole pool, against asking the database for the figures of one
// server after the other: with hours closed as a hub has them, and with nothing but the log.
func BenchmarkSelect(b *testing.B) {
	if _, err := build(); err != nil {
		b.Fatal(err)
	}
	c := newCrowd(b)
	const probed = crowdServers * (7 + 5 + 20)
	before := timed(b, probed, c.oneByOne)
	log := timed(b, crowdServers, c.dryRun)
	for range 2 { // a call closes what figures need, another one the rest of the first day
		if err := c.store.CloseHours(b.Context(), c.now); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		timed(b, crowdServers, c.dryRun)
	}
	closed := b.Elapsed() / time.Duration(b.N)
	b.StopTimer()
	oneByOne := min(before, timed(b, probed, c.oneByOne)) // in its favour, should the machine have had other things to do
	b.ReportMetric(oneByOne.Seconds(), "s-one-by-one")
	b.ReportMetric(oneByOne.Seconds()/closed.Seconds(), "times")
	b.ReportMetric(oneByOne.Seconds()/log.Seconds(), "times-log-only")
}

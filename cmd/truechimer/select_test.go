//go:build integration

package main_test

import (
	"database/sql"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// poolsOwn are the tables of a database that Truechimer has never written to, as far as selection looks at them.
var poolsOwn = []string{
	"CREATE TABLE accounts (id int unsigned PRIMARY KEY AUTO_INCREMENT, name varchar(255), flags varchar(4096) NOT NULL DEFAULT '{}')",
	"CREATE TABLE servers (id int unsigned PRIMARY KEY AUTO_INCREMENT, ip varchar(40) UNIQUE, ip_version enum('v4','v6') NOT NULL DEFAULT 'v4'," +
		" account_id int unsigned, hostname varchar(255), stratum tinyint unsigned, score_ts datetime, score_raw double NOT NULL DEFAULT 0, deletion_on date)",
	"CREATE TABLE monitors (id int unsigned PRIMARY KEY AUTO_INCREMENT, type enum('monitor','score') NOT NULL DEFAULT 'monitor', account_id int unsigned," +
		" hostname varchar(255) NOT NULL DEFAULT '', location varchar(255) NOT NULL DEFAULT '', ip varchar(40), ip_version enum('v4','v6'), tls_name varchar(255)," +
		" status enum('pending','testing','active','paused','deleted') NOT NULL, config text NOT NULL, client_version varchar(255) NOT NULL DEFAULT ''," +
		" last_seen datetime(6), last_submit datetime(6))",
	"CREATE TABLE server_scores (id bigint unsigned PRIMARY KEY AUTO_INCREMENT, monitor_id int unsigned NOT NULL, server_id int unsigned NOT NULL," +
		" score_ts datetime, score_raw double NOT NULL DEFAULT 0, stratum tinyint unsigned, status enum('candidate','testing','active','paused') NOT NULL DEFAULT 'candidate'," +
		" queue_ts datetime, created_on datetime NOT NULL, modified_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP," +
		" constraint_violation_type varchar(50), constraint_violation_since datetime, last_constraint_check datetime, pause_reason varchar(50), UNIQUE KEY pair (server_id, monitor_id))",
	"CREATE TABLE log_scores (id bigint unsigned PRIMARY KEY AUTO_INCREMENT, monitor_id int unsigned, server_id int unsigned NOT NULL, ts datetime(6) NOT NULL," +
		" score double NOT NULL DEFAULT 0, step double NOT NULL DEFAULT 0, `offset` double, rtt int, attributes text, KEY server_ts (server_id, ts))",
	"CREATE TABLE servers_monitor_review (server_id int unsigned PRIMARY KEY, last_review datetime, next_review datetime, last_change datetime, config varchar(4096) NOT NULL DEFAULT '')",
	"CREATE TABLE system_settings (id int unsigned PRIMARY KEY AUTO_INCREMENT, `key` varchar(255) NOT NULL UNIQUE, value text NOT NULL)",
}

// A server with a free place among the active, a monitor of its owner's, and an account whose flags aren't JSON.
var someoneElses = append(poolsOwn,
	"INSERT INTO accounts (id, name, flags) VALUES (1, 'ann', 'oops'), (2, 'bob', '{}')",
	"INSERT INTO servers (id, ip, account_id) VALUES (5, '198.51.100.1', 2), (6, '2001:db8::1', NULL), (7, '198.51.100.7', NULL)",
	"UPDATE servers SET deletion_on = '2026-01-01' WHERE id = 7",
	"INSERT INTO monitors (id, type, hostname, status, config) VALUES (1, 'score', 'recentmedian', 'active', '')",
	"INSERT INTO monitors (id, account_id, ip, ip_version, tls_name, status, config) VALUES"+
		" (11, 1, '192.0.2.1', 'v4', 'one', 'active', '{}'), (12, 2, '203.0.113.1', 'v4', 'two', 'active', '{}'), (13, NULL, NULL, NULL, NULL, 'active', '{}')",
	"INSERT INTO server_scores (server_id, monitor_id, status, created_on) SELECT 5, id, status, NOW() FROM"+
		" (SELECT 1 AS id, 'active' AS status UNION SELECT 11, 'testing' UNION SELECT 12, 'testing' UNION SELECT 13, 'active' UNION SELECT 99, 'testing') pairs",
	"INSERT INTO log_scores (monitor_id, server_id, ts, step, rtt) SELECT m.id, 5, '2026-01-01 12:00:00' + INTERVAL seq * 20 MINUTE, 1, m.id * 1000 FROM monitors m, seq_1_to_72",
)

// select runs the rounds on a database that Truechimer has never written to, leaves its tables as they are, and writes
// what it tells, unless it was asked not to.
func TestSelectWorksOnAnyPool(t *testing.T) {
	own, db := server(t)
	execute(t, db, "CREATE DATABASE pool", "USE pool")
	pool, err := sql.Open("mysql", own.DSN("pool"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	execute(t, pool, someoneElses...)
	before := tables(t, pool)
	args := []string{"select", "--database-dsn", own.DSN("pool"), "--now", "2026-01-02T12:30:00Z", "--json"}
	want := `{"server":5,"ip":"198.51.100.1","changes":[{"monitor":11,"from":"testing","to":"active","reason":"fills 1 of 6 free places among the active: priority 11, 72 samples"},{"monitor":99,"from":"testing","to":"candidate","reason":"blocked: globally deleted"}],"violations":[{"monitor":12,"type":"account"}],"paused":[12]}
{"server":6,"ip":"2001:db8::1","changes":[],"violations":[],"paused":[]}
`
	said := func(args ...string) (stdout, stderr string) {
		t.Helper()
		var problems strings.Builder
		run := exec.CommandContext(t.Context(), binary, args...)
		run.Stderr = &problems
		out, err := run.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, problems.String())
		}
		return string(out), problems.String()
	}
	stdout, stderr := said(append(args, "--all", "--dry-run")...)
	if diff := cmp.Diff(want, stdout); diff != "" {
		t.Errorf("dry run (-want +have):\n%s", diff)
	}
	if strings.Count(stderr, "oops") != 1 {
		t.Errorf("flags that aren't JSON are to be said once, have %q", stderr)
	}
	wantPairs(t, pool, "1 active, 11 testing, 12 testing, 13 active, 99 testing")
	if stdout, _ := said(append(args, "198.51.100.1")...); stdout != strings.SplitAfter(want, "\n")[0] {
		t.Errorf("want %s, have %s", want, stdout)
	}
	if diff := cmp.Diff(before, tables(t, pool)); diff != "" {
		t.Errorf("the tables are others (-want +have):\n%s", diff)
	}
	wantPairs(t, pool, "1 active, 11 active, 12 paused, 13 active, 99 candidate")
	if stdout, _ := said(append(args, "5")...); !strings.Contains(stdout, `"changes":[]`) {
		t.Errorf("once more: %s", stdout)
	}
	var next time.Time
	if err := pool.QueryRow("SELECT next_review FROM servers_monitor_review WHERE server_id = 5").Scan(&next); err != nil || !next.Equal(time.Date(2026, 1, 2, 12, 50, 0, 0, time.UTC)) {
		t.Errorf("next review %v, %v", next, err)
	}
}

// tables is how all tables of a database are made.
func tables(t *testing.T, db *sql.DB) (all string) {
	t.Helper()
	rows, err := db.Query("SELECT table_name, column_name, column_type FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1, 2")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		all += fmt.Sprintln(table, column, kind)
	}
	return all
}

// wantPairs wants server 5 to have these monitors.
func wantPairs(t *testing.T, db *sql.DB, want string) {
	t.Helper()
	rows, err := db.Query("SELECT monitor_id, status FROM server_scores WHERE server_id = 5 ORDER BY monitor_id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var have []string
	for rows.Next() {
		var id int
		var status string
		if err := rows.Scan(&id, &status); err != nil {
			t.Fatal(err)
		}
		have = append(have, fmt.Sprint(id, " ", status))
	}
	if diff := cmp.Diff(want, strings.Join(have, ", ")); diff != "" {
		t.Errorf("pairs (-want +have):\n%s", diff)
	}
}

//go:build integration

package main_test

import (
	"database/sql"
	"strings"
	"testing"
)

// What people change while everything runs is followed within moments: a paused monitor's work is taken away, an account
// has what it was given. What can't be done is said, with what to do, and changes nothing.
func TestMonitorsAndAccountsAreAdministered(t *testing.T) {
	chronyd := startChronyd(t)
	s := newStation(t)
	s.up("--allow-private", "--reference", chronyd, chronyd)
	db := s.sql()
	state := []string{"--state-dir", s.state}
	ask := func(args ...string) string { return must(t, append(args, state...)...) }
	places := func() (n int) {
		if err := db.QueryRow("SELECT COUNT(interval_ms) FROM server_scores").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	await(t, "a place for the monitor", func() bool { return places() == 1 })
	ask("monitors", "set", "--status", "paused", "local/v4")
	await(t, "no place for a paused monitor", func() bool { return places() == 0 })
	ask("monitors", "set", "--status", "active", "local")
	await(t, "a place again", func() bool { return places() == 1 })

	if said := ask("accounts", "add", "--monitors-per-server-limit", "3", "ann"); said != "ann is added (account 2)\n" {
		t.Errorf("accounts add said %q", said)
	}
	ask("accounts", "set", "--name", "anna", "--monitor-enabled=false", "ann")
	ask("monitors", "set", "--account", "anna", "--location", "Berlin", "3")
	list := ask("accounts", "list", "--json")
	if !strings.Contains(list, `{"id":2,"name":"anna","servers":0,"monitors":1,"flags":{"monitor_enabled":false,"monitors_per_server_limit":3}}`) {
		t.Errorf("accounts list said %s", list)
	}
	if list := ask("monitors", "list"); !strings.Contains(list, "anna     Berlin") {
		t.Errorf("monitors list said %s", list)
	}
	wantRefusals(t, db, state)
}

func wantRefusals(t *testing.T, db *sql.DB, state []string) {
	t.Helper()
	changes := func() (n int) {
		if err := db.QueryRow("SELECT COUNT(*) FROM changes").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := changes()
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"monitors set local", 2, "nothing is to be changed"},
		{"monitors set --status retired local", 2, "is none of pending"},
		{"monitors set --status paused local nobody", 1, "there is no monitor nobody; truechimer monitors list"},
		{"monitors set --account nobody local", 1, "there is no account nobody; add it with: truechimer accounts add nobody"},
		{"accounts add anna", 1, "there is an account anna already; change it with: truechimer accounts set anna"},
		{"accounts set anna", 2, "nothing is to be changed"},
		{"accounts set --monitors-per-server-limit 0 anna", 2, "is less than 1"},
		{"accounts set --name local anna", 1, "there is an account local already; choose another name"},
		{"accounts set --name x nobody", 1, "there is no account nobody"},
		{"select", 2, "at least one SERVER, or --all"},
		{"select --all 127.0.0.1", 2, "at least one SERVER, or --all"},
		{"select --now yesterday --all", 2, "is not a time"},
		{"select 192.0.2.77", 1, "no server 192.0.2.77 is watched"},
	} {
		_, stderr, code := run(t, append(strings.Fields(test.args), state...)...)
		if code != test.code || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, said %q; want exit %d and %q", test.args, code, stderr, test.code, test.want)
		}
	}
	if after := changes(); after != before {
		t.Errorf("what was refused made %d changes", after-before)
	}
}

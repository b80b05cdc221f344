package main

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/pool"
	"truechimer/pool/selection"
)

// aRound is one of a server with a free place, a monitor that would judge its owner's server, and one that has gone.
func aRound() (pool.ServerImage, *directory, selection.View) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	monitor := func(id pool.MonitorID, agent string, account pool.AccountID) pool.Monitor {
		return pool.Monitor{ID: id, Agent: agent, Account: account, Version: pool.IPv4, Status: pool.GlobalActive}
	}
	known := newDirectory(pool.Roster{
		Settings: pool.DefaultSettings(),
		Monitors: []pool.Monitor{monitor(3, "alpha", 0), monitor(4, "beta", 7), monitor(5, "gamma", 0)},
	})
	image := pool.ServerImage{
		Server: pool.Server{ID: 9, Addr: netip.MustParseAddrPort("198.51.100.1:123"), Account: 7, Hostname: "time.example.org"},
		Pairs: []pool.Pair{
			{Monitor: 3, Status: pool.Active}, {Monitor: 4, Status: pool.Testing}, {Monitor: 5, Status: pool.Testing},
			{Monitor: 6, Status: pool.Testing},
		},
	}
	tallies := make([]pool.Tally, len(image.Pairs))
	for range 40 {
		for i, ms := range []int{20, 30, 23} {
			rtt := time.Duration(ms) * time.Millisecond
			tallies[i].Add(1, &rtt)
		}
	}
	return image, known, known.view(now, image, tallies)
}

// A person reads of each monitor what it is, what it was held to be and why, by which figures, and what it becomes.
func TestARoundIsExplainedMonitorByMonitor(t *testing.T) {
	image, known, view := aRound()
	var stdout bytes.Buffer
	report := &roundTables{con: newConsole(&stdout, nil), known: known}
	if err := report.round(image, view, selection.Plan(view)); err != nil {
		t.Fatal(err)
	}
	if err := report.end(true); err != nil {
		t.Fatal(err)
	}
	want := `198.51.100.1 (time.example.org): 1 active, 3 testing, 0 candidate, 0 paused
MONITOR    IS       HELD TO BE                  SAMPLES  PRIORITY  MEAN STEP  BECOMES
alpha      active   in (healthy)                40       20        +1.000     -
beta       testing  out (breaks account)        40       30        +1.000     paused (breaks account)
gamma      testing  in (healthy)                40       23        +1.000     active (fills 1 of 6 free places among the active: priority 23, 40 samples)
monitor 6  testing  blocked (globally deleted)  0        -         -          candidate (blocked: globally deleted)
2 changes, 1 paused; next review at 2026-01-02 04:04:05 UTC
nothing was written: --dry-run
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// Of many servers a person reads what changes, and how many there are.
func TestOfManyServersTheChangesAreTold(t *testing.T) {
	image, known, view := aRound()
	var stdout bytes.Buffer
	report := &roundDigest{con: newConsole(&stdout, nil), known: known}
	quiet := selection.View{Now: view.Now}
	for _, one := range []selection.View{quiet, view, quiet} {
		if err := report.round(image, one, selection.Plan(one)); err != nil {
			t.Fatal(err)
		}
	}
	if err := report.end(false); err != nil {
		t.Fatal(err)
	}
	want := `198.51.100.1 (time.example.org): 1 active, 3 testing, 0 candidate, 0 paused
  gamma testing → active: fills 1 of 6 free places among the active: priority 23, 40 samples
  monitor 6 testing → candidate: blocked: globally deleted
  beta testing → paused: breaks account
3 servers, 1 changed
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// For a program each server is a line of JSON with the promised names; lists without an entry are empty, not null.
func TestRoundsAreJSONLines(t *testing.T) {
	image, _, view := aRound()
	var stdout bytes.Buffer
	report := &roundLines{con: newConsole(&stdout, nil)}
	for _, one := range []selection.View{view, {Now: view.Now}} {
		if err := report.round(image, one, selection.Plan(one)); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"server":9,"ip":"198.51.100.1","changes":[{"monitor":5,"from":"testing","to":"active","reason":"fills 1 of 6 free places among the active: priority 23, 40 samples"},{"monitor":6,"from":"testing","to":"candidate","reason":"blocked: globally deleted"}],"violations":[{"monitor":4,"type":"account"}],"paused":[4]}
{"server":9,"ip":"198.51.100.1","changes":[],"violations":[],"paused":[]}
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// What the clock is held to be is said as a time in UTC.
func TestNowIsATime(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05Z": at, "2026-01-02T04:04:05+01:00": at, "2026-01-02 03:04:05": at,
		"2026-01-02": at.Truncate(24 * time.Hour), "2026-01-02T03:04:05.25Z": at.Add(250 * time.Millisecond),
	} {
		if have, err := (&selecting{clock: text}).now(); err != nil || !have.Equal(want) || have.Location() != time.UTC {
			t.Errorf("%s: want %s, have %s, %v", text, want, have, err)
		}
	}
	for _, text := range []string{"yesterday", "12:00", "1700000000", "2026-13-01"} {
		if have, err := (&selecting{clock: text}).now(); err == nil {
			t.Errorf("%s: want an error, have %s", text, have)
		}
	}
}

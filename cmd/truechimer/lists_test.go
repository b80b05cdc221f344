package main

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/persistence"
	"truechimer/pool"
)

// someServers are one of each kind: scored, new, removed, and one with an address that can't be read.
func someServers() []persistence.ServerListing {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	return []persistence.ServerListing{
		{Server: pool.Server{
			ID: 1, Addr: netip.MustParseAddrPort("192.0.2.1:123"), Hostname: "time.example.org",
			Score: 19.96, ScoreAt: at, Stratum: 1,
		}, Active: 7, Testing: 5},
		{Server: pool.Server{ID: 2, Addr: netip.MustParseAddrPort("[2001:db8::2]:1123")}, Testing: 1},
		{Server: pool.Server{
			ID: 30, Addr: netip.MustParseAddrPort("192.0.2.3:123"), Hostname: "gone.example.org",
			Score: -95.5, ScoreAt: at, Stratum: 2, Deletion: at.Truncate(24 * time.Hour),
		}},
		{Server: pool.Server{ID: 31, Addr: netip.AddrPortFrom(netip.Addr{}, 123)}, Odd: "not\x1ban-ip"},
	}
}

// The list of servers is a table for a person: aligned, times with their zone, what isn't known as a dash.
func TestServersAreListedAsATable(t *testing.T) {
	var stdout bytes.Buffer
	if err := printServers(newConsole(&stdout, nil), someServers()); err != nil {
		t.Fatal(err)
	}
	want := `ID  ADDRESS             SCORE  SCORED AT (UTC)      STRATUM  ACTIVE  TESTING  NAME
1   192.0.2.1:123       20.0   2026-01-02 03:04:05  1        7       5        time.example.org
2   [2001:db8::2]:1123  -      -                    0        0       1        -
30  192.0.2.3:123       -95.5  2026-01-02 03:04:05  2        0       0        gone.example.org (removed 2026-01-02)
31  "not\x1ban-ip"      -      -                    0        0       0        -
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// For a program each server is a line of JSON; what isn't known is null.
func TestServersAreListedAsJSONLines(t *testing.T) {
	var stdout bytes.Buffer
	if err := printServersJSON(newConsole(&stdout, nil), someServers()); err != nil {
		t.Fatal(err)
	}
	want := `{"id":1,"ip":"192.0.2.1","port":123,"hostname":"time.example.org","score":19.96,"score_ts":"2026-01-02T03:04:05.678Z","stratum":1,"active":7,"testing":5,"deletion_on":null}
{"id":2,"ip":"2001:db8::2","port":1123,"hostname":"","score":null,"score_ts":null,"stratum":0,"active":0,"testing":1,"deletion_on":null}
{"id":30,"ip":"192.0.2.3","port":123,"hostname":"gone.example.org","score":-95.5,"score_ts":"2026-01-02T03:04:05.678Z","stratum":2,"active":0,"testing":0,"deletion_on":"2026-01-02T00:00:00Z"}
{"id":31,"ip":"not\u001ban-ip","port":123,"hostname":"","score":null,"score_ts":null,"stratum":0,"active":0,"testing":0,"deletion_on":null}
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// someAgents are one with two monitors that was seen, and one that was revoked before it ever came.
func someAgents() []persistence.AgentListing {
	monitor := func(id pool.MonitorID, version pool.IPVersion, addr string, seen time.Time) persistence.MonitorListing {
		m := persistence.MonitorListing{Monitor: pool.Monitor{ID: id, Version: version, Status: pool.GlobalActive, LastSeen: seen}}
		if addr != "" {
			m.Addr = netip.MustParseAddr(addr)
		}
		return m
	}
	seen := time.Date(2026, 1, 2, 4, 4, 5, 0, time.FixedZone("one hour east", 3600))
	return []persistence.AgentListing{
		{Agent: pool.Agent{Name: "alpha", Account: 1}, Monitors: []persistence.MonitorListing{
			monitor(3, pool.IPv4, "192.0.2.1", seen), monitor(4, pool.IPv6, "2001:db8::1", time.Time{}),
		}},
		{Agent: pool.Agent{Name: "beta", Account: 2, Revoked: true}, Monitors: []persistence.MonitorListing{
			monitor(5, pool.IPv4, "", time.Time{}),
		}},
	}
}

// The list of agents has a line for each monitor, and times in UTC wherever they come from.
func TestAgentsAreListedAsATable(t *testing.T) {
	var stdout bytes.Buffer
	if err := printAgents(newConsole(&stdout, nil), someAgents()); err != nil {
		t.Fatal(err)
	}
	want := `AGENT           MONITOR  VERSION  ADDRESS      STATUS  LAST SEEN (UTC)
alpha           3        v4       192.0.2.1    active  2026-01-02 03:04:05
alpha           4        v6       2001:db8::1  active  -
beta (revoked)  5        v4       -            active  -
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// For a program each agent is a line of JSON, with its monitors in it.
func TestAgentsAreListedAsJSONLines(t *testing.T) {
	var stdout bytes.Buffer
	if err := printAgentsJSON(newConsole(&stdout, nil), someAgents()); err != nil {
		t.Fatal(err)
	}
	want := `{"name":"alpha","account":1,"revoked":false,"monitors":[{"id":3,"ip_version":"v4","ip":"192.0.2.1","status":"active","last_seen":"2026-01-02T03:04:05Z"},{"id":4,"ip_version":"v6","ip":"2001:db8::1","status":"active","last_seen":null}]}
{"name":"beta","account":2,"revoked":true,"monitors":[{"id":5,"ip_version":"v4","ip":null,"status":"active","last_seen":null}]}
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

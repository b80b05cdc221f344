package persistence_test

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
)

// administrationRules say what people change, and how hubs learn of it.
func administrationRules() []rule {
	return []rule{
		{"a secret is made once", secretsAreMadeOnce},
		{"an account is made once", accountsAreMadeOnce},
		{"a server is added once", serversAreAddedOnce},
		{"a removed server comes back with its score", serversComeBack},
		{"a server is removed from a day on", serversAreRemoved},
		{"servers are listed with their monitors", serversAreListed},
		{"an agent's name is taken once", namesAreTakenOnce},
		{"an agent or monitor that can't be is refused", badAgents},
		{"agents are listed with their monitors", agentsAreListed},
		{"a monitor changes as told and not otherwise", monitorsChange},
		{"settings are kept", settingsAreKept},
		{"each change is told once, in order", changesAreTold},
		{"changes made at once are all told", changesOfRivals},
	}
}

func secretsAreMadeOnce(t *testing.T, store persistence.Store) {
	made := bytes.Repeat([]byte{0, '\'', '\\', 0xff}, 1000)
	var wait sync.WaitGroup
	got := make([][]byte, 8)
	for i := range got {
		wait.Go(func() {
			secret, err := store.Authority(t.Context(), "ca", func() ([]byte, error) { return append([]byte{byte(i)}, made...), nil })
			if err != nil {
				t.Error(err)
			}
			got[i] = secret
		})
	}
	wait.Wait()
	for i := range got {
		if !bytes.Equal(got[i], got[0]) || len(got[i]) != len(made)+1 {
			t.Fatalf("rival %d got another secret, of %d bytes", i, len(got[i]))
		}
	}
	other, err := store.Authority(t.Context(), "jwt", func() ([]byte, error) { return []byte("x"), nil })
	if err != nil || string(other) != "x" {
		t.Errorf("another secret: %q, %v", other, err)
	}
	broken := errors.New("no randomness")
	if _, err := store.Authority(t.Context(), "tickets", func() ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("a secret that couldn't be made: %v", err)
	}
}

func accountsAreMadeOnce(t *testing.T, store persistence.Store) {
	for _, step := range []struct {
		name string
		want pool.AccountID
	}{{"local", 1}, {"acme", 2}, {"local", 1}, {"Local", 3}} {
		if id, err := store.EnsureAccount(t.Context(), "me", step.name); id != step.want || err != nil {
			t.Errorf("%s: %d, %v; want %d", step.name, id, err, step.want)
		}
	}
	if _, err := store.EnsureAccount(t.Context(), "me", ""); err == nil {
		t.Error("an account without a name was made")
	}
	accounts, err := store.Accounts(t.Context())
	if err != nil || len(accounts) != 3 || accounts[1] != (pool.Account{ID: 2, Name: "acme", Flags: "{}"}) {
		t.Errorf("accounts %+v, %v", accounts, err)
	}
}

func serversAreAddedOnce(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	for _, step := range []struct {
		name  string
		addr  string
		want  pool.ServerID
		added bool
	}{
		{"a new one", "192.0.2.1:123", 1, true},
		{"the same", "192.0.2.1:123", 1, false},
		{"the same in other words", "[::ffff:192.0.2.1]:123", 1, false},
		{"its other address", "[2001:db8::1]:123", 2, true},
	} {
		id, added, err := w.AddServer(t.Context(), "me", pool.Server{Addr: netip.MustParseAddrPort(step.addr), Account: w.account, Hostname: "h"})
		if id != step.want || added != step.added || err != nil {
			t.Errorf("%s: %d, %v, %v", step.name, id, added, err)
		}
	}
	for name, server := range map[string]pool.Server{
		"another port":    {Addr: netip.MustParseAddrPort("192.0.2.1:1123")},
		"no address":      {},
		"no port":         {Addr: netip.MustParseAddrPort("192.0.2.9:0")},
		"unknown account": {Addr: netip.MustParseAddrPort("192.0.2.9:123"), Account: 99},
	} {
		if id, added, err := w.AddServer(t.Context(), "me", server); err == nil || id != 0 || added {
			t.Errorf("%s: %d, %v, %v", name, id, added, err)
		}
	}
	image, _, err := w.LoadServer(t.Context(), 2)
	w.must(err)
	w.same("server", pool.Server{ID: 2, Addr: netip.MustParseAddrPort("[2001:db8::1]:123"), Account: w.account, Hostname: "h"}, image.Server)
}

func serversComeBack(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	w.keep(w.of(0, pool.ServerCommit{Overall: &pool.Overall{Score: 15, At: noon, Known: true}}))
	w.must(w.RemoveServer(t.Context(), "me", w.servers[0], noon))
	id, added, err := w.AddServer(t.Context(), "me", pool.Server{Addr: netip.AddrPortFrom(serverAddr(0).Addr(), 1123), Hostname: "new"})
	if id != w.servers[0] || !added || err != nil {
		t.Errorf("%d, %v, %v", id, added, err)
	}
	w.same("server", pool.Server{ID: id, Addr: netip.AddrPortFrom(serverAddr(0).Addr(), 1123), Hostname: "new", Score: 15, ScoreAt: noon}, w.server(0).Server)
}

func serversAreRemoved(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	for _, step := range []struct {
		name string
		now  time.Time
		want time.Time
	}{
		{"removed", noon, time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC)},
		{"again later", noon.AddDate(0, 0, 2), time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC)},
		{"earlier", noon.AddDate(0, 0, -2), time.Date(2026, time.March, 12, 0, 0, 0, 0, time.UTC)},
	} {
		w.must(w.RemoveServer(t.Context(), "me", w.servers[0], step.now))
		if have := w.server(0).Server.Deletion; !have.Equal(step.want) {
			t.Errorf("%s: %s, want %s", step.name, have, step.want)
		}
	}
	if err := w.RemoveServer(t.Context(), "me", 99, noon); !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
}

func serversAreListed(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 3)
	w.keep(w.of(1, pool.ServerCommit{
		Scores:   []pool.PairScore{{Monitor: w.every, Score: 1, At: noon, Row: -1}}, // active, but no monitor
		Statuses: []pool.PairStatus{{Monitor: w.v4, Status: pool.Active}, {Monitor: w.v6, Status: pool.Testing}},
		Overall:  &pool.Overall{Score: 15, At: noon, Known: true, Stratum: 2},
	}))
	w.keep(w.of(2, pool.ServerCommit{Statuses: []pool.PairStatus{{Monitor: w.v4, Status: pool.Paused}, {Monitor: w.v6, Status: pool.Candidate}}}))
	listings, err := w.Servers(t.Context())
	w.must(err)
	w.same("servers", []persistence.ServerListing{
		{Server: w.server(0).Server},
		{Server: w.server(1).Server, Active: 1, Testing: 1},
		{Server: w.server(2).Server},
	}, listings)
}

func namesAreTakenOnce(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	before, err := w.Agents(t.Context())
	w.must(err)
	err = w.AddAgent(t.Context(), "me", pool.Agent{Name: "berlin"}, []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalActive}})
	if !errors.Is(err, persistence.ErrNameTaken) {
		t.Errorf("error %v", err)
	}
	after, err := w.Agents(t.Context())
	w.must(err)
	w.same("agents", before, after)
	w.must(w.AddAgent(t.Context(), "me", pool.Agent{Name: "Berlin"}, nil))
}

func badAgents(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	v4 := pool.Monitor{Version: pool.IPv4, Status: pool.GlobalPending}
	for name, bad := range map[string]struct {
		agent    pool.Agent
		monitors []pool.Monitor
	}{
		"no name":           {pool.Agent{}, nil},
		"a long name":       {pool.Agent{Name: strings.Repeat("x", 256)}, nil},
		"two of a version":  {pool.Agent{Name: "x"}, []pool.Monitor{v4, v4}},
		"no version":        {pool.Agent{Name: "x"}, []pool.Monitor{{Status: pool.GlobalPending}}},
		"no status":         {pool.Agent{Name: "x"}, []pool.Monitor{{Version: pool.IPv4}}},
		"a burst of 9":      {pool.Agent{Name: "x"}, []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalPending, Config: pool.MonitorConfig{Samples: 9}}}},
		"no nat_ip":         {pool.Agent{Name: "x"}, []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalPending, Config: pool.MonitorConfig{NatIP: "here"}}}},
		"unknown account":   {pool.Agent{Name: "x", Account: 99}, []pool.Monitor{v4}},
		"unknown account 2": {pool.Agent{Name: "x", Account: 99}, nil},
	} {
		if err := w.AddAgent(t.Context(), "me", bad.agent, bad.monitors); err == nil {
			t.Errorf("%s: added", name)
		}
	}
	for name, bad := range map[string]persistence.MonitorChange{
		"a status":   {Status: ptr(pool.GlobalStatus("gone"))},
		"an account": {Account: ptr(pool.AccountID(99))},
		"a config":   {Config: &pool.MonitorConfig{Samples: -1}},
	} {
		if err := w.SetMonitor(t.Context(), "me", w.v4, bad); err == nil {
			t.Errorf("%s: set", name)
		}
	}
	for _, id := range []pool.MonitorID{0, w.median, 99} {
		if err := w.SetMonitor(t.Context(), "me", id, persistence.MonitorChange{}); !errors.Is(err, persistence.ErrNotFound) {
			t.Errorf("monitor %d: %v", id, err)
		}
	}
	agents, err := w.Agents(t.Context())
	if err != nil || len(agents) != 1 || agents[0].Monitors[0].Status != pool.GlobalActive {
		t.Errorf("afterwards: %+v, %v", agents, err)
	}
}

func agentsAreListed(t *testing.T, store persistence.Store) {
	w := bigWorld(t, store)
	agents, err := w.Agents(t.Context())
	w.must(err)
	if len(agents) != 2 || agents[0].Name != "adelaide" || agents[1].Name != "berlin" {
		t.Fatalf("agents %+v", agents)
	}
	image, _, err := w.LoadAgent(t.Context(), "berlin")
	w.must(err)
	w.same("agent", image.Agent, agents[1].Agent)
	w.same("monitors", image.Monitors, []pool.Monitor{agents[1].Monitors[0].Monitor, agents[1].Monitors[1].Monitor})
}

func monitorsChange(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	other, err := w.EnsureAccount(t.Context(), "me", "other")
	w.must(err)
	monitor := func() persistence.MonitorListing {
		agents, err := w.Agents(t.Context())
		w.must(err)
		return agents[0].Monitors[1]
	}
	want := monitor()
	for _, step := range []struct {
		name   string
		change persistence.MonitorChange
		expect func(*persistence.MonitorListing)
	}{
		{"nothing", persistence.MonitorChange{}, func(*persistence.MonitorListing) {}},
		{"status", persistence.MonitorChange{Status: ptr(pool.GlobalPaused)}, func(m *persistence.MonitorListing) { m.Status = pool.GlobalPaused }},
		{"deleted", persistence.MonitorChange{Status: ptr(pool.GlobalDeleted)}, func(m *persistence.MonitorListing) { m.Status = pool.GlobalDeleted }},
		{"active again", persistence.MonitorChange{Status: ptr(pool.GlobalActive)}, func(m *persistence.MonitorListing) { m.Status = pool.GlobalActive }},
		{"account", persistence.MonitorChange{Account: &other}, func(m *persistence.MonitorListing) { m.Account = other }},
		{"no account", persistence.MonitorChange{Account: ptr(pool.AccountID(0))}, func(m *persistence.MonitorListing) { m.Account = 0 }},
		{"address", persistence.MonitorChange{Addr: ptr(netip.MustParseAddr("2001:db8::1"))},
			func(m *persistence.MonitorListing) { m.Addr = netip.MustParseAddr("2001:db8::1") }},
		{"no address", persistence.MonitorChange{Addr: &netip.Addr{}}, func(m *persistence.MonitorListing) { m.Addr = netip.Addr{} }},
		{"location", persistence.MonitorChange{Location: ptr("Köln")}, func(m *persistence.MonitorListing) { m.Location = "Köln" }},
		{"config", persistence.MonitorChange{Config: &pool.MonitorConfig{NatIP: "10.0.0.7"}},
			func(m *persistence.MonitorListing) { m.Config = pool.MonitorConfig{NatIP: "10.0.0.7"} }},
	} {
		w.must(w.SetMonitor(t.Context(), "me", w.v6, step.change))
		step.expect(&want)
		w.same(step.name, want, monitor())
	}
}

func settingsAreKept(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	lab := pool.Settings{IntervalActive: 5 * time.Second, IntervalTesting: 5 * time.Second, IntervalCandidate: 5 * time.Second, Lab: true}
	slow := pool.DefaultSettings()
	slow.IntervalActive = 10 * time.Minute
	for _, want := range []pool.Settings{lab, slow} {
		w.must(w.SetSettings(t.Context(), "me", want))
		roster, err := w.LoadRoster(t.Context())
		w.must(err)
		w.same("settings", want, roster.Settings)
		w.same("warnings", []string{}, roster.Warnings)
	}
	tooFast := pool.DefaultSettings()
	tooFast.IntervalActive = time.Second
	w.must(w.SetSettings(t.Context(), "me", tooFast))
	roster, err := w.LoadRoster(t.Context())
	w.must(err)
	w.same("settings", pool.DefaultSettings(), roster.Settings)
	if len(roster.Warnings) != 1 || !strings.Contains(roster.Warnings[0], "interval_active") {
		t.Errorf("warnings %q", roster.Warnings)
	}
}

func changesAreTold(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	after, err := w.LatestChange(t.Context())
	w.must(err)
	w.must(w.SetSettings(t.Context(), "me", pool.DefaultSettings()))
	_, err = w.EnsureAccount(t.Context(), "me", "new")
	w.must(err)
	_, err = w.EnsureAccount(t.Context(), "me", "new")
	w.must(err)
	_, _, err = w.AddServer(t.Context(), "me", pool.Server{Addr: netip.MustParseAddrPort("198.51.100.1:123")})
	w.must(err)
	_, _, err = w.AddServer(t.Context(), "me", pool.Server{Addr: netip.MustParseAddrPort("198.51.100.1:123")})
	w.must(err)
	w.must(w.RemoveServer(t.Context(), "me", w.servers[0], noon))
	w.must(w.RemoveServer(t.Context(), "me", w.servers[0], noon))
	w.must(w.SetMonitor(t.Context(), "me", w.v6, persistence.MonitorChange{}))
	w.must(w.AddAgent(t.Context(), "me", pool.Agent{Name: "oslo"}, nil))
	changes, err := w.Changes(t.Context(), after)
	w.must(err)
	w.same("changes", []pool.Change{
		{ID: after + 1, Kind: pool.ChangedSettings, Key: "monitors"},
		{ID: after + 2, Kind: pool.ChangedAccount, Key: "2"},
		{ID: after + 3, Kind: pool.ChangedServer, Key: "2"},
		{ID: after + 4, Kind: pool.ChangedServer, Key: "1"},
		{ID: after + 5, Kind: pool.ChangedMonitor, Key: "berlin"},
		{ID: after + 6, Kind: pool.ChangedMonitor, Key: "oslo"},
	}, changes)
	latest, err := w.LatestChange(t.Context())
	w.must(err)
	rest, err := w.Changes(t.Context(), latest)
	if latest != after+6 || len(rest) != 0 || err != nil {
		t.Errorf("latest %d, then %v, %v", latest, rest, err)
	}
}

// Who follows the changes while others make them must not miss one that becomes visible after a later one.
func changesOfRivals(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	after, err := w.LatestChange(t.Context())
	w.must(err)
	const rivals, each = 6, 12
	var wait sync.WaitGroup
	for rival := range rivals {
		wait.Go(func() {
			for i := range each {
				addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(rival), byte(i)}), 123)
				if _, _, err := w.AddServer(t.Context(), "me", pool.Server{Addr: addr}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	made := make(chan struct{})
	go func() { wait.Wait(); close(made) }()
	told := make(map[string]int)
	for done := false; !done; {
		select {
		case <-made:
			done = true // and once more, for the last ones
		default:
		}
		changes, err := w.Changes(t.Context(), after)
		w.must(err)
		for _, change := range changes {
			after = change.ID
			told[change.Key]++
		}
	}
	if len(told) != rivals*each {
		t.Errorf("%d servers were told of, %d added", len(told), rivals*each)
	}
	for key, times := range told {
		if times != 1 {
			t.Errorf("server %s was told of %d times", key, times)
		}
	}
}

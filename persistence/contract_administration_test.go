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
	if err != nil || len(accounts) != 3 || accounts[1] != (persistence.AccountListing{Account: pool.Account{ID: 2, Name: "acme", Flags: "{}"}}) {
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
	image, _, err := w.LoadServer(t.Context(), 2, noon)
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

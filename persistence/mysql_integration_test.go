//go:build integration

package persistence_test

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/persistence/privatedb/dbtest"
	"truechimer/pool"
	"truechimer/pool/placement"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// freshMySQL is a store on a fresh database, and the database itself.
func freshMySQL(t *testing.T) (*persistence.MySQL, *sql.DB) {
	t.Helper()
	dsn := dbtest.Database(t)
	store := openMySQL(t, dsn)
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store, rawDatabase(t, dsn)
}

// openMySQL is a store on a database as it is.
func openMySQL(t testing.TB, dsn string) *persistence.MySQL {
	t.Helper()
	store, err := persistence.Open(t.Context(), dsn, persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// The store of production keeps what the one of the simulation keeps.
func TestMySQLKeepsTheContract(t *testing.T) {
	holdTo(t, func(t *testing.T) persistence.Store {
		store, _ := freshMySQL(t)
		return store
	})
}

// However many servers there are, shards are loaded with a handful of queries.
func TestOpenAsksAHandfulOfQueries(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 100)
	for i := range w.servers {
		w.keep(w.of(i, sampled(w.v4, noon, 1)))
	}
	questions := func() int {
		var name string
		var count int
		if err := db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Com_select'").Scan(&name, &count); err != nil {
			t.Fatal(err)
		}
		var updates int
		if err := db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Com_update'").Scan(&name, &updates); err != nil {
			t.Fatal(err)
		}
		return count + updates
	}
	before := questions()
	images := w.open()
	if asked := questions() - before; asked < 3 || asked > 14 {
		t.Errorf("%d queries", asked)
	}
	var servers int
	for _, image := range images {
		servers += len(image.Servers)
	}
	if servers != 100 {
		t.Errorf("%d servers", servers)
	}
}

// Other programs write servers, monitors and settings too; what they leave out or get wrong stops nobody.
func TestRowsOfOtherWritersAreTaken(t *testing.T) {
	store, db := freshMySQL(t)
	run(t, db,
		"INSERT INTO servers (id, ip, ip_version, created_on) VALUES (700, '198.51.100.7', 'v4', NOW())",
		"INSERT INTO servers (id, ip, ip_version, created_on) VALUES (701, 'not an address', 'v4', NOW())",
		"INSERT INTO accounts (id, name, flags) VALUES (5, NULL, 'not JSON')",
		"INSERT INTO monitors (id, type, account_id, hostname, ip, ip_version, tls_name, status, config, created_on)"+
			` VALUES (50, 'monitor', 5, 'x', 'nonsense', NULL, 'x.example.net', 'active', '{"samples": "many", "base_checks": ["a"], "other": 1}', NOW()),`+
			` (51, 'monitor', NULL, 'y', '2001:db8::1', NULL, NULL, 'pending', 'not JSON', NOW())`,
		`INSERT INTO system_settings (`+"`key`"+`, value, created_on) VALUES ('monitors', '{"interval_active": "soon", "ours": 1}', NOW())`,
		"INSERT INTO server_scores (monitor_id, server_id, status, created_on) VALUES (50, 700, 'active', NOW())",
		"INSERT INTO log_scores (monitor_id, server_id, ts, score, step, attributes) VALUES (50, 700, '2026-03-14 12:00:00', 1, 1, 'no JSON'),"+
			` (51, 700, '2026-03-14 12:00:01', 1, 1, '{"leap": "x", "stratum": 3, "error": 5, "from_ls_id": 7}'), (50, 700, '2026-03-14 12:00:02', 1, 1, NULL)`,
	)
	images, err := store.Open(t.Context(), "hub-1", []pool.ShardID{700 % placement.Shards, 701 % placement.Shards}, noon)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Store: store, t: t}
	w.same("server", pool.Server{ID: 700, Addr: netip.MustParseAddrPort("198.51.100.7:123")}, images[0].Servers[0].Server)
	w.same("pair", []pool.Pair{{
		Monitor: 50, Server: 700, Status: pool.Active,
		Hours: []pool.HourTally{{Hour: noon.Truncate(time.Hour), Tally: pool.Tally{Count: 2, Step: 2 * pool.StepUnits}}},
	}}, images[0].Servers[0].Pairs)
	w.same("servers without an address", 0, len(images[1].Servers))
	roster, err := store.LoadRoster(t.Context())
	w.must(err)
	w.same("monitors", []pool.Monitor{
		{ID: 50, Agent: "x.example.net", Account: 5, Version: pool.IPv4, Status: pool.GlobalActive, Config: pool.MonitorConfig{BaseChecks: []string{"a"}}},
		{ID: 51, Version: pool.IPv6, Addr: netip.MustParseAddr("2001:db8::1"), Status: pool.GlobalPending},
	}, roster.Monitors)
	w.same("settings", pool.DefaultSettings(), roster.Settings)
	if have := strings.Join(roster.Warnings, "\n"); len(roster.Warnings) != 5 || !strings.Contains(have, "server 701") || !strings.Contains(have, "account 5") ||
		!strings.Contains(have, "monitor 50") || !strings.Contains(have, "monitor 51") || !strings.Contains(have, "interval_active") {
		t.Errorf("warnings %q", roster.Warnings)
	}
	entries, err := store.History(t.Context(), 700, 10)
	w.must(err)
	if len(entries) != 3 || entries[1].Sample.Stratum != 3 || entries[1].Sample.Leap != 0 || entries[0].Sample == nil {
		t.Errorf("history %+v", entries)
	}
	// What they keep beside ours stays.
	w.must(store.SetSettings(t.Context(), "me", pool.DefaultSettings()))
	w.must(store.SetMonitor(t.Context(), "me", 50, persistence.MonitorChange{Config: &pool.MonitorConfig{Samples: 2}}))
	for query, want := range map[string]string{
		"SELECT value FROM system_settings": `"ours":1`, "SELECT config FROM monitors WHERE id = 50": `{"other":1,"samples":2}`,
	} {
		if have := column(t, db, query)[0]; !strings.Contains(have, want) {
			t.Errorf("%s: %s", query, have)
		}
	}
}

// A server whose address can't be read gets no work, wherever it is loaded; the list shows it as it is, so that somebody
// can remove it. Others are loaded with all that is theirs.
func TestAServerWithoutAnAddressIsLeftOut(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 3)
	for i := range w.servers {
		w.keep(w.of(i, sampled(w.v4, noon, 1)))
		w.keep(w.of(i, pool.ServerCommit{
			Statuses: []pool.PairStatus{{Monitor: w.v4, Status: pool.Active, Cadence: &pool.Cadence{Interval: time.Minute, Window: time.Second}}},
			Review:   &pool.Review{Next: noon},
		}))
	}
	want, wantChosen := []pool.ServerImage{w.server(0), w.server(2)}, w.selections(noon, w.servers[0], w.servers[2])
	run(t, db, "UPDATE servers SET ip = 'not-an-ip', ip_version = 'v6' WHERE id = 2")
	var loaded []pool.ServerImage
	for _, image := range w.open() {
		loaded = append(loaded, image.Servers...)
	}
	slices.SortFunc(loaded, func(a, b pool.ServerImage) int { return cmp.Compare(a.Server.ID, b.Server.ID) })
	w.same("opened", want, loaded)
	if _, found, err := store.LoadServer(t.Context(), 2, noon); found || err != nil {
		t.Errorf("loaded: found %t, %v", found, err)
	}
	agent, _, err := store.LoadAgent(t.Context(), "berlin")
	w.must(err)
	for _, image := range w.open() {
		for _, opened := range image.Agents {
			w.same("an agent as opened", agent, opened)
		}
	}
	if len(agent.Assignments) != 2 {
		t.Errorf("assignments %+v", agent.Assignments)
	}
	w.same("selections", wantChosen, w.selections(noon))
	watched, err := store.Watched(t.Context(), noon)
	w.must(err)
	w.same("watched", []pool.Server{want[0].Server, want[1].Server}, watched)
	listed, err := store.Servers(t.Context())
	w.must(err)
	w.same("list", []string{"", "not-an-ip", ""}, []string{listed[0].Odd, listed[1].Odd, listed[2].Odd})
	roster, err := store.LoadRoster(t.Context())
	w.must(err)
	w.same("warnings", []string{`server 2: its address "not-an-ip" can't be read, and nobody watches it`}, roster.Warnings)
	w.must(store.RemoveServer(t.Context(), "me", 2, noon))
	roster, err = store.LoadRoster(t.Context())
	w.must(err)
	w.same("warnings of a removed one", 0, len(roster.Warnings))
}

// An account's flags bound its monitors; a deleted monitor doesn't count.
func TestFlagsBoundMonitors(t *testing.T) {
	store, db := freshMySQL(t)
	ctx := t.Context()
	account, err := store.EnsureAccount(ctx, "me", "acme")
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		flags    string
		monitors int
		refused  bool
	}{
		{`{"monitor_limit": 2}`, 2, false},
		{`{"monitor_limit": 2}`, 1, true},
		{`{"monitor_limit": 3}`, 2, true},
		{`{"monitor_limit": 3}`, 1, false},
		{`{"monitor_enabled": false}`, 1, true},
		{`{"monitor_enabled": true}`, 1, false},
		{`not JSON`, 1, false},
	} {
		run(t, db, "UPDATE accounts SET flags = '"+step.flags+"'")
		monitors := []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalActive}, {Version: pool.IPv6, Status: pool.GlobalActive}}
		err := store.AddAgent(ctx, "me", pool.Agent{Name: fmt.Sprint("agent-", i), Account: account}, monitors[:step.monitors])
		if errors.Is(err, persistence.ErrMonitorsRefused) != step.refused || !step.refused && err != nil {
			t.Errorf("%s and %d more: %v", step.flags, step.monitors, err)
		}
	}
	run(t, db, "UPDATE monitors SET status = 'deleted' WHERE type = 'monitor'", `UPDATE accounts SET flags = '{"monitor_limit": 1}'`)
	if err := store.AddAgent(ctx, "me", pool.Agent{Name: "last", Account: account},
		[]pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalActive}}); err != nil {
		t.Error(err)
	}
}

// The table changes says in words who did what.
func TestChangesAreAnAuditTrail(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 1)
	w.must(w.RemoveServer(t.Context(), "robert", w.servers[0], noon))
	w.must(w.SetMonitor(t.Context(), "drop'; --", w.v4, persistence.MonitorChange{Status: ptr(pool.GlobalPaused), Location: ptr("Oslo")}))
	w.must(w.Seen(t.Context(), []pool.AgentSeen{{Monitor: w.v4, Seen: noon, Addr: netip.MustParseAddr("198.51.100.9")}}))
	w.same("changes", []string{
		"database  truechimer: made the tables",
		"account 1 test: added acme",
		"server 1 test: added 192.0.2.1:123",
		"monitor berlin test: added v4 active v6 testing",
		"server 1 robert: removed from 2026-03-14",
		"monitor berlin drop'; --: monitor 3, status paused, location Oslo",
		"monitor berlin berlin: monitor 3, address 198.51.100.9",
	}, column(t, db, "SELECT CONCAT(kind, ' ', `key`, ' ', who, ': ', what) FROM changes ORDER BY id"))
}

// scorer_status says how far the scorers have come, as readers of the pool's database expect.
func TestScorerStatusFollowsTheLog(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 2)
	value := func(at time.Time) pool.ServerCommit {
		c := sampled(w.v4, at, 1)
		c.Rows = append(c.Rows, pool.LogRow{Monitor: w.median, At: at, Score: 1, Counted: []pool.Ref{{Row: 0}}})
		return c
	}
	w.commit(w.of(0, value(noon)), w.of(1, value(noon)))
	newest := w.commit(w.of(1, value(noon.Add(time.Minute))))[0].IDs[1]
	w.keep(w.of(0, sampled(w.v4, noon.Add(time.Hour), 1)))
	w.same("status", []string{fmt.Sprint("1 ", newest), "2 0"},
		column(t, db, "SELECT CONCAT(scorer_id, ' ', log_score_id) FROM scorer_status ORDER BY scorer_id"))
}

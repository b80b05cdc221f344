package persistence_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// rule is one thing that every store must hold to. It gets a store as fresh as a new installation.
type rule struct {
	name string
	test func(*testing.T, persistence.Store)
}

// contract is all of them.
func contract() []rule {
	var all []rule
	for _, part := range [][]rule{
		commitRules(), standingRules(), repetitionRules(), refusalRules(), historyRules(),
		imageRules(), figureRules(), roundRules(), presenceRules(), administrationRules(), accountRules(), agentRules(),
	} {
		all = append(all, part...)
	}
	return all
}

// holdTo runs the contract on a kind of store.
func holdTo(t *testing.T, fresh func(*testing.T) persistence.Store) {
	for _, rule := range contract() {
		t.Run(rule.name, func(t *testing.T) { rule.test(t, fresh(t)) })
	}
}

// noon is the time of most tests: in the past, so that nothing depends on when they run.
var noon = time.Date(2026, time.March, 14, 12, 0, 0, 123_456_000, time.UTC)

// world is a store with an account, an agent with two monitors and some servers, all shards open.
type world struct {
	persistence.Store
	t       *testing.T
	account pool.AccountID
	servers []pool.ServerID // 192.0.2.1, 192.0.2.2, ...
	v4, v6  pool.MonitorID  // of agent "berlin"
	median  pool.MonitorID  // the scorers
	every   pool.MonitorID  //
	epochs  map[pool.ShardID]uint64
}

// newWorld fills a fresh store.
func newWorld(t *testing.T, store persistence.Store, servers int) *world {
	t.Helper()
	w := &world{Store: store, t: t}
	var err error
	w.account, err = store.EnsureAccount(t.Context(), "test", "acme")
	w.must(err)
	for i := range servers {
		id, _, err := store.AddServer(t.Context(), "test", pool.Server{Addr: serverAddr(i), Hostname: "ntp.example.net"})
		w.must(err)
		w.servers = append(w.servers, id)
	}
	w.must(store.AddAgent(t.Context(), "test", pool.Agent{Name: "berlin", Account: w.account, Serial: "0a1b"}, []pool.Monitor{
		{Version: pool.IPv4, Status: pool.GlobalActive, Addr: netip.MustParseAddr("203.0.113.7")},
		{Version: pool.IPv6, Status: pool.GlobalTesting, Config: pool.MonitorConfig{Samples: 4, BaseChecks: []string{"time.example.net"}}},
	}))
	agent, _, err := store.LoadAgent(t.Context(), "berlin")
	w.must(err)
	w.v4, w.v6 = agent.Monitors[0].ID, agent.Monitors[1].ID
	roster, err := store.LoadRoster(t.Context())
	w.must(err)
	w.median, w.every = roster.Scorers[0].ID, roster.Scorers[1].ID
	w.must(store.Housekeep(t.Context(), noon))
	w.open()
	return w
}

// serverAddr is the address of the i-th server, from 0.
func serverAddr(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 123)
}

// must ends the test where an error comes that no rule asks for.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// open activates all shards for a hub.
func (w *world) open() []pool.ShardImage {
	w.t.Helper()
	images, err := w.Open(w.t.Context(), "hub-1", allShards(), noon)
	w.must(err)
	w.epochs = make(map[pool.ShardID]uint64)
	for _, image := range images {
		w.epochs[image.Shard] = image.Epoch
	}
	return images
}

func allShards() []pool.ShardID {
	var shards []pool.ShardID
	for shard := range pool.ShardID(placement.Shards) {
		shards = append(shards, shard)
	}
	return shards
}

// of is a commit for the i-th server that shows the newest epoch.
func (w *world) of(i int, c pool.ServerCommit) pool.ServerCommit {
	c.Server = w.servers[i]
	c.Shard = placement.OfServer(c.Server)
	c.Epoch = w.epochs[c.Shard]
	return c
}

// commit sends commits, which must come through, whatever becomes of each.
func (w *world) commit(commits ...pool.ServerCommit) []pool.CommitOutcome {
	w.t.Helper()
	outcomes, err := w.Commit(w.t.Context(), commits)
	w.must(err)
	if len(outcomes) != len(commits) {
		w.t.Fatalf("%d outcomes of %d commits", len(outcomes), len(commits))
	}
	return outcomes
}

// keep sends one commit, which must be kept, and returns the ids of its rows.
func (w *world) keep(c pool.ServerCommit) []pool.LogID {
	w.t.Helper()
	outcome := w.commit(c)[0]
	if outcome.Err != nil || outcome.Fenced {
		w.t.Fatalf("commit was refused: fenced %v, %v", outcome.Fenced, outcome.Err)
	}
	return outcome.IDs
}

// server loads the i-th server.
func (w *world) server(i int) pool.ServerImage {
	w.t.Helper()
	image, found, err := w.LoadServer(w.t.Context(), w.servers[i], noon)
	w.must(err)
	if !found {
		w.t.Fatalf("server %d is gone", w.servers[i])
	}
	return image
}

// pair loads the pair of the i-th server and a monitor, without its figures, which have rules of their own.
func (w *world) pair(i int, monitor pool.MonitorID) pool.Pair {
	w.t.Helper()
	for _, pair := range w.server(i).Pairs {
		if pair.Monitor == monitor {
			pair.Hours = nil
			return pair
		}
	}
	w.t.Fatalf("server %d has no pair with monitor %d", w.servers[i], monitor)
	return pool.Pair{}
}

// log is the whole log of the i-th server.
func (w *world) log(i int) []persistence.LogEntry {
	w.t.Helper()
	entries, err := w.History(w.t.Context(), w.servers[i], 1_000_000)
	w.must(err)
	return entries
}

// same compares what is wanted with what is there; an empty list is as good as none.
func (w *world) same(what string, want, have any) {
	w.t.Helper()
	options := cmp.Options{
		cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	}
	if diff := cmp.Diff(want, have, options); diff != "" {
		w.t.Errorf("%s (-want +have):\n%s", what, diff)
	}
}

// sampleRow is a good sample's row.
func sampleRow(monitor pool.MonitorID, at time.Time, score float64) pool.LogRow {
	return pool.LogRow{
		Monitor: monitor, At: at, Score: score, Step: 1, Rule: "good",
		Sample: &pool.Sample{At: at, Offset: ptr(1234567 * time.Nanosecond), RTT: ptr(20_500 * time.Microsecond), Stratum: 2},
	}
}

// sampled is a commit of one good sample and the score that it made.
func sampled(monitor pool.MonitorID, at time.Time, score float64) pool.ServerCommit {
	return pool.ServerCommit{
		Rows:   []pool.LogRow{sampleRow(monitor, at, score)},
		Scores: []pool.PairScore{{Monitor: monitor, Score: score, At: at, Stratum: 2}},
	}
}

func ptr[T any](v T) *T { return &v }

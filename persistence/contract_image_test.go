package persistence_test

import (
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// imageRules say what actors start from.
func imageRules() []rule {
	return []rule{
		{"each activation of a shard takes its next epoch", epochsGrow},
		{"no two activations at once get the same epoch", epochsOfRivals},
		{"the images of shards hold all that belongs to them", imagesHoldAll},
		{"an image of one server or agent is the one of its shard", oneIsAsInShard},
		{"a server that isn't there is no error", nothingThere},
		{"a shard that can't be is refused", noSuchShard},
		{"an image is the caller's own", imagesAreCopies},
		{"the roster holds monitors, accounts, scorers and settings", rosterHoldsAll},
	}
}

func epochsGrow(t *testing.T, store persistence.Store) {
	open := func(shards ...pool.ShardID) []pool.ShardImage {
		images, err := store.Open(t.Context(), "hub-1", shards, noon)
		if err != nil {
			t.Fatal(err)
		}
		return images
	}
	for i, step := range []struct {
		shards []pool.ShardID
		want   []pool.ShardImage
	}{
		{[]pool.ShardID{7, 3}, []pool.ShardImage{{Shard: 3, Epoch: 1}, {Shard: 7, Epoch: 1}}},
		{[]pool.ShardID{7, 255, 7}, []pool.ShardImage{{Shard: 7, Epoch: 2}, {Shard: 255, Epoch: 1}}},
		{nil, nil},
	} {
		if have := open(step.shards...); !slices.EqualFunc(have, step.want, func(a, b pool.ShardImage) bool {
			return a.Shard == b.Shard && a.Epoch == b.Epoch && len(a.Servers)+len(a.Agents) == 0
		}) {
			t.Errorf("step %d: %+v, want %+v", i, have, step.want)
		}
	}
}

func epochsOfRivals(t *testing.T, store persistence.Store) {
	const rivals = 4
	got := make([]map[pool.ShardID]uint64, rivals)
	var wait sync.WaitGroup
	for i := range rivals {
		wait.Go(func() {
			images, err := store.Open(t.Context(), "rival", allShards(), noon)
			if err != nil {
				t.Error(err)
			}
			got[i] = make(map[pool.ShardID]uint64)
			for _, image := range images {
				got[i][image.Shard] = image.Epoch
			}
		})
	}
	wait.Wait()
	for shard := range pool.ShardID(placement.Shards) {
		var epochs []uint64
		for i := range got {
			epochs = append(epochs, got[i][shard])
		}
		slices.Sort(epochs)
		if !slices.Equal(epochs, []uint64{1, 2, 3, 4}) {
			t.Fatalf("shard %d: epochs %v", shard, epochs)
		}
	}
}

// bigWorld has pairs of all kinds, two agents and a removed server.
func bigWorld(t *testing.T, store persistence.Store) *world {
	w := newWorld(t, store, 5)
	w.must(store.AddAgent(t.Context(), "test", pool.Agent{Name: "adelaide"}, []pool.Monitor{{Version: pool.IPv6, Status: pool.GlobalPending}}))
	place := &pool.Cadence{Interval: 9 * time.Minute, Phase: time.Minute, Window: 20 * time.Second}
	for i := range 4 {
		c := sampled(w.v4, noon, float64(i))
		c.Scores = append(c.Scores, pool.PairScore{Monitor: w.every, Score: -4, At: noon, Row: -1})
		c.Statuses = []pool.PairStatus{{Monitor: w.v6, Status: pool.Candidate}, {Monitor: w.v4, Status: pool.Active, Cadence: place}}
		w.keep(w.of(i, c))
	}
	w.keep(w.of(2, pool.ServerCommit{Review: &pool.Review{Next: noon}}))
	w.must(store.RemoveServer(t.Context(), "test", w.servers[3], noon))
	return w
}

func imagesHoldAll(t *testing.T, store persistence.Store) {
	w := bigWorld(t, store)
	var servers []pool.ServerImage
	var agents []pool.AgentImage
	for i, image := range w.open() {
		if image.Shard != pool.ShardID(i) || image.Epoch != 2 {
			t.Errorf("image %d: shard %d, epoch %d", i, image.Shard, image.Epoch)
		}
		for _, server := range image.Servers {
			if placement.OfServer(server.Server.ID) != image.Shard {
				t.Errorf("server %d in shard %d", server.Server.ID, image.Shard)
			}
		}
		for _, agent := range image.Agents {
			if placement.OfAgent(agent.Agent.Name) != image.Shard {
				t.Errorf("agent %s in shard %d", agent.Agent.Name, image.Shard)
			}
		}
		servers, agents = append(servers, image.Servers...), append(agents, image.Agents...)
	}
	if len(servers) != 5 || len(agents) != 2 {
		t.Fatalf("%d servers, %d agents", len(servers), len(agents))
	}
	for i, image := range servers[:4] {
		w.same("pairs", []pool.MonitorID{w.median, w.every, w.v4, w.v6}[1:], monitorsOf(image.Pairs))
		if want := float64(i); image.Pairs[1].Score != want {
			t.Errorf("server %d: score %v, want %v", i, image.Pairs[1].Score, want)
		}
	}
	if !servers[2].Review.Next.Equal(noon) || !servers[1].Review.Next.IsZero() {
		t.Errorf("reviews %+v, %+v", servers[1].Review, servers[2].Review)
	}
	if want := noon.Truncate(24 * time.Hour); !servers[3].Server.Deletion.Equal(want) {
		t.Errorf("deletion %s, want %s", servers[3].Server.Deletion, want)
	}
	slices.SortFunc(agents, func(a, b pool.AgentImage) int { return len(b.Monitors) - len(a.Monitors) })
	w.same("agent", pool.AgentImage{
		Agent: pool.Agent{Name: "berlin", Account: w.account, Serial: "0a1b"},
		Monitors: []pool.Monitor{
			{ID: w.v4, Agent: "berlin", Account: w.account, Version: pool.IPv4, Addr: netip.MustParseAddr("203.0.113.7"), Status: pool.GlobalActive},
			{
				ID: w.v6, Agent: "berlin", Account: w.account, Version: pool.IPv6, Status: pool.GlobalTesting,
				Config: pool.MonitorConfig{Samples: 4, BaseChecks: []string{"time.example.net"}},
			},
		},
		Assignments: w.assignments(4),
	}, agents[0])
}

// assignments are those of bigWorld's first servers.
func (w *world) assignments(servers int) []pool.Assigned {
	var all []pool.Assigned
	for i := range servers {
		all = append(all, pool.Assigned{
			Server: w.servers[i], Addr: serverAddr(i), Monitor: w.v4, Status: pool.Active,
			Cadence: pool.Cadence{Interval: 9 * time.Minute, Phase: time.Minute, Window: 20 * time.Second},
		})
	}
	return all
}

func monitorsOf(pairs []pool.Pair) []pool.MonitorID {
	var ids []pool.MonitorID
	for _, pair := range pairs {
		ids = append(ids, pair.Monitor)
	}
	return ids
}

func oneIsAsInShard(t *testing.T, store persistence.Store) {
	w := bigWorld(t, store)
	for _, image := range w.open() {
		for _, want := range image.Servers {
			have, found, err := w.LoadServer(t.Context(), want.Server.ID, noon)
			if err != nil || !found {
				t.Fatalf("server %d: found %v, %v", want.Server.ID, found, err)
			}
			w.same("server", want, have)
		}
		for _, want := range image.Agents {
			have, found, err := w.LoadAgent(t.Context(), want.Agent.Name)
			if err != nil || !found {
				t.Fatalf("agent %s: found %v, %v", want.Agent.Name, found, err)
			}
			w.same("agent", want, have)
		}
	}
}

func nothingThere(t *testing.T, store persistence.Store) {
	for _, id := range []pool.ServerID{0, 1, 4_000_000_000} {
		if _, found, err := store.LoadServer(t.Context(), id, noon); found || err != nil {
			t.Errorf("server %d: found %v, %v", id, found, err)
		}
	}
	if _, found, err := store.LoadAgent(t.Context(), "nobody"); found || err != nil {
		t.Errorf("agent: found %v, %v", found, err)
	}
	if entries, err := store.History(t.Context(), 1, 10); len(entries) != 0 || err != nil {
		t.Errorf("history: %v, %v", entries, err)
	}
}

func noSuchShard(t *testing.T, store persistence.Store) {
	if _, err := store.Open(t.Context(), "hub-1", []pool.ShardID{1, placement.Shards}, noon); err == nil {
		t.Error("opened")
	}
	images, err := store.Open(t.Context(), "hub-1", []pool.ShardID{1}, noon)
	if err != nil || images[0].Epoch != 1 {
		t.Errorf("afterwards: %+v, %v", images, err)
	}
}

func imagesAreCopies(t *testing.T, store persistence.Store) {
	w := bigWorld(t, store)
	spoilt := w.server(0)
	for i := range spoilt.Pairs {
		spoilt.Pairs[i].Score = 99
		if cadence := spoilt.Pairs[i].Cadence; cadence != nil {
			cadence.Phase = 0
		}
		if rtt := spoilt.Pairs[i].Kept.RTT; rtt != nil {
			*rtt = 0
		}
	}
	pair := w.pair(0, w.v4)
	if pair.Score != 0 || pair.Cadence.Phase != time.Minute || *pair.Kept.RTT != 20_500*time.Microsecond {
		t.Errorf("score %v, phase %s, RTT %s", pair.Score, pair.Cadence.Phase, pair.Kept.RTT)
	}
}

func rosterHoldsAll(t *testing.T, store persistence.Store) {
	w := bigWorld(t, store)
	deleted := pool.GlobalDeleted
	w.must(w.SetMonitor(t.Context(), "test", w.v6, persistence.MonitorChange{Status: &deleted}))
	roster, err := w.LoadRoster(t.Context())
	w.must(err)
	w.same("roster", pool.Roster{
		Monitors: []pool.Monitor{
			{ID: w.v4, Agent: "berlin", Account: w.account, Version: pool.IPv4, Addr: netip.MustParseAddr("203.0.113.7"), Status: pool.GlobalActive},
			{ID: w.v6 + 1, Agent: "adelaide", Version: pool.IPv6, Status: pool.GlobalPending},
		},
		Accounts: []pool.Account{{ID: w.account, Name: "acme", Flags: "{}"}},
		Scorers:  []pool.Scorer{{ID: 1, Name: pool.RecentMedian}, {ID: 2, Name: pool.Every}},
		Settings: pool.DefaultSettings(),
	}, roster)
}

//go:build integration

package persistence_test

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// The stores agree on whatever is sent to them, sensible or not: what is kept, what is refused, and what is there
// afterwards. So what the simulation finds out about Memory holds for MySQL.
func TestStoresAgree(t *testing.T) {
	store, _ := freshMySQL(t)
	stores := []*world{newWorld(t, store, 0), newWorld(t, persistence.NewMemory(persistence.Options{}), 0)}
	added := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		for range 3 {
			added++
			for _, w := range stores {
				addr := netip.AddrFrom4([4]byte{10, byte(added >> 16), byte(added >> 8), byte(added)})
				id, _, err := w.AddServer(ctx, "test", pool.Server{Addr: netip.AddrPortFrom(addr, 123)})
				if err != nil {
					t.Fatal(err)
				}
				w.servers = append(w.servers, id)
			}
		}
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			if shard := placement.OfServer(stores[0].servers[added-1]); rapid.IntRange(0, 3).Draw(t, "takeover") == 0 {
				takeOver(ctx, t, stores, shard)
			}
			batch := rapid.SliceOfN(rapid.Custom(drawCommit), 1, 6).Draw(t, "batch")
			agreeOn(ctx, t, stores, batch, added)
		}
		for i := added - 3; i < added; i++ {
			agreeAbout(ctx, t, stores, i)
		}
	})
}

// takeOver has another hub open a shard; half of the time we are that hub.
func takeOver(ctx context.Context, t *rapid.T, stores []*world, shard pool.ShardID) {
	ours := rapid.Bool().Draw(t, "ours")
	for _, w := range stores {
		images, err := w.Open(ctx, "hub-2", []pool.ShardID{shard}, noon)
		if err != nil {
			t.Fatal(err)
		}
		if ours {
			w.epochs[shard] = images[0].Epoch
		}
	}
}

// numbered is a commit for one of the three newest servers.
type numbered struct {
	Server int
	Commit pool.ServerCommit
}

// Monitors of the test: two scorers, two monitors, one that isn't there.
func drawMonitor(t *rapid.T) pool.MonitorID {
	return rapid.SampledFrom([]pool.MonitorID{1, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 99}).Draw(t, "monitor")
}

// drawTime is one of few times, so that they meet.
func drawTime(t *rapid.T) time.Time {
	return noon.Add(time.Duration(rapid.IntRange(-3, 8).Draw(t, "minute")) * time.Minute)
}

func drawCommit(t *rapid.T) numbered {
	n := numbered{Server: rapid.IntRange(0, 2).Draw(t, "server")}
	c := &n.Commit
	for range rapid.IntRange(0, 4).Draw(t, "rows") {
		c.Rows = append(c.Rows, drawRow(t, len(c.Rows)))
	}
	for row, r := range c.Rows {
		if !r.Late && rapid.IntRange(0, 5).Draw(t, "scored") > 0 {
			c.Scores = append(c.Scores, pool.PairScore{Monitor: r.Monitor, Score: r.Score, At: r.At, Stratum: rapid.Uint8Range(0, 3).Draw(t, "stratum"), Row: row})
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "unscored") == 0 {
		c.Scores = append(c.Scores, pool.PairScore{Monitor: drawMonitor(t), Score: 1, At: drawTime(t), Row: -1})
	}
	if rapid.Bool().Draw(t, "overall") {
		c.Overall = &pool.Overall{
			Score: rapid.Float64Range(-100, 20).Draw(t, "score"), At: drawTime(t), Known: rapid.Bool().Draw(t, "known"),
			Stratum: rapid.Uint8Range(0, 2).Draw(t, "stratum"),
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "status") == 0 {
		c.Statuses = []pool.PairStatus{{
			Monitor: drawMonitor(t), LastCheck: drawTime(t),
			Status: rapid.SampledFrom([]pool.Status{pool.Active, pool.Testing, pool.Paused, "new"}).Draw(t, "status"),
		}}
	}
	if rapid.IntRange(0, 3).Draw(t, "review") == 0 {
		c.Review = &pool.Review{Last: drawTime(t), Next: drawTime(t)}
	}
	return n
}

func drawRow(t *rapid.T, earlier int) pool.LogRow {
	row := pool.LogRow{Monitor: drawMonitor(t), At: drawTime(t), Score: rapid.Float64Range(-100, 20).Draw(t, "score"), Step: 1}
	if row.Monitor < 3 {
		for range min(earlier, rapid.IntRange(0, 2).Draw(t, "counted")) {
			row.Counted = append(row.Counted, pool.Ref{Row: rapid.IntRange(0, earlier-1).Draw(t, "row")})
		}
		return row
	}
	row.Late = rapid.IntRange(0, 3).Draw(t, "late") == 0
	row.Sample = &pool.Sample{
		At: row.At, Error: rapid.StringN(0, 5, -1).Draw(t, "error"),
		RTT: ptr(time.Duration(rapid.IntRange(0, 1e9).Draw(t, "rtt"))),
	}
	return row
}

// agreeOn sends the same batch to both and compares what became of it.
func agreeOn(ctx context.Context, t *rapid.T, stores []*world, batch []numbered, added int) {
	var became [2][]string
	for s, w := range stores {
		var commits []pool.ServerCommit
		for _, n := range batch {
			commits = append(commits, w.of(added-3+n.Server, n.Commit))
		}
		outcomes, err := w.Commit(ctx, commits)
		if err != nil {
			t.Fatal(err)
		}
		for _, outcome := range outcomes {
			became[s] = append(became[s], inWords(outcome))
		}
	}
	if diff := gocmp.Diff(became[0], became[1]); diff != "" {
		t.Fatalf("outcomes (-MySQL +Memory):\n%s", diff)
	}
}

// inWords is an outcome without the ids, which differ.
func inWords(outcome pool.CommitOutcome) string {
	switch {
	case outcome.Err != nil:
		return "refused"
	case outcome.Fenced:
		return "fenced"
	}
	words := "kept"
	for _, id := range outcome.IDs {
		if id == 0 {
			words += " -"
		} else {
			words += " id"
		}
	}
	return words
}

// agreeAbout compares what both hold of one server.
func agreeAbout(ctx context.Context, t *rapid.T, stores []*world, i int) {
	var images [2]pool.ServerImage
	var logs [2][]persistence.LogEntry
	for s, w := range stores {
		var err error
		if images[s], _, err = w.LoadServer(ctx, w.servers[i], noon); err != nil {
			t.Fatal(err)
		}
		if logs[s], err = w.History(ctx, w.servers[i], 1000); err != nil {
			t.Fatal(err)
		}
		renumber(&images[s], logs[s])
	}
	options := gocmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.AddrPort{})}
	if diff := gocmp.Diff(images[0], images[1], options); diff != "" {
		t.Fatalf("images (-MySQL +Memory):\n%s", diff)
	}
	if diff := gocmp.Diff(logs[0], logs[1], options); diff != "" {
		t.Fatalf("logs (-MySQL +Memory):\n%s", diff)
	}
}

// renumber numbers the rows of a server anew, samples and values each in the order of their ids: MySQL gives the values
// of a whole batch their ids after all its samples.
func renumber(image *pool.ServerImage, log []persistence.LogEntry) {
	isValue := func(e persistence.LogEntry) int {
		if e.Sample == nil {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(log, func(a, b persistence.LogEntry) int {
		return cmp.Or(cmp.Compare(isValue(a), isValue(b)), cmp.Compare(a.ID, b.ID))
	})
	numbers := map[pool.LogID]pool.LogID{}
	for n := range log {
		numbers[log[n].ID] = pool.LogID(n + 1)
		log[n].ID = pool.LogID(n + 1)
	}
	for n := range log {
		for c := range log[n].Counted {
			log[n].Counted[c].ID = numbers[log[n].Counted[c].ID]
		}
	}
	for p := range image.Pairs {
		image.Pairs[p].Kept.ID = numbers[image.Pairs[p].Kept.ID]
	}
}

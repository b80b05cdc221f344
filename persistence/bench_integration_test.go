//go:build integration

package persistence_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"truechimer/persistence"
	"truechimer/persistence/privatedb"
	"truechimer/pool"
	"truechimer/pool/placement"
)

const (
	benchServers  = 5000
	benchMonitors = 12
	benchSamples  = 1000 // of a batch
	benchTouched  = 500  // servers of a batch
)

// durableMySQL is a store on a server that waits for the disk with each commit, as in production.
func durableMySQL(b *testing.B) *persistence.MySQL {
	b.Helper()
	server, err := privatedb.Start(b.Context(), privatedb.Options{Dir: b.TempDir(), Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(b.Context()); err != nil {
			b.Log(err)
		}
	})
	db := openMySQL(b, server.DSN("information_schema"))
	if err := db.Execute(b.Context(), "CREATE DATABASE bench"); err != nil {
		b.Fatal(err)
	}
	store := openMySQL(b, server.DSN("bench"))
	if err := store.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := store.Housekeep(b.Context(), time.Now()); err != nil {
		b.Fatal(err)
	}
	return store
}

// bench is a pool of some size and where its timetable stands.
type bench struct {
	store  *persistence.MySQL
	epochs []uint64
	now    time.Time
	turn   int
}

func newBench(b *testing.B) *bench {
	b.Helper()
	store := durableMySQL(b)
	if err := store.AddServers(b.Context(), benchServers); err != nil {
		b.Fatal(err)
	}
	for i := range benchMonitors {
		monitor := pool.Monitor{Version: pool.IPv4, Status: pool.GlobalActive, Addr: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})}
		if err := store.AddAgent(b.Context(), "bench", pool.Agent{Name: fmt.Sprint("agent-", i)}, []pool.Monitor{monitor}); err != nil {
			b.Fatal(err)
		}
	}
	images, err := store.Open(b.Context(), "bench", allShards(), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	bench := &bench{store: store, epochs: make([]uint64, placement.Shards), now: time.Now().UTC().Truncate(time.Hour)}
	for _, image := range images {
		bench.epochs[image.Shard] = image.Epoch
	}
	return bench
}

// batch is what a batch of samples makes: two of each server, a value of each scorer for every fifth server.
func (b *bench) batch() []pool.ServerCommit {
	var commits []pool.ServerCommit
	for i := range benchTouched {
		b.turn++
		server := pool.ServerID(b.turn%benchServers + 1)
		shard := placement.OfServer(server)
		c := pool.ServerCommit{Shard: shard, Epoch: b.epochs[shard], Server: server}
		for range benchSamples / benchTouched {
			b.now = b.now.Add(time.Microsecond)
			monitor := pool.MonitorID(3 + (b.turn+len(c.Rows))%benchMonitors)
			c.Rows = append(c.Rows, sampleRow(monitor, b.now, 19.123456789))
			c.Scores = append(c.Scores, pool.PairScore{Monitor: monitor, Score: 19.123456789, At: b.now, Stratum: 2, Row: len(c.Rows) - 1})
		}
		median := pool.PairScore{Monitor: 1, Score: 19, At: b.now, Row: -1}
		every := pool.PairScore{Monitor: 2, Score: 18, At: b.now, Row: -1}
		if i%5 == 0 {
			median.Row, every.Row = len(c.Rows), len(c.Rows)+1
			c.Rows = append(c.Rows, pool.LogRow{Monitor: 1, At: b.now, Score: 19, Step: 1, Counted: []pool.Ref{{Row: 0}, {Row: 1}}},
				pool.LogRow{Monitor: 2, At: b.now, Score: 18, Step: 1})
		}
		c.Scores = append(c.Scores, median, every)
		c.Overall = &pool.Overall{Score: 19, At: b.now, Known: true, Stratum: 2}
		commits = append(commits, c)
	}
	return commits
}

// BenchmarkCommit is group commit: 1,000 samples of 500 servers with all that follows from them, on disk.
func BenchmarkCommit(b *testing.B) {
	bench := newBench(b)
	for b.Loop() {
		outcomes, err := bench.store.Commit(b.Context(), bench.batch())
		if err != nil || outcomes[0].Err != nil || outcomes[0].Fenced {
			b.Fatal(err, outcomes[0])
		}
	}
	b.ReportMetric(float64(b.N)*benchSamples/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkBareInsert is the same samples, inserted into log_scores and nothing else: what Commit is measured by.
func BenchmarkBareInsert(b *testing.B) {
	bench := newBench(b)
	for b.Loop() {
		if err := bench.store.InsertBare(b.Context(), bench.batch()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchSamples/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkMemoryCommit is what the same costs in a simulation.
func BenchmarkMemoryCommit(b *testing.B) {
	store := persistence.NewMemory(persistence.Options{})
	bench := &bench{epochs: make([]uint64, placement.Shards), now: time.Now().UTC()}
	for i := range benchServers {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 123)
		if _, _, err := store.AddServer(b.Context(), "bench", pool.Server{Addr: addr}); err != nil {
			b.Fatal(err)
		}
	}
	for i := range benchMonitors {
		if err := store.AddAgent(b.Context(), "bench", pool.Agent{Name: fmt.Sprint(i)}, []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalActive}}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		outcomes, err := store.Commit(b.Context(), bench.batch())
		if err != nil || outcomes[0].Err != nil || outcomes[0].Fenced {
			b.Fatal(err, outcomes[0])
		}
	}
	b.ReportMetric(float64(b.N)*benchSamples/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkOpen is the start of a hub that owns everything: 5,000 servers with 14 pairs each.
func BenchmarkOpen(b *testing.B) {
	bench := newBench(b)
	if err := bench.store.AddPairs(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		images, err := bench.store.Open(b.Context(), "bench", allShards(), time.Now())
		if err != nil || len(images) != placement.Shards || len(images[9].Servers[0].Pairs) != benchMonitors+2 {
			b.Fatal(err, len(images))
		}
	}
}

package benchmarks

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/simulation/lab"
)

// anyPorts has the program listen where nobody else does.
func anyPorts() []string {
	return []string{"--http-listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0", "--agent-listen", "127.0.0.1:0", "--log-level", "warn"}
}

func up(b testing.TB, state string) *process {
	return start(b, append([]string{"up", "--state-dir", state}, anyPorts()...)...)
}

// BenchmarkColdStart is the first start of `up`: it makes the database, the tables and the authority.
func BenchmarkColdStart(b *testing.B) {
	total := time.Duration(0)
	for b.Loop() {
		p := up(b, b.TempDir())
		total += p.ready()
		p.stop()
	}
	b.ReportMetric(total.Seconds()/float64(b.N), "s-to-ready")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkWarmStart is any later start of `up`.
func BenchmarkWarmStart(b *testing.B) {
	state := b.TempDir()
	first := up(b, state)
	first.ready()
	first.stop()
	total := time.Duration(0)
	for b.Loop() {
		p := up(b, state)
		total += p.ready()
		p.stop()
	}
	b.ReportMetric(total.Seconds()/float64(b.N), "s-to-ready")
	b.ReportMetric(0, "ns/op")
}

// everySecond is how often the servers of these labs are probed.
const everySecond = time.Second

// site is a hub and an agent as two processes, watching a lab.
type site struct {
	hub, agent *process
	db         *sql.DB
}

// openSite has every server of a lab probed at an interval.
func openSite(b testing.TB, l *lab.Lab, interval time.Duration) *site {
	b.Helper()
	state := b.TempDir()
	s := &site{hub: start(b, append([]string{"hub", "--state-dir", state}, anyPorts()...)...)}
	s.hub.ready()
	address := s.hub.line("agents connect to ")
	dsn := "root@unix(" + filepath.Join(state, "database", "mysql.sock") + ")/truechimer"
	store, err := persistence.Open(context.Background(), dsn, persistence.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	settings := pool.Settings{IntervalActive: interval, IntervalTesting: interval, IntervalCandidate: interval, Lab: true}
	if err := store.SetSettings(context.Background(), "benchmark", settings); err != nil {
		b.Fatal(err)
	}
	for _, server := range l.Servers() {
		if _, _, err := store.AddServer(context.Background(), "benchmark", pool.Server{Addr: server.Addr, Hostname: server.Name}); err != nil {
			b.Fatal(err)
		}
	}
	identity := filepath.Join(state, "agent.pem")
	run(b, "agents", "add", "bench", "--state-dir", state, "--hub", address, "--out", identity, "--reference", l.Servers()[0].Addr.String())
	oneQuery(b, store)
	s.agent = start(b, "agent", "run", "--identity", identity, "--allow-private", "--log-level", "warn")
	if s.db, err = sql.Open("mysql", dsn); err != nil {
		b.Fatal(err)
	}
	return s
}

// close ends agent and hub.
func (s *site) close() {
	s.db.Close()
	s.agent.stop()
	s.hub.stop()
}

// oneQuery has the monitors send one query a probe, as in the lab.
func oneQuery(b testing.TB, store *persistence.MySQL) {
	b.Helper()
	agents, err := store.Agents(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range agents[0].Monitors {
		m.Config.Samples = 1
		if err := store.SetMonitor(context.Background(), "benchmark", m.ID, persistence.MonitorChange{Config: &m.Config}); err != nil {
			b.Fatal(err)
		}
	}
}

// samples is how many the database holds.
func (s *site) samples(b testing.TB) (n int) {
	b.Helper()
	if err := s.db.QueryRow("SELECT COUNT(*) FROM log_scores WHERE monitor_id > 2").Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

// await waits until the database holds so many samples.
func (s *site) await(b testing.TB, n int) {
	b.Helper()
	bound := time.After(patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for s.samples(b) < n {
		select {
		case <-tick.C:
		case <-bound:
			b.Fatalf("there are %d samples after %s, not %d", s.samples(b), patience, n)
		}
	}
}

// checkFolds holds every score in the log to the fold of the samples before it.
func (s *site) checkFolds(b testing.TB) {
	b.Helper()
	rows, err := s.db.Query("SELECT server_id, score, step FROM log_scores WHERE monitor_id > 2 ORDER BY id")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	want := make(map[int]float64)
	for rows.Next() {
		var server int
		var score, step float64
		if err := rows.Scan(&server, &score, &step); err != nil {
			b.Fatal(err)
		}
		if want[server] = 0.95*want[server] + step; score != want[server] {
			b.Fatalf("server %d: want score %v, have %v", server, want[server], score)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMemory is what hub and agent hold with the lab of `up`, after 20 probes of each server.
func BenchmarkMemory(b *testing.B) {
	l, err := lab.Start(lab.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		s := openSite(b, l, everySecond)
		s.await(b, 20*len(l.Servers()))
		b.ReportMetric(s.hub.resident(), "hub-MB")
		b.ReportMetric(s.agent.resident(), "agent-MB")
		s.close()
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkThousandServers is what an agent costs that probes 1,000 servers every second.
func BenchmarkThousandServers(b *testing.B) {
	const servers, seconds = 1000, 15
	l, err := lab.Start(lab.Options{Behaviours: []lab.Behaviour{lab.Good}, Extra: servers})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		s := openSite(b, l, everySecond)
		s.await(b, 5*servers)
		before, began, stored := s.agent.computed(), time.Now(), s.samples(b)
		hubBefore := s.hub.computed()
		s.await(b, stored+seconds*servers)
		took := time.Since(began)
		b.ReportMetric((s.agent.computed()-before).Seconds()/took.Seconds(), "agent-cores")
		b.ReportMetric((s.hub.computed()-hubBefore).Seconds()/took.Seconds(), "hub-cores")
		b.ReportMetric(float64(s.samples(b)-stored)/took.Seconds(), "samples/s")
		b.ReportMetric(s.agent.resident(), "agent-MB")
		b.ReportMetric(s.hub.resident(), "hub-MB")
		s.close()
	}
	b.ReportMetric(0, "ns/op")
}

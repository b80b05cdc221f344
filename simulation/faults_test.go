package simulation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/placement"
	"truechimer/simulation"
	"truechimer/simulation/world"
)

// Every test of this file runs under several seeds: a fault may meet anything.
const faultSeeds = 5

// underFaults runs a test for each seed on a pool that has been running for half an hour.
func underFaults(t *testing.T, test func(t *testing.T, p *simulation.Pool)) {
	t.Helper()
	for seed := uint64(1); seed <= faultSeeds; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			p := smallPool(t, world.Config{Seed: seed, StepTime: 100 * time.Microsecond})
			run(t, p, 30*time.Minute)
			test(t, p)
		})
	}
}

// stored is how many samples of monitors a server has.
func stored(t testing.TB, p *simulation.Pool, name string) int {
	t.Helper()
	n := 0
	for _, row := range rows(t, p, name) {
		if row.Sample != nil {
			n++
		}
	}
	return n
}

// server finds a server of the pool by its name.
func server(t testing.TB, p *simulation.Pool, name string) pool.Server {
	t.Helper()
	servers, err := p.Store.Servers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		if s.Hostname == name {
			return s.Server
		}
	}
	t.Fatalf("no server %s", name)
	return pool.Server{}
}

func rows(t testing.TB, p *simulation.Pool, name string) []pool.LogRow {
	t.Helper()
	log, err := p.Store.History(context.Background(), server(t, p, name).ID, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var rows []pool.LogRow
	for _, entry := range log {
		rows = append(rows, entry.LogRow)
	}
	return rows
}

// A hub that is killed comes back with everything that it had acknowledged; what it hadn't, the agents send again:
// no probe of the half hour before and after is missing.
func TestAKilledHubLosesNothing(t *testing.T) {
	underFaults(t, func(t *testing.T, p *simulation.Pool) {
		before := stored(t, p, "good")
		for range 5 {
			p.Hub().Node.Crash()
			run(t, p, time.Minute)
			if _, err := p.StartHub(); err != nil {
				t.Fatal(err)
			}
			run(t, p, 8*time.Minute)
		}
		if want, have := before+2*4, stored(t, p, "good"); have < want {
			t.Errorf("want at least %d samples after five intervals, have %d", want, have)
		}
	})
}

// While the database is away evidence waits; when it is back, all of it is stored, once, and the log has said so once.
func TestEvidenceWaitsForTheDatabase(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*simulation.StoreMood, bool)
	}{
		{"away", func(m *simulation.StoreMood, on bool) { m.Away = on }},
		{"done but not heard of", func(m *simulation.StoreMood, on bool) { m.Mute = on }},
	} {
		t.Run(test.name, func(t *testing.T) {
			underFaults(t, func(t *testing.T, p *simulation.Pool) {
				before := stored(t, p, "good")
				test.set(&p.Mood, true)
				run(t, p, 30*time.Minute)
				test.set(&p.Mood, false)
				run(t, p, 10*time.Minute)
				if p.Mood.Failed == 0 {
					t.Error("nothing was asked of the database meanwhile")
				}
				if want, have := before+2*3, stored(t, p, "good"); have < want {
					t.Errorf("want at least %d samples of 40 min, have %d", want, have)
				}
			})
		})
	}
}

// Another hub that takes the shards fences this one: nothing that it still does is kept, and it ends.
func TestAFencedHubChangesNothing(t *testing.T) {
	underFaults(t, func(t *testing.T, p *simulation.Pool) {
		var all []pool.ShardID
		for shard := range placement.Shards {
			all = append(all, pool.ShardID(shard))
		}
		if _, err := p.Store.Open(context.Background(), "another", all, p.Now()); err != nil {
			t.Fatal(err)
		}
		before := stored(t, p, "good")
		run(t, p, 30*time.Minute)
		if have := stored(t, p, "good"); have != before {
			t.Errorf("want %d samples, have %d", before, have)
		}
		if p.Hub().Halt == "" {
			t.Error("want the hub to say that it may not go on")
		}
	})
}

// An agent that is killed and comes back is taken for the same one: its probes go on.
func TestAnAgentComesBack(t *testing.T) {
	underFaults(t, func(t *testing.T, p *simulation.Pool) {
		p.Agent("alpha").Crash()
		run(t, p, 10*time.Minute)
		before := stored(t, p, "good")
		if _, err := p.StartAgent("alpha"); err != nil {
			t.Fatal(err)
		}
		run(t, p, 30*time.Minute)
		if want, have := before+2*3-1, stored(t, p, "good"); have < want {
			t.Errorf("want at least %d samples, have %d", want, have)
		}
	})
}

// What an operator changes takes effect within a second: a new server is probed at once, a removed one no more,
// a paused monitor stops.
func TestRunningHubsFollowChanges(t *testing.T) {
	underFaults(t, func(t *testing.T, p *simulation.Pool) {
		ctx := context.Background()
		p.AddServer(simulation.Server{Name: "new", Addr: addr(9)})
		if _, _, err := p.Store.AddServer(ctx, "operator", pool.Server{Addr: addr(9), Hostname: "new"}); err != nil {
			t.Fatal(err)
		}
		run(t, p, 30*time.Second)
		if stored(t, p, "new") == 0 {
			t.Error("want the new server probed at once")
		}
		if err := p.Store.RemoveServer(ctx, "operator", server(t, p, "new").ID, p.Now()); err != nil {
			t.Fatal(err)
		}
		pause(t, p, "alpha")
		run(t, p, 10*time.Second) // a burst that was under way comes to its end
		gone, paused := stored(t, p, "new"), samplesOf(t, p, "good")
		run(t, p, time.Hour)
		if have := stored(t, p, "new"); have != gone {
			t.Errorf("removed server: want %d samples, have %d", gone, have)
		}
		after := samplesOf(t, p, "good")
		for monitor, n := range paused {
			if moved := after[monitor] - n; (moved == 0) != (monitor == monitorOf(t, p, "alpha").ID) {
				t.Errorf("monitor %d: %d more samples", monitor, moved)
			}
		}
	})
}

// samplesOf is how many samples of a server each monitor has taken.
func samplesOf(t testing.TB, p *simulation.Pool, name string) map[pool.MonitorID]int {
	t.Helper()
	n := make(map[pool.MonitorID]int)
	for _, row := range rows(t, p, name) {
		if row.Sample != nil {
			n[row.Monitor]++
		}
	}
	return n
}

func monitorOf(t testing.TB, p *simulation.Pool, agent string) pool.Monitor {
	t.Helper()
	image, found, err := p.Store.LoadAgent(context.Background(), agent)
	if err != nil || !found {
		t.Fatalf("no agent %s: %v", agent, err)
	}
	return image.Monitors[0]
}

// pause pauses an agent's monitor globally.
func pause(t testing.TB, p *simulation.Pool, agent string) {
	t.Helper()
	paused := pool.GlobalPaused
	change := persistence.MonitorChange{Status: &paused}
	if err := p.Store.SetMonitor(context.Background(), "operator", monitorOf(t, p, agent).ID, change); err != nil {
		t.Fatal(err)
	}
}

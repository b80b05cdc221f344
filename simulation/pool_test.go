package simulation_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation"
	"truechimer/simulation/world"
)

// sixHours of a pool are 40 probes of each pair, some reviews of selection, and several renewals of everything.
const sixHours = 6 * time.Hour

func addr(last byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, last}), 123)
}

// smallPool is one hub, two agents and four servers, each of its own kind.
func smallPool(t testing.TB, config world.Config) *simulation.Pool {
	t.Helper()
	config.Keep, config.Level = 60, zerolog.InfoLevel
	p, err := simulation.New(simulation.Config{
		World:  config,
		Agents: []string{"alpha", "beta"},
		Servers: []simulation.Server{
			{Name: "ref-1", Addr: addr(201), Reference: true},
			{Name: "ref-2", Addr: addr(202), Reference: true},
			{Name: "ref-3", Addr: addr(203), Reference: true},
			{Name: "good", Addr: addr(1)},
			{Name: "ahead", Addr: addr(2), Ahead: 2 * time.Second},
			{Name: "silent", Addr: addr(3), Silent: true},
			{Name: "kissing", Addr: addr(4), Kiss: pool.KissRate},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	allActive(t, p)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// allActive makes every monitor active for every server: what is asked of the pool then isn't about selection.
func allActive(t testing.TB, p *simulation.Pool) {
	t.Helper()
	ctx := context.Background()
	roster, err := p.Store.LoadRoster(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var active []pool.PairStatus
	for _, m := range roster.Monitors {
		active = append(active, pool.PairStatus{Monitor: m.ID, Status: pool.Active})
	}
	servers, err := p.Store.Servers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		if err := p.Store.ApplyRound(ctx, "test", s.ID, active, pool.Review{}); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs a pool on, and reports what broke with all that led to it.
func run(t testing.TB, p *simulation.Pool, d time.Duration) {
	t.Helper()
	err := p.RunFor(d)
	if violation, broken := err.(*world.Violation); broken {
		t.Fatal(violation.Report())
	}
	if err == nil {
		err = p.Audit(context.Background())
	}
	if err != nil {
		t.Fatalf("seed %d: %v", p.Seed(), err)
	}
}

// score is the overall score of a server.
func score(t testing.TB, p *simulation.Pool, name string) float64 {
	t.Helper()
	servers, err := p.Store.Servers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		if s.Hostname == name {
			return s.Score
		}
	}
	t.Fatalf("no server %s", name)
	return 0
}

// The whole pool, from the probe to the stored score, is decided by its seed and nothing else;
// and whatever the order of things, good servers are found good and bad ones bad.
func TestOneSeedOneHistory(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 10; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			config := world.Config{Seed: seed, Policy: world.Policy(seed % 3), StepTime: 100 * time.Microsecond}
			first, second := smallPool(t, config), smallPool(t, config)
			run(t, first, sixHours)
			run(t, second, sixHours)
			if first.Hash() != second.Hash() {
				t.Errorf("want one history, have %x and %x", first.Hash(), second.Hash())
			}
			if have := score(t, first, "good"); have < 10 {
				t.Errorf("good: want it fit for service, have %.1f", have)
			}
			for _, bad := range []string{"ahead", "silent", "kissing"} {
				if have := score(t, first, bad); have >= 0 {
					t.Errorf("%s: want a score below 0, have %.1f", bad, have)
				}
			}
		})
	}
}

// Different seeds are different histories: else the seeds would prove nothing.
func TestSeedsDiffer(t *testing.T) {
	hashes := make(map[uint64]bool)
	for seed := uint64(1); seed <= 3; seed++ {
		p := smallPool(t, world.Config{Seed: seed})
		run(t, p, 10*time.Minute)
		hashes[p.Hash()] = true
	}
	if len(hashes) != 3 {
		t.Errorf("want 3 histories, have %d", len(hashes))
	}
}

// actors are the ids of all actors that live on a node now.
func actors(node *world.Node) []string {
	var ids []string
	for _, part := range node.System.ProcessRegistry.LocalPIDs.LocalPIDs {
		for id := range part.Items() {
			if strings.HasPrefix(id, "hub") || strings.HasPrefix(id, "agent") {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// A panic in any actor's handler is logged once with its stack, costs no stored sample, and the pool goes on:
// afterwards the good server is still probed and scored.
func TestEveryActorSurvivesAPanic(t *testing.T) {
	seen := smallPool(t, world.Config{Seed: 1})
	run(t, seen, 30*time.Minute)
	for _, path := range oneOfEachKind(slices.Concat(actors(seen.Hub().Node), actors(seen.Agent("alpha")))) {
		t.Run(path, func(t *testing.T) {
			var log bytes.Buffer
			p := smallPool(t, world.Config{Seed: 1, Log: &log})
			run(t, p, 30*time.Minute)
			node := p.Hub().Node
			if strings.HasPrefix(path, "agent") {
				node = p.Agent("alpha")
			}
			injection := node.PanicNext(path)
			run(t, p, 70*time.Minute)
			if !injection.Fired() { // it has nothing to do for so long: a message without meaning will do
				node.System.Root.Send(node.System.NewLocalPID(path), &messages.Goodbye{})
				run(t, p, time.Minute)
			}
			if !injection.Fired() {
				t.Fatal("the actor got no message")
			}
			if n := strings.Count(log.String(), `"actor panicked"`); n != 1 {
				t.Errorf("want the panic logged once, have %d", n)
			}
			if !strings.Contains(log.String(), "goroutine") {
				t.Error("want the stack in the log")
			}
			before := score(t, p, "good")
			run(t, p, 90*time.Minute)
			if after := score(t, p, "good"); after <= before {
				t.Errorf("want the good server's score to go on rising, have %.2f then %.2f", before, after)
			}
		})
	}
}

// oneOfEachKind leaves of actors that differ in a number or a name only the first.
func oneOfEachKind(paths []string) []string {
	kinds := make(map[string]string)
	for _, path := range slices.Sorted(slices.Values(paths)) {
		kind := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, path)
		kind = strings.NewReplacer("alpha", "", "beta", "").Replace(kind)
		if _, there := kinds[kind]; !there {
			kinds[kind] = path
		}
	}
	return slices.Sorted(maps.Values(kinds))
}

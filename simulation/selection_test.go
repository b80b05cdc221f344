package simulation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"truechimer/pool"
	"truechimer/simulation"
	"truechimer/simulation/world"
)

// threeDays are enough for a new server: a candidate has its 9 samples after 18 h and is tested then,
// a testing one its 24 after 18 h more, and of those that may become active a round takes two, one in an hour.
const threeDays = 72 * time.Hour

// The agents of a large pool: two of each account, and of the last account one that is wrong and one that goes away.
const (
	goodAgents = 12
	wrong      = "wrong"
	lost       = "lost"
)

// selectionRun is one way to run a large pool.
type selectionRun struct {
	seed   uint64
	faster time.Duration // how many times as fast as usual all is probed
}

// largePool is one hub, fourteen agents of seven accounts and four servers that nobody has ever watched.
func largePool(t testing.TB, s selectionRun) *simulation.Pool {
	t.Helper()
	config := simulation.Config{
		World:    world.Config{Seed: s.seed, Policy: world.Policy(s.seed % 3), Keep: 60, Level: zerolog.InfoLevel},
		Accounts: make(map[string]string),
		Settings: pool.DefaultSettings(),
	}
	if s.faster > 1 {
		config.Settings.Spacing = 10 * time.Second // else there isn't room for all
	}
	config.Settings.IntervalActive /= s.faster
	config.Settings.IntervalTesting /= s.faster
	config.Settings.IntervalCandidate /= s.faster
	for i := range goodAgents {
		name := fmt.Sprint("agent-", i)
		config.Agents = append(config.Agents, name)
		config.Accounts[name] = fmt.Sprint("account-", i/2)
	}
	config.Agents = append([]string{wrong, lost}, config.Agents...) // with low ids: they are preferred while nothing is known
	config.Accounts[wrong], config.Accounts[lost] = "poor", "poor"
	for i := range 3 {
		config.Servers = append(config.Servers, simulation.Server{Name: fmt.Sprint("ref-", i), Addr: addr(byte(201 + i)), Reference: true})
	}
	for i := range 4 {
		config.Servers = append(config.Servers, simulation.Server{Name: fmt.Sprint("server-", i), Addr: addr(byte(1 + i))})
	}
	p, err := simulation.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	p.Skew[wrong] = 2 * time.Second
	return p
}

// places are what the monitors are for a server, by agent.
func places(t testing.TB, p *simulation.Pool, name string) (is map[string]pool.Status, count map[pool.Status]int) {
	t.Helper()
	ctx := context.Background()
	image, _, err := p.Store.LoadServer(ctx, server(t, p, name).ID, p.Now())
	if err != nil {
		t.Fatal(err)
	}
	agents := make(map[pool.MonitorID]string)
	roster, err := p.Store.LoadRoster(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range roster.Monitors {
		agents[m.ID] = m.Agent
	}
	is, count = make(map[string]pool.Status), make(map[pool.Status]int)
	for _, pair := range image.Pairs {
		if agent, known := agents[pair.Monitor]; known {
			is[agent] = pair.Status
			count[pair.Status]++
		}
	}
	return is, count
}

// run is a large pool from its beginning; a third on its way one agent goes away.
func (s selectionRun) run(t *testing.T) *simulation.Pool {
	t.Helper()
	p := largePool(t, s)
	run(t, p, threeDays/3/s.faster)
	p.Agent(lost).Crash()
	run(t, p, threeDays*2/3/s.faster)
	return p
}

// In three days selection finds of fourteen monitors the seven that are active and the five that are tested, for each of
// four new servers; those that are always wrong or aren't there any more end outside. No round on the way breaks a
// promise (the simulation looks at each), and the same seed gives the same run.
func TestSelectionFindsTheMonitorsThatAServerNeeds(t *testing.T) {
	t.Parallel()
	runs := []selectionRun{{seed: 1, faster: 2}}
	if !underRace {
		runs = append(runs, selectionRun{seed: 1, faster: 1}, selectionRun{seed: 2, faster: 1})
	}
	for _, s := range runs {
		t.Run(fmt.Sprintf("seed %d, %d times as fast", s.seed, s.faster), func(t *testing.T) {
			t.Parallel()
			p := s.run(t)
			for i := range 4 {
				name := fmt.Sprint("server-", i)
				is, count := places(t, p, name)
				if count[pool.Active] != 7 || count[pool.Testing] != 5 || is[wrong] != pool.Candidate || is[lost] != pool.Candidate {
					t.Errorf("%s: %v", name, is)
				}
				if have := score(t, p, name); have < 19 {
					t.Errorf("%s: its score is %.1f", name, have)
				}
			}
			if !underRace && s.faster > 1 && s.run(t).Hash() != p.Hash() {
				t.Error("the same seed gave another run")
			}
		})
	}
}

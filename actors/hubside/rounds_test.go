package hubside_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// unrest is a server whose monitors and images change all the time, while the database is slow or away.
type unrest struct {
	*rig
	agents []string
	most   int // how many were active at once
}

func newUnrest(t *testing.T, config world.Config) *unrest {
	r := newRig(t, config)
	settings := pool.DefaultSettings()
	settings.Lab, settings.IntervalActive = true, 5*time.Second // a review each 11 or 33 s
	r.must(r.db.SetSettings(t.Context(), "test", settings))
	for account := range 3 {
		_, err := r.db.EnsureAccount(t.Context(), "test", fmt.Sprint("account ", account))
		r.must(err)
	}
	r.addServers(1)
	r.preset(1, r.crowd(14, pool.Testing)...)
	u := &unrest{rig: r}
	for i := range 14 {
		u.agents = append(u.agents, fmt.Sprint("m", i))
	}
	r.start()
	return u
}

// disturb changes something.
func (u *unrest) disturb() {
	agent := u.agents[u.Faults.IntN(len(u.agents))]
	switch u.Faults.IntN(6) {
	case 0, 1:
		u.setStatus(agent, []pool.GlobalStatus{pool.GlobalActive, pool.GlobalActive, pool.GlobalPaused, pool.GlobalPending}[u.Faults.IntN(4)])
	case 2:
		account := pool.AccountID(u.Faults.IntN(4))
		u.setMonitor(agent, persistence.MonitorChange{Account: &account})
	case 3:
		addr := agentAddr(u.Faults.IntN(20))
		if u.Faults.IntN(4) == 0 {
			addr = serverAddr(1).Addr().Prev()
		}
		u.setMonitor(agent, persistence.MonitorChange{Addr: &addr})
	case 4:
		u.changed(1)
	case 5:
		u.store.wait = time.Duration(1+u.Faults.IntN(4000)) * time.Millisecond
		u.store.away = u.Faults.IntN(8) == 0
	}
}

// watch goes on for a while, and looks how many are active.
func (u *unrest) watch(d time.Duration) {
	u.run(d)
	u.most = max(u.most, strings.Count(u.statuses(1, u.agents...), string(pool.Active)))
}

// However changes of monitors, images and the database's pauses meet, each round is made of what the one before has
// left: what is published is, monitor by monitor, one unbroken chain from what was stored at first to what is in the end,
// and no two rounds together promote more than one may.
func TestEachRoundIsMadeOfWhatTheOneBeforeHasLeft(t *testing.T) {
	for _, policy := range []world.Policy{world.Random, world.FIFO, world.PCT} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("policy %d seed %d", policy, seed), func(t *testing.T) {
				t.Parallel()
				u := newUnrest(t, world.Config{Seed: seed, Policy: policy, StepTime: 100 * time.Microsecond})
				samples := u.listen()
				for range 120 {
					for range 1 + u.Faults.IntN(3) {
						u.disturb()
					}
					monitor := u.monitor(u.agents[u.Faults.IntN(len(u.agents))]).ID
					samples.ask(shardPath(1), goodSamples(monitor, u.Now(), 16))
					u.watch(time.Duration(u.Faults.IntN(20_000)) * time.Millisecond)
				}
				u.store.away, u.store.wait = false, 2*time.Millisecond
				u.run(time.Minute)
				u.wantChains()
				if u.most < 3 || u.most > 7 {
					t.Errorf("at most %d were active at once", u.most)
				}
				if len(u.halted) > 0 || u.logged("actor panicked") > 0 {
					t.Errorf("the hub halted %q, or an actor panicked", u.halted)
				}
			})
		}
	}
}

// wantChains holds what was published to what is stored.
func (u *unrest) wantChains() {
	u.Helper()
	is := make(map[string]string)
	for _, agent := range u.agents {
		is[agent] = string(pool.Testing)
	}
	moves := u.selections(1)
	for i, move := range moves {
		agent, change, _ := strings.Cut(move, " ")
		from, to, _ := strings.Cut(change, "→")
		if is[agent] != from || from == to {
			u.Errorf("change %d is %s, it was %s; before: %q", i, move, is[agent], moves[max(0, i-5):i])
		}
		is[agent] = to
	}
	for _, agent := range u.agents {
		u.wantStatuses(1, is[agent], agent)
	}
	if len(moves) < 20 {
		u.Errorf("there were but %d changes", len(moves))
	}
}

// A round that was made of what an image has replaced is dropped. One that was begun since is taken.
func TestRoundsOfAnEarlierViewAreDropped(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.hub.System.Root.Stop(r.pid(selectorPath(1))) // the test takes its place
	r.run(soon)
	plan := func(status pool.Status) {
		r.send(serverPath(1), &messages.Planned{
			Pairs:  []*messages.PairStatus{messages.FromPairStatus(pool.PairStatus{Monitor: r.monitor("paris").ID, Status: status})},
			Review: messages.FromReview(pool.Review{Last: r.Now(), Next: r.Now().Add(time.Hour)}),
		})
		r.run(soon)
	}
	plan(pool.Testing)
	paris.wantInterval(1, 45*time.Minute)
	r.changed(1)
	r.run(soon)
	plan(pool.Candidate)
	paris.wantInterval(1, 45*time.Minute)
	r.listen().ask(serverPath(1), &messages.Weigh{})
	plan(pool.Active)
	paris.wantInterval(1, 9*time.Minute)
}

// A hub that starts makes no round of its own: it waits for the review that is due. But what was changed while it was
// down and can't wait it does at once: who is new comes in, and who may not watch goes.
func TestStartMakesOnlyTheRoundThatCantWait(t *testing.T) {
	away := []string{"new", "moved", "paused"}
	for _, changed := range append(away, "nothing") {
		t.Run(changed, func(t *testing.T) {
			r := newRig(t, world.Config{})
			r.addServers(1)
			pairs := r.crowd(9, pool.Testing)
			r.preset(1, pairs...)
			r.start()
			samples := r.listen()
			for _, p := range pairs {
				samples.ask(shardPath(1), goodSamples(p.Monitor, r.Now(), 40))
			}
			r.run(time.Minute)
			r.hub.Crash()
			here, paused := serverAddr(1).Addr().Prev(), pool.GlobalPaused
			switch changed {
			case "new":
				r.addAgent("rome", pool.GlobalActive)
			case "moved":
				r.setMonitor("m8", persistence.MonitorChange{Addr: &here})
			case "paused":
				r.setMonitor("m8", persistence.MonitorChange{Status: &paused})
			}
			before := r.image(1).Review
			r.boot()
			r.start()
			r.run(time.Second)
			if have := r.image(1).Review.Last.After(before.Last); have != slices.Contains(away, changed) {
				t.Errorf("there was a round: %v", have)
			}
		})
	}
}

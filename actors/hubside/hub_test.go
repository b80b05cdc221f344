package hubside_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/hubside"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// A hub is ready when all its shards serve, once, also when one of them or the hub itself has started again meanwhile
// or does so later.
func TestHubIsReadyOnceWhenAllShardsServe(t *testing.T) {
	for _, fails := range []string{"", "hub/shard/1", "hub/shard/200", "hub/archivist", "hub"} {
		t.Run("fails "+fails, func(t *testing.T) {
			r := newRig(t, world.Config{})
			opened := 0
			r.store.hold = func(what string) bool {
				if strings.HasPrefix(what, "open") {
					opened++
				}
				return opened > 1 || opened == 1 && what != "open 1" // the first shard may come alone
			}
			r.spawn()
			r.run(time.Second)
			if fails != "" {
				r.fail(fails)
			}
			r.run(time.Minute)
			if r.ready != 0 {
				t.Error("ready before all shards serve")
			}
			r.store.release()
			r.run(time.Minute)
			if fails != "" {
				r.fail(fails)
			}
			r.run(time.Minute)
			if r.ready != 1 {
				t.Errorf("said %d times that it is ready", r.ready)
			}
		})
	}
}

// All shards are all of them: the hub isn't ready while one is still missing.
func TestHubWaitsForTheLastShard(t *testing.T) {
	r := newRig(t, world.Config{})
	for range 4 { // so often that it has to pause
		r.hub.PanicOn("hub/shard/200", func(message any) bool {
			_, is := message.(*actor.Started)
			return is
		})
	}
	r.spawn()
	r.run(500 * time.Millisecond)
	if r.ready != 0 {
		t.Error("ready without shard 200")
	}
	r.run(time.Second)
	if r.ready != 1 {
		t.Errorf("said %d times that it is ready", r.ready)
	}
}

// A name that is in use can't be given to the actors of a second hub.
func TestTwoHubsDontShareASystem(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	_, err := hubside.Spawn(hubside.Config{Node: &r.hub.Node, Ready: func() {}})
	if err == nil || !strings.HasPrefix(err.Error(), "start the hub's actors: ") {
		t.Errorf("have error %v", err)
	}
}

// A round of selection is asked for when it is due, and at once when the roster changes.
func TestRoundsAreAskedForWhenDue(t *testing.T) {
	r, _, _ := newPool(t, 1)
	first := r.image(1).Review
	r.run(first.Next.Sub(r.Now()) + time.Second)
	second := r.image(1).Review
	if second.Last.Before(first.Next) || !second.Change.Equal(first.Change) || second.Next.Sub(second.Last) != 20*time.Minute {
		t.Errorf("after the review %+v comes %+v", first, second)
	}
	r.addAgent("rome", pool.GlobalActive)
	r.run(time.Second)
	third := r.image(1).Review
	if r.Now().Sub(third.Change) > time.Second || third.Next.Sub(third.Last) != time.Hour {
		t.Errorf("after a new monitor the review is %+v at %s", third, r.Now())
	}
}

// A round that was lost is planned again: when the server starts anew, or when the next one is due.
func TestLostRoundsArePlannedAgain(t *testing.T) {
	for _, path := range []string{serverPath(1), selectorPath(1), scorePath(1)} {
		t.Run(path, func(t *testing.T) {
			r, _, _ := newPool(t, 1)
			r.store.hold = arrangement(1)
			r.addAgent("rome", pool.GlobalActive)
			r.addAgent("bern", pool.GlobalActive)
			r.run(time.Second)
			r.fail(path)
			r.run(time.Second)
			r.setStatus("bern", pool.GlobalTesting)
			r.run(time.Second)
			r.store.release()
			r.run(time.Minute)
			for _, agent := range []string{"rome", "bern"} {
				if have := r.pair(1, agent).Status; have != pool.Testing {
					t.Errorf("%s is %q", agent, have)
				}
			}
		})
	}
}

// So is one that couldn't be kept, a minute later.
func TestRefusedRoundsArePlannedAgain(t *testing.T) {
	r, _, _ := newPool(t, 1)
	r.store.spoil = func(pool.ServerCommit) error { return errors.New("no") }
	r.addAgent("rome", pool.GlobalActive)
	r.run(10 * time.Second)
	r.store.spoil = func(pool.ServerCommit) error { return nil }
	r.run(time.Minute)
	if have := r.pair(1, "rome").Status; have != pool.Testing {
		t.Errorf("rome is %q", have)
	}
}

// A server whose monitor was deleted while the hub was down takes its place away all the same.
func TestMonitorsDeletedMeanwhileLoseTheirPlaces(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	paris := r.addAgent("paris", pool.GlobalActive)
	r.preset(1, pool.PairStatus{Monitor: paris.ID, Status: pool.Active, Cadence: &pool.Cadence{Interval: time.Hour, Window: time.Minute}})
	r.setStatus("paris", pool.GlobalDeleted)
	r.start()
	r.run(time.Second)
	if p := r.pair(1, "paris"); p.Status != pool.Candidate || p.Cadence != nil {
		t.Errorf("stored is %+v", p)
	}
}

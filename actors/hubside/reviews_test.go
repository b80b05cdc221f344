package hubside_test

import (
	"errors"
	"testing"
	"time"

	"truechimer/pool"
	"truechimer/simulation/world"
)

// That agents were seen, or weren't, makes no round; the review that is due after an hour of silence takes it into account.
func TestWhoIsUnseenForAnHourIsOutAtTheNextReview(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	pairs := r.crowd(7, pool.Active)
	r.preset(1, pairs...)
	r.start()
	seen := func(ids ...pool.PairStatus) {
		for _, p := range ids {
			r.must(r.db.Seen(t.Context(), []pool.AgentSeen{{Monitor: p.Monitor, Seen: r.Now()}}))
		}
	}
	seen(pairs...)
	last := r.Now()
	r.store.asked = nil
	for r.pair(1, "m0").Status == pool.Active && r.Now().Sub(last) < 3*time.Hour {
		r.run(time.Minute)
		seen(pairs[1:]...)
	}
	if review := r.image(1).Review; review.Last.Sub(last) < time.Hour || review.Last.Sub(last) > 85*time.Minute {
		t.Errorf("it was out %s after it was seen", review.Last.Sub(last))
	}
	r.wantStatuses(1, "testing active active active active active active", "m0", "m1", "m2", "m3", "m4", "m5", "m6")
	if n := len(r.store.questions(arrangement(1))); n > 5 {
		t.Errorf("%d arrangements were kept in four reviews", n)
	}
	if n := len(r.store.questions(is("load roster"))); n < 12 {
		t.Errorf("the roster was read %d times", n)
	}
}

// It isn't held against agents that nobody looked: neither while the hub was down, nor while the database is away.
func TestNobodyIsOutSinceNobodyLooked(t *testing.T) {
	for _, test := range []struct {
		name  string
		blind func(r *rig)
	}{
		{"the hub is down", func(r *rig) { r.hub.Crash(); r.run(5 * time.Hour); r.boot(); r.spawn() }},
		{"the database is away", func(r *rig) { r.store.away = true; r.run(5 * time.Hour); r.store.away = false }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, world.Config{})
			r.addServers(1)
			pairs := r.crowd(7, pool.Active)
			r.preset(1, pairs...)
			r.start()
			for _, p := range pairs {
				r.must(r.db.Seen(t.Context(), []pool.AgentSeen{{Monitor: p.Monitor, Seen: r.Now()}}))
			}
			r.run(6 * time.Minute)
			test.blind(r)
			r.run(10 * time.Second)
			r.wantStatuses(1, "active active active active active active active", "m0", "m1", "m2", "m3", "m4", "m5", "m6")
		})
	}
}

// In a lab, where all is probed every few seconds, reviews come as often as that is faster, and no more often:
// also where nothing can be kept.
func TestReviewsOfALabArePaced(t *testing.T) {
	const pace = 20 * time.Minute * 5 / (9 * 60) // an active interval of 5 s instead of 9 min
	r := newRig(t, world.Config{})
	settings := pool.DefaultSettings()
	settings.Lab, settings.IntervalActive, settings.Spacing = true, 5*time.Second, 0
	r.must(r.db.SetSettings(t.Context(), "test", settings))
	r.addServers(1)
	r.preset(1, r.crowd(7, pool.Active)...)
	r.start()
	if review := r.image(1).Review; review.Next.Sub(review.Last).Round(time.Millisecond) != pace.Round(time.Millisecond) {
		t.Errorf("the next review is in %s, want %s", review.Next.Sub(review.Last), pace)
	}
	r.store.asked = nil
	r.run(9 * time.Minute)
	if n := len(r.store.questions(arrangement(1))); n < 46 || n > 49 {
		t.Errorf("there were %d reviews in nine minutes", n)
	}
	r.store.spoil = func(pool.ServerCommit) error { return errors.New("no") }
	r.run(time.Minute)
	r.store.asked = nil
	r.run(9 * time.Minute)
	if n := len(r.store.questions(arrangement(1))); n < 8 || n > 10 {
		t.Errorf("there were %d reviews in nine minutes in which none could be kept", n)
	}
}

// What becomes a lab while it runs is reviewed at its pace from then on.
func TestALabsPaceHoldsAtOnce(t *testing.T) {
	r, _, _ := newPool(t, 1)
	before := r.image(1).Review
	settings := pool.DefaultSettings()
	settings.Lab, settings.IntervalActive, settings.Spacing = true, 5*time.Second, 0
	r.must(r.db.SetSettings(t.Context(), "test", settings))
	r.run(time.Minute)
	if now := r.image(1).Review; !now.Last.After(before.Last) || now.Next.Sub(now.Last) > time.Minute {
		t.Errorf("the review is %+v", now)
	}
}

// A lab that is slower than the rest of the world isn't reviewed less often.
func TestReviewsAreNeverPutOffByPace(t *testing.T) {
	r := newRig(t, world.Config{})
	settings := pool.DefaultSettings()
	settings.Lab, settings.IntervalActive = true, 20*time.Minute
	r.must(r.db.SetSettings(t.Context(), "test", settings))
	r.addServers(1)
	r.start()
	if review := r.image(1).Review; review.Next.Sub(review.Last) != 20*time.Minute {
		t.Errorf("the next review is in %s", review.Next.Sub(review.Last))
	}
}

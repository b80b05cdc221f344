package hubside_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/schedule"
	"truechimer/simulation/world"
)

// A monitor is told its place when that is on disk, so that no restart gives it to another one meanwhile.
func TestPlaceIsKeptBeforeItIsTold(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = arrangement(2)
	_, _, err := r.db.AddServer(t.Context(), "test", pool.Server{Addr: serverAddr(2)})
	r.must(err)
	r.run(10 * time.Second)
	paris.wantServers(1)
	r.store.release()
	r.run(soon)
	paris.wantServers(1, 2)
	order, stored := paris.order(2).Assignment, r.pair(2, "paris")
	order.Cadence.Seed = 0
	if stored.Cadence == nil || *stored.Cadence != order.Cadence || stored.Status != order.Status {
		t.Errorf("stored %v %v, told %v %v", stored.Status, stored.Cadence, order.Status, order.Cadence)
	}
}

// An arrangement that was kept is told, also by a server that has started again since, or whose shard has.
func TestArrangementThatNobodyHeardOfIsTold(t *testing.T) {
	for _, path := range []string{serverPath(1), shardPath(1), archivistPath} {
		t.Run(path, func(t *testing.T) {
			r, paris, _ := newPool(t, 1)
			r.store.hold = arrangement(1)
			r.must(r.db.RemoveServer(t.Context(), "test", 1, r.Now()))
			r.run(time.Second)
			r.fail(path)
			r.run(soon)
			r.store.release()
			r.run(20 * time.Second)
			paris.wantServers()
		})
	}
}

// From its day of deletion on a server isn't probed any more; one that is added again is.
func TestServerPastItsDeletionIsNotProbed(t *testing.T) {
	r := newRig(t, world.Config{Start: time.Date(2026, 3, 1, 23, 50, 0, 0, time.UTC)})
	r.addServers(2)
	r.addAgent("paris", pool.GlobalActive)
	r.start()
	paris := r.joined("paris")
	r.must(r.db.RemoveServer(t.Context(), "test", 1, r.Now()))
	r.run(time.Second)
	paris.wantServers(2)
	r.must(r.db.RemoveServer(t.Context(), "test", 2, r.Now().Add(time.Hour))) // at midnight
	r.run(9 * time.Minute)
	paris.wantServers(2)
	r.run(2 * time.Minute)
	paris.wantServers()
	_, _, err := r.db.AddServer(t.Context(), "test", pool.Server{Addr: serverAddr(1)})
	r.must(err)
	r.run(time.Second)
	paris.wantServers(1)
}

// What becomes of a monitor's orders when its global status changes.
func TestOrdersFollowTheGlobalStatus(t *testing.T) {
	for _, test := range []struct {
		is       pool.Status
		from, to pool.GlobalStatus
		interval time.Duration // 0: it has no order
	}{
		{pool.Active, pool.GlobalActive, pool.GlobalActive, 9 * time.Minute},
		{pool.Active, pool.GlobalActive, pool.GlobalPending, 45 * time.Minute}, // it is testing now, and keeps work for that
		{pool.Active, pool.GlobalActive, pool.GlobalTesting, 45 * time.Minute},
		{pool.Active, pool.GlobalActive, pool.GlobalPaused, 0},
		{pool.Active, pool.GlobalActive, pool.GlobalDeleted, 0},
		{pool.Active, pool.GlobalPending, pool.GlobalPending, 0},
		{pool.Testing, pool.GlobalPending, pool.GlobalActive, 45 * time.Minute},
		{pool.Testing, pool.GlobalTesting, pool.GlobalTesting, 45 * time.Minute},
		{pool.Testing, pool.GlobalTesting, pool.GlobalPending, 0},                // selection has taken it away
		{pool.Candidate, pool.GlobalPaused, pool.GlobalActive, 45 * time.Minute}, // the first one to be testing
	} {
		t.Run(fmt.Sprintf("%s, %s to %s", test.is, test.from, test.to), func(t *testing.T) {
			r := newRig(t, world.Config{})
			r.addServers(1)
			r.preset(1,
				pool.PairStatus{Monitor: r.addAgent("oslo", pool.GlobalActive).ID, Status: pool.Active},
				pool.PairStatus{Monitor: r.addAgent("paris", test.from).ID, Status: test.is})
			r.start()
			paris := r.joined("paris")
			r.setStatus("paris", test.to)
			r.run(time.Second)
			if test.interval == 0 {
				paris.wantServers()
			} else {
				paris.wantInterval(1, test.interval)
			}
			if have := r.pair(1, "paris").Cadence != nil; have != (test.interval != 0) {
				t.Errorf("stored with a place: %v", have)
			}
			if last := paris.told[len(paris.told)-1]; last.Terms.Status != string(test.to) {
				t.Errorf("told as global status %s", last.Terms.Status)
			}
		})
	}
}

// A pending monitor gets no work, though it has a status for the server.
func TestPendingMonitorGetsNoNewWork(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	r.preset(1, pool.PairStatus{Monitor: r.addAgent("paris", pool.GlobalPending).ID, Status: pool.Testing})
	r.start()
	r.joined("paris").wantServers()
}

// New settings hold at once.
func TestIntervalsFollowTheSettings(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	settings := pool.DefaultSettings()
	settings.IntervalActive = 5 * time.Minute
	r.must(r.db.SetSettings(t.Context(), "test", settings))
	r.run(time.Second)
	paris.wantInterval(1, 5*time.Minute)
}

// While a server has no active monitor its testing ones do the active ones' work.
func TestTestingMonitorsStandInForActiveOnes(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	paris := r.addAgent("paris", pool.GlobalActive)
	r.preset(1, pool.PairStatus{Monitor: paris.ID, Status: pool.Testing})
	r.start()
	a := r.joined("paris")
	a.wantInterval(1, 9*time.Minute)
	oslo := r.addAgent("oslo", pool.GlobalActive)
	r.must(r.db.ApplyRound(t.Context(), "test", 1, []pool.PairStatus{{Monitor: oslo.ID, Status: pool.Active}}, r.image(1).Review))
	r.run(time.Second)
	a.wantInterval(1, 45*time.Minute)
	r.setStatus("oslo", pool.GlobalPaused)
	r.run(time.Second)
	a.wantInterval(1, 9*time.Minute)
}

// Of many candidates twenty are probed at a time, others each day. Who is active is no candidate.
func TestCandidatesTakeTurnsDaily(t *testing.T) {
	r := newRig(t, world.Config{Start: time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC)})
	r.addServers(1)
	var agents []string
	for i := range 35 { // five of them become testing
		agents = append(agents, fmt.Sprintf("a%d", i))
		r.addAgent(agents[i], pool.GlobalActive)
	}
	r.start()
	turn := func() (probed []pool.MonitorID) {
		var all []pool.MonitorID
		for _, agent := range agents {
			p := r.pair(1, agent)
			if p.Status != pool.Candidate {
				continue
			}
			all = append(all, p.Monitor)
			if p.Cadence != nil {
				probed = append(probed, p.Monitor)
			}
		}
		slices.Sort(probed)
		want := schedule.CandidatesOfTheDay(all, r.Now().Unix()/86400)
		if len(all) != 30 || !slices.Equal(probed, want) {
			t.Errorf("at %s of %d candidates %v are probed, want %v", r.Now(), len(all), probed, want)
		}
		return probed
	}
	first := turn()
	r.run(90 * time.Minute)
	if second := turn(); slices.Equal(first, second) {
		t.Error("the next day it is the same ones")
	}
}

// A monitor whose score of a server is at the bottom and still falling probes it every two hours, also after a start;
// until the server answers it well again. In a lab it goes on as before.
func TestCondemnedServersAreProbedRarely(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	deny := func() {
		r.Helper()
		s := paris.sample(0)
		s.Offset, s.Stratum, s.Kiss = nil, 0, pool.KissDeny
		paris.submit(paris.evidence(1, s))
		r.run(time.Second)
	}
	for r.pair(1, "paris").Score > -90 {
		paris.wantInterval(1, 9*time.Minute)
		deny()
	}
	const two = 2*time.Hour - 2*time.Hour%(9*time.Minute) // whole cycles
	paris.wantInterval(1, two)
	r.fail(serverPath(1))
	r.run(time.Second)
	paris.wantInterval(1, two)

	settings := pool.DefaultSettings()
	settings.Lab = true
	r.must(r.db.SetSettings(t.Context(), "test", settings))
	r.run(time.Second)
	paris.wantInterval(1, 9*time.Minute)
	r.must(r.db.SetSettings(t.Context(), "test", pool.DefaultSettings()))
	r.run(time.Second)
	paris.wantInterval(1, two)

	paris.watch(1)
	r.run(time.Second)
	paris.wantInterval(1, 9*time.Minute)
}

// An arrangement that can't be kept is tried again from the store after a minute, however often something else happens
// that would change it, and is told when it can.
func TestRefusedArrangementWaitsAMinute(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.spoil = func(c pool.ServerCommit) error {
		if len(c.Rows) == 0 {
			return errors.New("no such status")
		}
		return nil
	}
	r.setStatus("paris", pool.GlobalPaused)
	for range 20 { // each of these looks at the arrangement
		location := r.Now().String()
		r.setMonitor("oslo", persistence.MonitorChange{Location: &location})
		r.run(2 * time.Second)
	}
	r.store.asked = nil
	r.run(10 * time.Minute)
	if n := len(r.store.questions(arrangement(1))); n < 10 || n > 22 {
		t.Errorf("asked %d times in ten minutes, want a timetable and a round a minute", n)
	}
	paris.wantServers(1)
	r.store.spoil = func(pool.ServerCommit) error { return nil }
	r.run(time.Minute + time.Second)
	paris.wantServers()
}

// Whatever changes while an arrangement is being kept is arranged after it.
func TestChangesWaitForTheArrangementUnderWay(t *testing.T) {
	r, paris, oslo := newPool(t, 1)
	r.store.hold = arrangement(1)
	r.setStatus("paris", pool.GlobalPaused)
	r.run(time.Second)
	r.setStatus("oslo", pool.GlobalTesting)
	r.run(time.Second)
	r.store.release()
	r.run(soon)
	paris.wantServers()
	oslo.wantInterval(1, 45*time.Minute)
}

// A status that others have stored, and that isn't one, counts as paused, and is stored no more.
func TestUnknownStatusCountsAsPaused(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	paris := r.addAgent("paris", pool.GlobalActive)
	r.preset(1, pool.PairStatus{
		Monitor: paris.ID, Status: pool.Active, Cadence: &pool.Cadence{Interval: time.Hour, Window: time.Minute}, LastCheck: r.Now(),
	})
	r.store.edit = func(image *pool.ServerImage) {
		for i := range image.Pairs {
			if image.Pairs[i].Monitor == paris.ID {
				image.Pairs[i].Status = "odd"
			}
		}
	}
	r.start()
	r.joined("paris").wantServers()
	if have := r.pair(1, "paris").Status; have != pool.Paused {
		t.Errorf("stored as %q", have)
	}
}

// A server's samples go on counting while it is arranged anew: news of an image don't touch its scores.
func TestImageIsOnlyNewsToAScore(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	old := messages.FromServerImage(r.image(1))
	paris.watch(1)
	r.run(soon)
	r.send(scorePath(1), &messages.ServerLoaded{ServerId: 1, Image: old})
	paris.watch(1)
	r.run(soon)
	r.wantStored(1, 2)
	r.audit(1)
}

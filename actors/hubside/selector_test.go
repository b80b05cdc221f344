package hubside_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// crowd adds agents, named m0 and up, and returns what their monitors are for a server when each is the same.
func (r *rig) crowd(n int, status pool.Status) (pairs []pool.PairStatus) {
	r.Helper()
	for i := range n {
		pairs = append(pairs, pool.PairStatus{Monitor: r.addAgent(fmt.Sprint("m", i), pool.GlobalActive).ID, Status: status})
	}
	return pairs
}

// statuses are what the monitors of agents are for a server, as in "active testing -".
func (r *rig) statuses(server int, agents ...string) string {
	r.Helper()
	var words string
	for i, agent := range agents {
		if i > 0 {
			words += " "
		}
		if status := r.pair(server, agent).Status; status != "" {
			words += string(status)
		} else {
			words += "-"
		}
	}
	return words
}

// wantStatuses compares what the monitors of agents are for a server.
func (r *rig) wantStatuses(server int, want string, agents ...string) {
	r.Helper()
	if have := r.statuses(server, agents...); have != want {
		r.Errorf("server %d: %v are %s, want %s", server, agents, have, want)
	}
}

// A review comes when it is due, not before; none of what goes on between reviews costs a round.
func TestBetweenReviewsNothingIsPlanned(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	first := r.image(1).Review
	r.store.asked = nil
	r.run(first.Next.Sub(r.Now()) - time.Second)
	paris.watch(1)
	location := "in a cellar"
	r.setMonitor("paris", persistence.MonitorChange{Location: &location})
	r.run(999 * time.Millisecond)
	if have := r.image(1).Review; have != first {
		t.Errorf("the review is %+v, was %+v", have, first)
	}
	if n := len(r.store.questions(arrangement(1))); n > 0 {
		t.Errorf("%d arrangements were kept", n)
	}
	r.run(time.Second)
	if have := r.image(1).Review; !have.Last.After(first.Last) {
		t.Errorf("the review is still %+v", have)
	}
}

// A change of a monitor's global status, account or address, or of its account's limit, makes a round at once;
// whatever else is changed of it or of anybody makes none.
func TestWhatMakesARoundAtOnce(t *testing.T) {
	elsewhere, beside, here := netip.MustParseAddr("20.250.0.7"), agentAddr(1), serverAddr(1).Addr().Prev()
	one, owner, location := 1, pool.AccountID(1), "in a cellar"
	testing_, paused := pool.GlobalTesting, pool.GlobalPaused
	set := func(change persistence.MonitorChange) func(*rig) {
		return func(r *rig) { r.setMonitor("m0", change) }
	}
	for _, test := range []struct {
		name   string
		change func(*rig)
		round  bool
		want   string // of m0, m1 and m2
	}{
		{"global status", set(persistence.MonitorChange{Status: &paused}), true, "candidate active active"},
		{"account, the server's", set(persistence.MonitorChange{Account: &owner}), true, "paused active active"},
		{"address, beside the server", set(persistence.MonitorChange{Addr: &here}), true, "paused active active"},
		{"address, beside another", set(persistence.MonitorChange{Addr: &beside}), true, "active testing active"},
		{"the account's limit", func(r *rig) {
			r.must(r.db.SetAccount(t.Context(), "test", 2, persistence.AccountChange{MonitorsPerServerLimit: &one}))
		}, true, "active testing active"},
		{"a status that moves nobody", set(persistence.MonitorChange{Status: &testing_}), false, "active active active"},
		{"an address that moves nobody", set(persistence.MonitorChange{Addr: &elsewhere}), false, "active active active"},
		{"location", set(persistence.MonitorChange{Location: &location}), false, "active active active"},
		{"settings", func(r *rig) {
			settings := pool.DefaultSettings()
			settings.Spacing = time.Minute
			r.must(r.db.SetSettings(t.Context(), "test", settings))
		}, false, "active active active"},
		{"the server", func(r *rig) { r.changed(1) }, false, "active active active"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, world.Config{})
			for _, name := range []string{"owner", "others"} {
				_, err := r.db.EnsureAccount(t.Context(), "test", name)
				r.must(err)
			}
			_, _, err := r.db.AddServer(t.Context(), "test", pool.Server{Addr: serverAddr(1), Account: 1})
			r.must(err)
			pairs := r.crowd(3, pool.Active)
			for _, agent := range []string{"m0", "m1"} {
				others := pool.AccountID(2)
				r.setMonitor(agent, persistence.MonitorChange{Account: &others})
			}
			r.preset(1, pairs...)
			r.start()
			r.run(time.Minute)
			before := r.image(1).Review
			test.change(r)
			r.run(time.Second)
			if have := r.image(1).Review.Last.After(before.Last); have != test.round {
				t.Errorf("there was a round: %v", have)
			}
			r.wantStatuses(1, test.want, "m0", "m1", "m2")
		})
	}
}

// The first monitor of a server makes its beginning at once, and so does the first server of a monitor.
func TestFirstMonitorMakesABeginningAtOnce(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	r.start()
	r.run(5 * time.Minute)
	r.addAgent("paris", pool.GlobalActive)
	r.run(time.Second)
	r.wantStatuses(1, "testing", "paris")
	r.addServers(2)
	r.run(time.Second)
	r.wantStatuses(2, "testing", "paris")
	r.joined("paris").wantServers(1, 2)
}

// A new monitor becomes a candidate of every server that it may watch, and of no other: a pending one of none,
// until it is let in.
func TestNewcomersAreWelcomedWhereTheyMayWatch(t *testing.T) {
	r := newRig(t, world.Config{})
	owner, err := r.db.EnsureAccount(t.Context(), "test", "owner")
	r.must(err)
	home := netip.MustParseAddrPort("20.99.16.123:123")
	for _, s := range []pool.Server{
		{Addr: serverAddr(1)}, {Addr: home}, {Addr: serverAddr(3), Account: owner}, {Addr: serverAddr6(4)},
	} {
		_, _, err := r.db.AddServer(t.Context(), "test", s)
		r.must(err)
	}
	testing := r.crowd(5, pool.Testing) // so that nobody is needed at once
	for server := 1; server <= 4; server++ {
		r.preset(server, testing...)
	}
	r.start()
	v4 := pool.Monitor{Version: pool.IPv4, Addr: home.Addr().Next(), Account: owner, Status: pool.GlobalPending}
	v6 := pool.Monitor{Version: pool.IPv6, Addr: netip.MustParseAddr("2a00::7"), Account: owner, Status: pool.GlobalTesting}
	r.addAgentOf(pool.Agent{Name: "rome", Account: owner}, v4, v6)
	r.run(time.Second)
	for server := 1; server <= 4; server++ {
		r.wantStatuses(server, "-", "rome")
	}
	image := r.image(4)
	if last := image.Pairs[len(image.Pairs)-1]; last.Monitor != r.monitor("rome").ID+1 || last.Status != pool.Candidate {
		t.Errorf("the IPv6 monitor is %+v for the IPv6 server", last)
	}
	r.setStatus("rome", pool.GlobalTesting)
	r.run(time.Second)
	for server, want := range []string{1: "candidate", 2: "-", 3: "-", 4: "-"} {
		if want != "" {
			r.wantStatuses(server, want, "rome")
		}
	}
}

// Who would judge its own loses the work within a second, and what is stored says why and since when.
func TestPausingTakesTheWorkAwayWithinASecond(t *testing.T) {
	r, paris, oslo := newPool(t, 2)
	r.run(time.Minute)
	paris.wantServers(1, 2)
	here := serverAddr(1).Addr().Prev()
	r.setMonitor("paris", persistence.MonitorChange{Addr: &here})
	moved := r.Now()
	r.run(time.Second)
	paris.wantServers() // both servers are of that /24
	oslo.wantServers(1, 2)
	p := r.pair(1, "paris")
	if p.Status != pool.Paused || p.PauseReason != "constraint" || p.Violation != "network_same_subnet" ||
		p.ViolationSince.Sub(moved) < 0 || p.ViolationSince.Sub(moved) > time.Second || p.Cadence != nil {
		t.Errorf("stored is %+v", p)
	}
}

// A violation is on record since it was found, however many rounds find it again, until none does.
func TestViolationsAreStoredWithSince(t *testing.T) {
	r, _, _ := newPool(t, 1)
	beside := r.monitor("paris").Addr.Next()
	r.setMonitor("oslo", persistence.MonitorChange{Addr: &beside})
	moved := r.Now()
	r.run(time.Second)
	first := r.pair(1, "oslo")
	if first.Status != pool.Testing || first.Violation != "network_diversity" || first.ViolationSince.Sub(moved) > time.Second {
		t.Errorf("stored is %+v", first)
	}
	r.run(time.Hour)
	again := r.pair(1, "oslo")
	if again.Status != pool.Candidate || again.Violation != first.Violation || !again.ViolationSince.Equal(first.ViolationSince) {
		t.Errorf("stored is %+v, was %+v", again, first)
	}
	r.run(time.Hour)
	if gone := r.pair(1, "oslo"); gone.Violation != "" || !gone.ViolationSince.IsZero() {
		t.Errorf("stored is %+v", gone)
	}
}

// A monitor that is deleted leaves at once, and a server that only such ones watched has none.
func TestDeletedMonitorsLeave(t *testing.T) {
	r, paris, oslo := newPool(t, 1)
	r.setStatus("paris", pool.GlobalDeleted)
	r.setStatus("oslo", pool.GlobalDeleted)
	r.run(time.Second)
	r.wantStatuses(1, "candidate candidate", "paris", "oslo")
	paris.wantServers()
	oslo.wantServers()
}

// An account whose flags can't be read has the default limit.
func TestUnreadableFlagsLeaveTheDefaultLimit(t *testing.T) {
	r := newRig(t, world.Config{})
	owner, err := r.db.EnsureAccount(t.Context(), "test", "owner")
	r.must(err)
	r.addServers(1)
	var pairs []pool.PairStatus
	for i := range 3 {
		pairs = append(pairs, pool.PairStatus{Status: pool.Active, Monitor: r.addAgentOf(
			pool.Agent{Name: fmt.Sprint("m", i), Account: owner},
			pool.Monitor{Version: pool.IPv4, Addr: agentAddr(i), Account: owner, Status: pool.GlobalActive},
		).ID})
	}
	r.store.judge = func(roster *pool.Roster) {
		for i := range roster.Accounts {
			roster.Accounts[i].Flags = "not JSON"
		}
	}
	r.preset(1, pairs...)
	r.start()
	r.run(time.Second)
	r.wantStatuses(1, "active active testing", "m0", "m1", "m2")
	if p := r.pair(1, "m2"); p.Violation != "limit" {
		t.Errorf("the third is stored as %+v", p)
	}
}

// An account that isn't in the roster has the default limit too.
func TestUnknownAccountsHaveTheDefaultLimit(t *testing.T) {
	r, _, _ := newPool(t, 1)
	r.store.judge = func(roster *pool.Roster) {
		for i := range roster.Monitors {
			roster.Monitors[i].Account = 99
		}
	}
	r.addAgent("rome", pool.GlobalActive)
	r.run(time.Second)
	r.wantStatuses(1, "active active testing", "paris", "oslo", "rome")
}

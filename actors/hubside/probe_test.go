package hubside_test

import (
	"slices"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/ticket"
	"truechimer/simulation/world"
)

// An agent that keeps its link always has two hours in hand, less the ten minutes between two looks.
func TestTicketsAreRenewedInTime(t *testing.T) {
	r, paris, _ := newPool(t, 2)
	for range 15 {
		r.run(20 * time.Minute)
		if left := paris.order(1).Grant.Until.Sub(r.Now()); left < ticket.RenewBefore-10*time.Minute-time.Second {
			t.Errorf("after %s the order lives for %s more", r.Since(), left)
		}
	}
	if n := len(paris.told); n > 6 {
		t.Errorf("told %d times in 5 h", n)
	}
	batch := paris.watch(1)
	r.run(soon)
	paris.wantAnswers(batch, "stored")
}

// manyOrders has an agent's actor be told more orders than any message takes.
func manyOrders(t *testing.T) (*rig, *agent) {
	t.Helper()
	r := newRig(t, world.Config{})
	r.addAgent("paris", pool.GlobalActive)
	r.start()
	for server := range 10_000 {
		r.assign("paris", 1+server, 9*time.Minute)
	}
	r.run(soon)
	return r, r.joined("paris")
}

// wantChunks wants all orders in messages of a bounded size, of which only the last one may say that these are all.
func wantChunks(t *testing.T, told []*messages.Assignments, whole bool, sizeOf func(*messages.Assignments) int) {
	t.Helper()
	n := 0
	for i, m := range told {
		if sizeOf(m) > 500 {
			t.Errorf("message %d has %d orders", i, sizeOf(m))
		}
		if m.Whole != (whole && i == len(told)-1) {
			t.Errorf("message %d of %d: whole is %v", i, len(told), m.Whole)
		}
		n += sizeOf(m)
	}
	if n != 10_000 || len(told) != 20 {
		t.Errorf("told %d orders in %d messages", n, len(told))
	}
}

// However many orders there are, they go in messages of 500: when they are said, renewed, and given up because
// no server has said them for three hours.
func TestOrdersGoInBoundedMessages(t *testing.T) {
	set := func(m *messages.Assignments) int { return len(m.Set) }
	r, paris := manyOrders(t)
	wantChunks(t, paris.told, true, set)

	second := r.joined("paris") // is told everything
	wantChunks(t, second.told, true, set)

	second.told = nil
	r.run(2*time.Hour + 10*time.Minute)
	wantChunks(t, second.told, false, set)

	second.told = nil
	r.run(time.Hour)
	wantChunks(t, second.told, false, func(m *messages.Assignments) int { return len(m.Dropped) })
	second.wantServers()
}

// A server says its orders again every hour, so those that hold are never given up.
func TestOrdersThatAreConfirmedAreKept(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.assign("paris", 77, time.Hour) // no server says this one again
	r.run(2*time.Hour + 59*time.Minute)
	paris.wantServers(1, 77)
	r.run(12 * time.Minute)
	paris.wantServers(1)
}

// What is taken back while nobody can tell the agent is told later, over the same link too: by then its probe is
// another one, which doesn't know what the one before has ordered.
func TestOrdersTakenBackMeanwhileAreDropped(t *testing.T) {
	for _, test := range []struct{ name, fails, slow string }{
		{"probe", probePath("paris"), "nothing"},
		{"monitor", monitorPath("paris"), "nothing"},
		{"shard", agentShardPath("paris"), "nothing"},
		{"probe that never knew of it", probePath("paris"), "load agent paris"},
		{"monitor that never knew of it", monitorPath("paris"), "load agent paris"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, paris, _ := newPool(t, 3)
			r.store.fails = is(test.slow)
			r.fail(test.fails)
			r.run(soon) // the session hasn't said yet where it is
			r.must(r.db.RemoveServer(t.Context(), "test", 2, r.Now()))
			r.run(5 * time.Second)
			r.store.fails = is("nothing")
			r.run(16 * time.Second)
			paris.wantServers(1, 3)
		})
	}
}

// How a monitor works is told when it changes, without its orders, and not again when it doesn't.
func TestTermsAreToldWhenTheyChange(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	paris.told = nil
	r.setMonitor("paris", persistence.MonitorChange{Config: &pool.MonitorConfig{Samples: 5, BaseChecks: []string{"ntp.example"}}})
	r.run(time.Second)
	if len(paris.told) != 1 || paris.told[0].Terms.Samples != 5 || len(paris.told[0].Set) > 0 || paris.told[0].Whole {
		t.Fatalf("told %v", paris.told)
	}
	settings := pool.DefaultSettings()
	settings.Spacing = 21 * time.Second
	settings.IntervalCandidate = 3 * time.Hour // is nothing to it
	r.must(r.db.SetSettings(t.Context(), "test", settings))
	r.run(time.Second)
	spacings := make(map[uint64]bool)
	for _, m := range paris.told[1:] {
		spacings[m.Terms.SpacingMs] = true
	}
	if !spacings[21_000] || len(spacings) != 1 {
		t.Errorf("told spacings in ms: %v", spacings)
	}
	said := len(paris.told)
	location := "elsewhere"
	r.setMonitor("paris", persistence.MonitorChange{Location: &location})
	r.setMonitor("oslo", persistence.MonitorChange{Config: &pool.MonitorConfig{Samples: 2}})
	r.run(time.Second)
	if len(paris.told) != said {
		t.Errorf("told again: %v", paris.told[said:])
	}
}

// Nobody has ever probed a new server: one monitor may do so at once. That is told once, over one link.
func TestNewServerIsProbedAtOnceByOne(t *testing.T) {
	r, paris, oslo := newPool(t, 1)
	first := paris
	if !first.order(1).Assignment.AtOnce {
		first = oslo
	}
	if !first.order(1).Assignment.AtOnce || paris.order(1).Assignment.AtOnce && oslo.order(1).Assignment.AtOnce {
		t.Errorf("at once: paris %v, oslo %v", paris.order(1).Assignment.AtOnce, oslo.order(1).Assignment.AtOnce)
	}
	if second := r.joined(first.name); second.order(1).Assignment.AtOnce {
		t.Error("told over the next link too")
	}
	r.setStatus("paris", pool.GlobalPaused)
	r.setStatus("oslo", pool.GlobalPaused)
	r.addAgent("rome", pool.GlobalActive)
	r.run(time.Second)
	if r.joined("rome").order(1).Assignment.AtOnce {
		t.Error("told to another one later")
	}
}

// Leave to probe at once isn't wasted on a link that has ended.
func TestLeaveToProbeAtOnceWaitsForTheNextLink(t *testing.T) {
	r, paris, oslo := newPool(t, 1)
	paris.close()
	oslo.close()
	r.run(soon)
	r.addServers(2)
	r.run(time.Second)
	paris, oslo = r.joined("paris"), r.joined("oslo")
	if paris.order(2).Assignment.AtOnce == oslo.order(2).Assignment.AtOnce {
		t.Errorf("at once: paris %v, oslo %v", paris.order(2).Assignment.AtOnce, oslo.order(2).Assignment.AtOnce)
	}
}

// An agent with a monitor of each IP version has a probe for each: neither is told the other's servers.
func TestEachIPVersionHasItsOwnOrders(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(2)
	six := pool.Server{Addr: serverAddr6(3)}
	_, _, err := r.db.AddServer(t.Context(), "test", six)
	r.must(err)
	r.addAgent("paris", pool.GlobalActive, pool.Monitor{Version: pool.IPv6, Status: pool.GlobalActive})
	r.start()
	paris := r.joined("paris")
	told := make(map[uint32][]uint32)
	for _, m := range paris.told {
		for _, order := range m.Set {
			told[m.IpVersion] = append(told[m.IpVersion], order.ServerId)
		}
	}
	slices.Sort(told[4])
	if !slices.Equal(told[4], []uint32{1, 2}) || !slices.Equal(told[6], []uint32{3}) {
		t.Errorf("told %v", told)
	}
}

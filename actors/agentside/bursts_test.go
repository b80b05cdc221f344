package agentside_test

import (
	"net/netip"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// crowd orders first probes of so many servers, all of them silent, at once, and no others within an hour.
func (r *rig) crowd(servers int) {
	later := func(a *pool.Assignment) { a.Start = r.Now().Add(time.Hour) }
	var orders []*messages.Assignment
	for id := range uint32(servers) {
		o := r.order(id+1, cadence(id+1, 2*time.Hour, time.Minute), atOnce, later)
		r.servers[r.server(id+1)].silent = true
		orders = append(orders, o)
	}
	for len(orders) > 0 {
		n := min(len(orders), 500)
		r.now().assign(pool.IPv4, false, orders[:n]...)
		orders = orders[n:]
	}
}

// No more than 10,000 probes go at once; a thousand more wait for their turn, and the rest is left out.
func TestProbesAtOnceAreBounded(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.crowd(12_000)
	started := r.Now()
	r.run(time.Second)
	probed := make(map[netip.AddrPort]bool)
	for _, q := range r.queries {
		if q.at.After(started) {
			probed[q.server] = true
		}
	}
	if n := len(probed); n != 10_000 {
		t.Errorf("want 10,000 probes at once, have %d", n)
	}
	r.run(30 * time.Second)
	if n := len(r.stored); n != 11_000 {
		t.Errorf("want 11,000 samples in the end, have %d", n)
	}
	if n := r.Reached("burst skipped"); n != 1000 {
		t.Errorf("want 1,000 probes left out, have %d", n)
	}
}

// A probe that fails is lost, asks its server no more, and gives its place to others.
func TestFailedBurstGivesItsPlaceBack(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.agent.PanicNext("agent/bursts/burst/2") // 1 was that of the reference
	r.crowd(10_001)
	r.run(time.Minute)
	if n := r.Reached("burst failed"); n != 1 {
		t.Fatalf("want one probe failed, have %d", n)
	}
	if n := len(r.stored); n != 10_000 {
		t.Errorf("want the samples of all others, 10,000, have %d", n)
	}
	queries := make(map[netip.AddrPort]int)
	for _, q := range r.queries {
		queries[q.server]++
	}
	short := 0
	for id := range uint32(10_001) {
		if queries[r.server(id+1)] < 3 {
			short++
		}
	}
	if short != 1 {
		t.Errorf("want one server asked less than 3 times, have %d", short)
	}
}

// A server whose probe was lost is probed again after a while.
func TestLostProbeIsGivenUp(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, time.Minute, 10*time.Second)))
	r.start()
	r.run(10 * time.Minute)
	r.agent.PanicOn("agent/bursts", func(message any) bool {
		_, is := message.(*messages.Burst)
		return is
	})
	r.run(10 * time.Minute)
	before := r.storedOf(1)
	r.run(10 * time.Minute)
	if n := r.storedOf(1) - before; n < 9 {
		t.Errorf("want 10 samples in 10 min, have %d", n)
	}
}

// A process that stood still in the middle of a probe ends it with what it has: the server's time is over.
func TestStaleBurstIsCutShort(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.now().assign(pool.IPv4, false, r.order(1, cadence(1, 2*time.Hour, time.Minute), atOnce))
	r.run(time.Second)
	r.agent.Pause()
	r.run(30 * time.Second)
	r.agent.Resume()
	r.run(5 * time.Minute)
	queries := 0
	for _, q := range r.queries {
		if q.server == r.server(1) {
			queries++
		}
	}
	if queries != 1 || r.storedOf(1) != 1 {
		t.Errorf("want one query and its sample, have %d and %d", queries, r.storedOf(1))
	}
}

package agentside_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/actors/agentside"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/schedule"
	"truechimer/pool/ticket"
	"truechimer/simulation/world"
)

// moments are those at which a cadence probes between two times.
func moments(c pool.Cadence, from, until time.Time) (all []time.Time) {
	for at := schedule.Next(c, from); !at.After(until); at = schedule.Next(c, at) {
		all = append(all, at)
	}
	return all
}

// Every server is probed at each moment of its cadence, to the millisecond, and at no other time.
func TestEveryDueProbeGoesInItsWindow(t *testing.T) {
	const servers = 60
	r := newRig(t, world.Config{})
	var orders []*messages.Assignment
	for id := range uint32(servers) {
		orders = append(orders, r.order(id+1, cadence(id+1, nine, 20*time.Second)))
	}
	r.give(orders...)
	r.start()
	r.run(10 * time.Second) // until the clock is checked
	from := r.Now()
	r.run(3 * time.Hour)
	until := r.Now().Add(-time.Second)

	for id := range uint32(servers) {
		var have []time.Time
		for _, at := range r.probesOf(r.server(id + 1)) {
			if at.After(from) && !at.After(until) {
				have = append(have, at.Truncate(time.Millisecond))
			}
		}
		want := moments(cadence(id+1, nine, 20*time.Second), from, until)
		for i := range want {
			want[i] = want[i].Truncate(time.Millisecond)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("server %d: %s", id+1, diff)
		}
	}
}

// A probe has as many queries as the terms say, each from the address that they name.
func TestTermsShapeTheProbe(t *testing.T) {
	r := newRig(t, world.Config{})
	r.terms[pool.IPv4].Samples = 5
	r.terms[pool.IPv4].NatIp = "192.0.2.9"
	r.give(r.order(1, cadence(1, nine, time.Minute)))
	r.start()
	r.run(20 * time.Minute)
	probes := len(r.probesOf(r.server(1)))
	queries := 0
	for _, q := range r.queries {
		if q.local != netip.MustParseAddr("192.0.2.9") {
			t.Fatalf("a query left from %s", q.local)
		}
		if q.server == r.server(1) {
			queries++
		}
	}
	if probes == 0 || queries != 5*probes {
		t.Errorf("want 5 queries a probe, have %d in %d", queries, probes)
	}
}

// An agent that is cut off goes on with the orders it has until their life is over, and keeps what it finds.
func TestOrdersLiveOnWithoutALink(t *testing.T) {
	r := newRig(t, world.Config{})
	order := r.order(1, cadence(1, nine, time.Minute))
	r.give(order)
	r.start()
	r.run(time.Minute)
	r.closed = true
	r.now().hang(nil)
	r.run(8 * time.Hour)
	r.orders = nil
	r.closed = false
	r.run(5 * time.Minute)

	probes := r.probesOf(r.server(1))
	last := probes[len(probes)-1]
	end := time.Unix(order.UntilS, 0)
	if last.After(end) || end.Sub(last) > 2*nine {
		t.Errorf("want the last probe just before %s, have it at %s", end, last)
	}
	if want, have := len(probes), r.storedOf(1); want != have {
		t.Errorf("want all %d samples stored in the end, have %d", want, have)
	}
}

// Once a hub has said all its orders, what it hasn't said over this link isn't probed any more.
func TestUnsaidOrdersAreDropped(t *testing.T) {
	for seed := range uint64(20) { // the first orders may overtake the news of the link within the agent
		r := newRig(t, world.Config{Seed: seed})
		one, two, three := cadence(1, time.Minute, 10*time.Second), cadence(2, time.Minute, 10*time.Second), cadence(3, time.Minute, 10*time.Second)
		r.give(r.order(1, one), r.order(2, two))
		r.start()
		r.run(10 * time.Minute)
		r.onLink = func(s *session) {
			s.assign(pool.IPv4, false, r.order(2, two))
			s.assign(pool.IPv4, true, r.order(3, three))
		}
		r.now().hang(nil)
		r.run(4 * time.Second)
		r.run(5 * time.Second) // a probe under way ends
		before := len(r.queries)
		r.run(10 * time.Minute)
		probed := make(map[netip.AddrPort]bool)
		for _, q := range r.queries[before:] {
			probed[q.server] = true
		}
		if probed[r.server(1)] || !probed[r.server(2)] || !probed[r.server(3)] {
			t.Errorf("seed %d: want servers 2 and 3 probed, have %v", seed, probed)
		}
	}
}

// What a hub drops within a link is dropped at once, and nothing else.
func TestDroppedServerIsNotProbed(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, time.Minute, 10*time.Second)), r.order(2, cadence(2, time.Minute, 10*time.Second)))
	r.start()
	r.run(10 * time.Minute)
	r.now().tell("agent/probe/v4", &messages.Assignments{IpVersion: 4, MonitorId: 40, Dropped: []uint32{1, 77}})
	r.run(time.Second)
	one, two := len(r.probesOf(r.server(1))), len(r.probesOf(r.server(2)))
	r.run(10 * time.Minute)
	if n := len(r.probesOf(r.server(1))); n != one {
		t.Errorf("want no probes of server 1, have %d", n-one)
	}
	if n := len(r.probesOf(r.server(2))); n < two+9 {
		t.Errorf("want 10 probes of server 2, have %d", n-two)
	}
}

// The first probe of a new server goes at once, as soon as the clock is known to be fit.
func TestFirstProbeGoesAtOnce(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(500, cadence(500, 2*time.Hour, time.Minute), atOnce)) // its time is in 58 min
	r.start()
	r.run(10 * time.Second)
	if n := len(r.probesOf(r.server(500))); n != 1 {
		t.Errorf("want one probe within 10 s of the start, have %d", n)
	}
	r.now().assign(pool.IPv4, false, r.order(501, cadence(501, 2*time.Hour, time.Minute), atOnce))
	r.run(time.Second)
	if n := len(r.probesOf(r.server(501))); n != 1 {
		t.Errorf("want one probe within a second of the order, have %d", n)
	}
	r.run(30 * time.Minute)
	if one, two := len(r.probesOf(r.server(500))), len(r.probesOf(r.server(501))); one != 1 || two != 1 {
		t.Errorf("want no more before their time, have %d and %d", one, two)
	}
}

// A server is never probed again before its spacing is over, however often it is ordered, dropped and ordered again.
func TestSpacingIsKept(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	for range 60 {
		r.now().assign(pool.IPv4, true, r.order(1, cadence(1, nine, time.Minute), atOnce))
		r.run(time.Second)
		r.now().assign(pool.IPv4, true)
		r.run(time.Second)
	}
	var last time.Time
	probes := 0
	for _, q := range r.queries {
		if q.server != r.server(1) {
			continue
		}
		if gap := q.at.Sub(last); gap > 2500*time.Millisecond { // from a query of the same probe
			probes++
			if gap < 20*time.Second-4*time.Second-100*time.Millisecond {
				t.Errorf("a probe began %s after the last query of the one before", gap)
			}
		}
		last = q.at
	}
	if probes < 4 {
		t.Errorf("want a probe about every 20 s for 2 min, have %d", probes)
	}
}

// Without any spacing, as in a lab, a server still isn't probed twice at a time.
func TestOneProbeAtATime(t *testing.T) {
	r := newRig(t, world.Config{})
	r.terms[pool.IPv4].SpacingMs = 0
	r.give(r.order(1, cadence(1, time.Second, time.Second)))
	r.start()
	r.run(5 * time.Minute)
	var last time.Time
	queries := 0
	for _, q := range r.queries {
		if q.server == r.server(1) {
			queries++
			// A probe that has ended and the next one share no gap; those of one probe are 2 s apart.
			if gap := q.at.Sub(last); gap < 2*time.Second && queries%3 != 1 {
				t.Fatalf("query %d came %s after the one before", queries, gap)
			}
			last = q.at
		}
	}
	if queries < 100 {
		t.Errorf("want one probe after the other, have %d queries", queries)
	}
}

// What a monitor is globally decides whether it probes: a pending one keeps what it has, a paused one stops at once.
func TestStatusDecidesWhetherItProbes(t *testing.T) {
	for _, test := range []struct {
		status string
		probes bool
	}{
		{"active", true},
		{"testing", true},
		{"pending", true},
		{"paused", false},
		{"deleted", false},
		{"", false},
		{"no such word", false},
	} {
		t.Run(test.status, func(t *testing.T) {
			r := newRig(t, world.Config{})
			r.give(r.order(1, cadence(1, time.Minute, 10*time.Second)))
			r.start()
			r.run(10 * time.Minute)
			r.terms[pool.IPv4].Status = test.status
			r.now().assign(pool.IPv4, false)
			r.run(time.Second)
			before := len(r.probesOf(r.server(1)))
			r.run(10 * time.Minute)
			if probes := len(r.probesOf(r.server(1))) > before; probes != test.probes {
				t.Errorf("want probes %t, have %t", test.probes, probes)
			}
			r.terms[pool.IPv4].Status = "active"
			r.now().assign(pool.IPv4, false)
			before = len(r.probesOf(r.server(1)))
			r.run(3 * time.Minute)
			if len(r.probesOf(r.server(1))) == before {
				t.Error("want probes once it is active again")
			}
		})
	}
}

// No hub can have an address probed that isn't of the internet, unless the agent was started for a lab.
func TestPrivateAddressesAreRefused(t *testing.T) {
	addresses := []string{"127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.1.1", "224.0.1.1", "0.0.0.0", "255.255.255.255"}
	for _, allow := range []bool{false, true} {
		r := newRig(t, world.Config{})
		var orders []*messages.Assignment
		for i, text := range addresses {
			orders = append(orders, r.order(uint32(i+1), cadence(1, time.Minute, 10*time.Second), func(a *pool.Assignment) {
				a.Addr = netip.AddrPortFrom(netip.MustParseAddr(text), 123)
			}))
		}
		orders = append(orders, r.order(99, cadence(99, time.Minute, 10*time.Second)))
		r.give(orders...)
		r.start(func(c *agentside.Config) { c.AllowPrivate = allow })
		r.run(10 * time.Minute)
		for _, text := range addresses {
			probed := len(r.probesOf(netip.AddrPortFrom(netip.MustParseAddr(text), 123))) > 0
			if probed != allow {
				t.Errorf("%s: want probed %t, have %t", text, allow, probed)
			}
		}
		if len(r.probesOf(r.server(99))) == 0 {
			t.Error("want the others probed")
		}
	}
}

// A server that moves to an address which may not be probed isn't probed at its old one either.
func TestRefusedOrderVoidsTheOneBefore(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, time.Minute, 10*time.Second)))
	r.start()
	r.run(10 * time.Minute)
	r.now().assign(pool.IPv4, false, r.order(1, cadence(1, time.Minute, 10*time.Second), func(a *pool.Assignment) {
		a.Addr = netip.MustParseAddrPort("10.0.0.1:123")
	}))
	r.run(5 * time.Second) // a probe under way ends
	before := len(r.probesOf(r.server(1)))
	r.run(10 * time.Minute)
	if n := len(r.probesOf(r.server(1))) - before; n > 0 {
		t.Errorf("want no probes of the old address, have %d", n)
	}
}

// When the wall clock is set, the times of all probes follow it; until it is checked again there are none,
// no server is probed too soon, and none is forgotten.
func TestProbesFollowAClockThatIsSet(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour, 3 * time.Second, -3 * time.Second} {
		t.Run(step.String(), func(t *testing.T) {
			r := newRig(t, world.Config{})
			r.agent.StepClock(-step) // it will be set right
			ref := r.servers[netip.MustParseAddrPort("198.51.100.1:123")]
			ref.offset = -step // and thinks so already
			c := cadence(1, nine, 20*time.Second)
			r.give(r.order(1, c, func(*pool.Assignment) {}))
			r.orders[pool.IPv4][0].FromS -= 7200
			r.orders[pool.IPv4][0].UntilS += 7200
			r.mute = true // the tickets don't fit these times
			r.start()
			r.run(30 * time.Minute)
			r.agent.StepClock(step)
			ref.offset = 0
			set := r.Now()
			r.run(2 * time.Hour)

			var have []time.Time
			for _, at := range r.probesOf(r.server(1)) {
				if at.After(set.Add(nine)) {
					have = append(have, at.Truncate(time.Millisecond))
				}
			}
			want := moments(c, set.Add(nine), r.Now().Add(-time.Second))
			for i := range want {
				want[i] = want[i].Truncate(time.Millisecond)
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Error(diff)
			}
			if r.Reached("clock doubted") == 0 {
				t.Error("want the clock doubted")
			}
		})
	}
}

// A process that stood still leaves out what it missed: those times belong to others by now.
func TestMissedProbesAreLeftOut(t *testing.T) {
	r := newRig(t, world.Config{})
	var orders []*messages.Assignment
	for id := range uint32(20) {
		orders = append(orders, r.order(id+1, cadence(id+1, nine, 20*time.Second)))
	}
	r.give(orders...)
	r.start()
	r.run(20 * time.Minute)
	r.agent.Pause()
	r.run(time.Hour)
	r.agent.Resume()
	back := r.Now()
	before := len(r.queries)
	r.run(30 * time.Minute)

	for id := range uint32(20) {
		c := cadence(id+1, nine, 20*time.Second)
		for _, at := range r.probesOf(r.server(id + 1)) {
			if at.Before(back) {
				continue
			}
			due := schedule.Next(c, at.Add(-2*time.Second))
			if at.Before(due) || at.Sub(due) > 2*time.Second {
				t.Errorf("server %d was probed at %s, %s is its time", id+1, at, due)
			}
		}
	}
	if n := len(r.queries) - before; n < 3*20*3 {
		t.Errorf("want all servers probed again, have %d queries", n)
	}
}

// What a probe found carries the grant and the ticket of the order it was made under, and a hub takes it.
func TestEvidenceProvesItself(t *testing.T) {
	r := newRig(t, world.Config{})
	r.servers[r.server(2)].silent = true
	r.servers[r.server(3)].offset = 2 * time.Second
	r.give(r.order(1, cadence(1, nine, time.Minute)), r.order(2, cadence(2, nine, time.Minute)), r.order(3, cadence(3, nine, time.Minute)))
	r.start()
	r.run(ticket.Lifetime - time.Hour) // r.check fails the test for what isn't proved
	for id := range uint32(3) {
		if want, have := 19, r.storedOf(id+1); have < want {
			t.Errorf("server %d: want %d samples or more, have %d", id+1, want, have)
		}
	}
	for _, b := range r.now().batches {
		for _, e := range b.Evidence {
			s := e.Sample
			if e.ServerId == 2 != s.NoReply || e.ServerId == 3 && s.GetOffsetNs() != int64(2*time.Second) {
				t.Errorf("server %d: %v", e.ServerId, s)
			}
		}
	}
}

// A renewed order changes the ticket, and neither the time of the next probe nor anything else.
func TestRenewalKeepsTheTime(t *testing.T) {
	r := newRig(t, world.Config{})
	c := cadence(1, nine, time.Minute)
	r.give(r.order(1, c))
	r.start()
	r.run(10 * time.Second)
	from := r.Now()
	for range 6 * 60 {
		r.run(time.Minute)
		r.now().assign(pool.IPv4, false, r.order(1, c))
	}
	if want, have := len(moments(c, from, r.Now())), r.storedOf(1); have < want-1 {
		t.Errorf("want %d samples, have %d", want, have)
	}
	tickets := make(map[string]bool)
	for _, b := range r.now().batches {
		for _, e := range b.Evidence {
			tickets[string(e.Ticket)] = true
		}
	}
	if want, have := r.storedOf(1), len(tickets); have != want {
		t.Errorf("want each of %d samples under the newest ticket, have %d tickets", want, have)
	}
}

// Orders and terms that make no sense are left alone, one by one.
func TestMalformedOrdersAreLeftAlone(t *testing.T) {
	r := newRig(t, world.Config{})
	bad := r.order(2, cadence(2, time.Minute, 10*time.Second))
	bad.WindowMs = bad.IntervalMs + 1
	other := r.order(3, cadence(3, time.Minute, 10*time.Second))
	other.Ip = netip.MustParseAddr("2001:db8::1").AsSlice()
	r.give(r.order(1, cadence(1, time.Minute, 10*time.Second)), bad, other)
	r.start()
	r.run(time.Minute)
	r.terms[pool.IPv4] = &messages.Terms{Status: "paused", Samples: 99}
	r.now().assign(pool.IPv4, false)
	r.run(10 * time.Minute)
	if n := len(r.probesOf(r.server(1))); n < 10 {
		t.Errorf("want server 1 probed every minute, have %d", n)
	}
	for _, q := range r.queries {
		if q.server == r.server(2) || q.server.Addr().Is6() {
			t.Fatalf("%s was probed", q.server)
		}
	}
}

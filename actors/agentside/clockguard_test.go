package agentside_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// references makes these the references of the v4 monitor, each by the name ref1, ref2, ... with these addresses.
func (r *rig) references(addresses ...[]string) {
	var names []string
	for i, texts := range addresses {
		name := fmt.Sprintf("ref%d", i+1)
		names = append(names, name)
		for _, text := range texts {
			addr := netip.MustParseAddr(text)
			r.names[name] = append(r.names[name], addr)
			at := netip.AddrPortFrom(addr, 123)
			if r.servers[at] == nil {
				r.servers[at] = &ntpServer{stratum: 1}
			}
		}
	}
	r.terms[pool.IPv4].BaseChecks = names
}

// standing is what the newest pulse says of the v4 monitor.
func (r *rig) standing() *messages.MonitorPulse {
	r.Helper()
	pulses := r.now().pulses
	if len(pulses) == 0 || len(pulses[len(pulses)-1].Monitors) == 0 {
		r.Fatal("no pulse has come")
	}
	return pulses[len(pulses)-1].Monitors[0]
}

// While the clock is unfit no server is probed and the hub is told why; the references are asked again every 180 s,
// and within one more check after they hold again all goes on.
func TestUnfitClockTakesNoSamples(t *testing.T) {
	r := newRig(t, world.Config{})
	r.references([]string{"198.51.100.1"}, []string{"198.51.100.2"}, []string{"198.51.100.3"})
	r.servers[netip.MustParseAddrPort("198.51.100.1:123")].silent = true
	r.servers[netip.MustParseAddrPort("198.51.100.2:123")].offset = 11 * time.Millisecond
	r.give(r.order(1, cadence(1, time.Minute, 10*time.Second), atOnce))
	r.start()
	r.run(time.Hour)

	if n := len(r.probesOf(r.server(1))); n > 0 {
		t.Errorf("want no probes, have %d", n)
	}
	if s := r.standing(); s.Fit || !strings.Contains(s.Reason, "1 of 3 reference servers hold") {
		t.Errorf("want the hub told why, have %v", s)
	}
	if n := len(r.probesOf(netip.MustParseAddrPort("198.51.100.3:123"))); n != 20 {
		t.Errorf("want a reference asked every 180 s, 20 times, have %d", n)
	}

	r.servers[netip.MustParseAddrPort("198.51.100.1:123")].silent = false
	r.run(190 * time.Second)
	if n := len(r.probesOf(r.server(1))); n == 0 {
		t.Error("want probes")
	}
	if !r.standing().Fit {
		t.Errorf("want fit, have %v", r.standing())
	}
	if r.Reached("clock unfit") != 1 {
		t.Errorf("want it said once, have %d", r.Reached("clock unfit"))
	}
}

// A clock that goes wrong is found out within 180 s and the time of a check.
func TestClockGoingWrongIsFoundOut(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, 30*time.Second, 5*time.Second)))
	r.start()
	r.run(time.Hour)
	before := len(r.probesOf(r.server(1)))
	if before < 100 {
		t.Fatalf("want probes every 30 s, have %d", before)
	}
	r.servers[netip.MustParseAddrPort("198.51.100.1:123")].offset = time.Second
	r.run(200 * time.Second)
	before = len(r.probesOf(r.server(1)))
	r.run(time.Hour)
	if n := len(r.probesOf(r.server(1))) - before; n > 0 {
		t.Errorf("want no more probes, have %d", n)
	}
}

// Only references with an address of the IP version count, each by the first of them; no server is asked twice.
func TestReferencesCountByIPVersion(t *testing.T) {
	for _, test := range []struct {
		name       string
		references [][]string
		fit        bool
		reason     string
	}{
		{"v6 alone", [][]string{{"2001:db8::1"}}, false, "no reference server has an address"},
		{"none", nil, false, "no reference server has an address"},
		{"unknown name", [][]string{{}}, false, "no reference server has an address"},
		{"v6 doesn't count", [][]string{{"2001:db8::1"}, {"2001:db8::2"}, {"198.51.100.1"}}, true, ""},
		{"first v4", [][]string{{"2001:db8::1", "198.51.100.1", "203.0.113.66"}}, true, ""},
		{"one server twice", [][]string{{"203.0.113.66"}, {"198.51.100.1"}, {"198.51.100.1"}}, false, "1 of 2 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, world.Config{})
			r.references(test.references...)
			if dead := r.servers[netip.MustParseAddrPort("203.0.113.66:123")]; dead != nil {
				dead.silent = true
			}
			r.start()
			r.run(time.Minute)
			if s := r.standing(); s.Fit != test.fit || !strings.Contains(s.Reason, test.reason) {
				t.Errorf("want fit %t, %q; have %t, %q", test.fit, test.reason, s.Fit, s.Reason)
			}
			for _, q := range r.queries {
				if q.server.Addr().Is6() {
					t.Errorf("%s was asked by the v4 monitor", q.server)
				}
			}
		})
	}
}

// New references are asked at once, and a verdict on the old ones that comes late changes nothing.
func TestNewReferencesAreAskedAtOnce(t *testing.T) {
	r := newRig(t, world.Config{})
	r.references([]string{"198.51.100.7"})
	r.servers[netip.MustParseAddrPort("198.51.100.7:123")].silent = true
	r.start()
	r.run(5 * time.Second)
	r.terms[pool.IPv4].BaseChecks = []string{"ref", "not a host", ""}
	r.now().assign(pool.IPv4, true)
	r.run(6 * time.Second)
	if !r.standing().Fit {
		t.Errorf("want fit by the new reference, have %v", r.standing())
	}
	r.run(150 * time.Second)
	if !r.standing().Fit {
		t.Errorf("want fit still, have %v", r.standing())
	}
}

// Look-ups of references that are none any more change nothing, however late they come.
func TestLateLookUpsAreIgnored(t *testing.T) {
	r := newRig(t, world.Config{})
	r.names["slow"] = []netip.Addr{netip.MustParseAddr("203.0.113.66")} // silent
	r.slow = map[string]time.Duration{"slow": 8 * time.Second}
	r.terms[pool.IPv4].BaseChecks = []string{"slow"}
	r.start()
	r.run(time.Second)
	r.terms[pool.IPv4].BaseChecks = []string{"ref"}
	r.now().assign(pool.IPv4, true)
	r.run(time.Minute)
	if n := len(r.probesOf(netip.MustParseAddrPort("203.0.113.66:123"))); n > 0 {
		t.Errorf("want the old reference left alone, have %d probes", n)
	}
	if !r.standing().Fit {
		t.Errorf("want fit, have %v", r.standing())
	}
}

// A reference whose probe was lost counts as one that doesn't reply, a minute after the check began.
func TestCheckEndsWithoutALostProbe(t *testing.T) {
	r := newRig(t, world.Config{})
	r.references([]string{"198.51.100.1"}, []string{"198.51.100.2"}, []string{"198.51.100.3"})
	r.agent.PanicNext("agent/bursts/burst/2")
	r.start()
	r.run(50 * time.Second)
	if r.standing().Fit {
		t.Error("want the lost probe waited for")
	}
	r.run(15 * time.Second)
	if !r.standing().Fit {
		t.Errorf("want fit by 2 of 3, have %v", r.standing())
	}
}

// A clock that is set wrong takes no more samples, whether it happens before, in or after a check.
func TestClockSetWrongTakesNoMoreSamples(t *testing.T) {
	for _, after := range []time.Duration{2 * time.Second, 20 * time.Second, 182 * time.Second, 200 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			r := newRig(t, world.Config{})
			r.mute = true
			var orders []*messages.Assignment
			for id := range uint32(20) {
				orders = append(orders, r.order(id+1, cadence(id+1, 20*time.Second, 5*time.Second)))
			}
			r.give(orders...)
			r.start()
			r.run(after)
			r.agent.StepClock(time.Hour)
			r.run(5 * time.Second) // a probe under way ends
			before := len(r.queries)
			r.run(time.Hour)
			for _, q := range r.queries[before:] {
				if q.server != netip.MustParseAddrPort("198.51.100.1:123") {
					t.Fatalf("%s was probed at %s", q.server, q.at)
				}
			}
		})
	}
}

// Each IP version has a verdict of its own.
func TestEachIPVersionIsCheckedByItself(t *testing.T) {
	r := newRig(t, world.Config{})
	r.names["six"] = []netip.Addr{netip.MustParseAddr("2001:db8::1")} // silent
	r.terms[pool.IPv6] = &messages.Terms{Status: "active", BaseChecks: []string{"six"}, SpacingMs: 20_000}
	r.start()
	r.run(time.Minute)
	pulses := r.now().pulses
	last, err := messages.ToPulse(pulses[len(pulses)-1])
	if err != nil {
		t.Fatal(err)
	}
	if len(last) != 2 || !last[0].Fit || last[1].Fit {
		t.Errorf("want v4 fit and v6 not, have %v", last)
	}
}

// A clock guard that is gone for good gives no verdicts, and after a while no samples are taken.
func TestVerdictEndsWithoutAGuard(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, time.Minute, 10*time.Second)))
	r.start()
	r.run(10 * time.Minute)
	for range 200 {
		r.agent.PanicOn("agent/clockguard", func(any) bool { return true })
	}
	r.run(5 * time.Minute)
	before := len(r.probesOf(r.server(1)))
	r.run(30 * time.Minute)
	if n := len(r.probesOf(r.server(1))) - before; n > 0 {
		t.Errorf("want no probes, have %d", n)
	}
	if s := r.standing(); s.Fit || s.Reason != "no verdict on the clock" {
		t.Errorf("want the hub told why, have %v", s)
	}
}

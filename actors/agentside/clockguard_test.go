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

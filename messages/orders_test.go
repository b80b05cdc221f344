package messages

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/schedule"
	"truechimer/pool/ticket"
)

// grants draws any assignment that a hub may give.
func grants() *rapid.Generator[Granted] {
	return rapid.Custom(func(t *rapid.T) Granted {
		a := drawn[pool.Assignment]().Draw(t, "assignment")
		a.Server, a.Monitor = max(a.Server, 1), max(a.Monitor, 1)
		a.Addr = addrPorts().Filter(func(addr netip.AddrPort) bool {
			return addr.Addr().IsValid() && addr.Port() > 0
		}).Draw(t, "addr")
		a.Status = rapid.SampledFrom([]pool.Status{pool.Active, pool.Testing, pool.Candidate}).Draw(t, "status")
		a.Cadence = cadences().Draw(t, "cadence")
		from := rapid.Int64Range(earliest, latest-2).Draw(t, "from")
		until := rapid.Int64Range(from+1, latest-1).Draw(t, "until")
		return Granted{
			Assignment: a,
			Grant: ticket.Grant{
				Monitor: a.Monitor, Server: a.Server, Interval: a.Cadence.Interval,
				From: toSeconds(from), Until: toSeconds(until),
			},
			Ticket: rapid.SliceOfN(rapid.Byte(), 1, maxTicket).Draw(t, "ticket"),
		}
	})
}

// cadences draws those that a monitor can follow.
func cadences() *rapid.Generator[pool.Cadence] {
	return rapid.Custom(func(t *rapid.T) pool.Cadence {
		interval := rapid.Uint64Range(1, uint64(maxInterval.Milliseconds())).Draw(t, "interval")
		return pool.Cadence{
			Interval: toMillis(interval),
			Phase:    toMillis(rapid.Uint64Range(0, interval-1).Draw(t, "phase")),
			Window:   toMillis(rapid.Uint64Range(1, interval).Draw(t, "window")),
			Seed:     rapid.Uint64().Draw(t, "seed"),
		}
	})
}

// fromGranted makes the message of what was granted.
func fromGranted(g Granted) *Assignment { return FromAssignment(g.Assignment, g.Grant, g.Ticket) }

// An order reaches its monitor as the hub gave it, and the monitor can follow its cadence.
func TestAnOrderReachesItsMonitor(t *testing.T) {
	journey(grants(), fromGranted, func(m *Assignment) Granted {
		g, err := ToAssignment(m)
		if err != nil {
			t.Errorf("refused: %v", err)
			return Granted{}
		}
		schedule.Next(g.Assignment.Cadence, g.Grant.From) // panics where the cadence is none
		return g
	})(t)
}

// An order that nobody can follow is refused, and the error says what is wrong with it.
func TestAnOrderThatCannotBeFollowedIsRefused(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*Assignment)
		want  string
	}{
		{"no server", func(m *Assignment) { m.ServerId = 0 }, "no server"},
		{"no monitor", func(m *Assignment) { m.MonitorId = 0 }, "no monitor"},
		{"no address", func(m *Assignment) { m.Ip = nil }, "address of 0 bytes"},
		{"half an address", func(m *Assignment) { m.Ip = m.Ip[:2] }, "address of 2 bytes"},
		{"no port", func(m *Assignment) { m.Port = 0 }, "port 0"},
		{"port beyond the last", func(m *Assignment) { m.Port = 65536 + 123 }, "port 65659"},
		{"paused", func(m *Assignment) { m.Status = string(pool.Paused) }, "status"},
		{"unknown status", func(m *Assignment) { m.Status = "\x1b" }, "status"},
		{"no interval", func(m *Assignment) { m.IntervalMs = 0 }, "interval"},
		{"interval without end", func(m *Assignment) { m.IntervalMs = math.MaxUint64 }, "interval"},
		{"phase after the interval", func(m *Assignment) { m.PhaseMs = m.IntervalMs }, "phase"},
		{"no window", func(m *Assignment) { m.WindowMs = 0 }, "window"},
		{"window over the interval", func(m *Assignment) { m.WindowMs = m.IntervalMs + 1 }, "window"},
		{"starts before all time", func(m *Assignment) { m.StartUs = math.MinInt64 }, "start"},
		{"never starts", func(m *Assignment) { m.StartUs = math.MaxInt64 }, "start"},
		{"begins before all time", func(m *Assignment) { m.FromS = math.MinInt64 }, "life"},
		{"ends before it begins", func(m *Assignment) { m.UntilS = m.FromS }, "life"},
		{"never ends", func(m *Assignment) { m.UntilS = math.MaxInt64 }, "life"},
		{"no ticket", func(m *Assignment) { m.Ticket = nil }, "ticket of 0 bytes"},
		{"a ticket like a book", func(m *Assignment) { m.Ticket = make([]byte, maxTicket+1) }, "ticket of 61 bytes"},
	} {
		m := goodAssignment()
		if _, err := ToAssignment(m); err != nil {
			t.Fatalf("the good assignment is refused: %v", err)
		}
		row.spoil(m)
		if _, err := ToAssignment(m); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: want an error with %q, have %v", row.name, row.want, err)
		}
	}
	if _, err := ToAssignment(nil); err == nil {
		t.Error("no assignment at all: want an error")
	}
}

// A monitor's terms reach it as the hub set them.
func TestTermsReachTheMonitor(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) MonitorTerms {
		return MonitorTerms{
			Status: pool.GlobalStatus(texts().Draw(t, "status")),
			Config: pool.MonitorConfig{
				Samples:    rapid.IntRange(0, schedule.MaxQueries).Draw(t, "samples"),
				NatIP:      rapid.SampledFrom([]string{"", "10.1.2.3", "fd00::1"}).Draw(t, "nat_ip"),
				BaseChecks: rapid.SliceOfN(texts(), 0, maxReferences).Draw(t, "base_checks"),
			},
			Spacing: toMillis(rapid.Uint64Range(0, uint64(maxSpacing.Milliseconds())).Draw(t, "spacing")),
		}
	})
	journey(draw, fromTerms, func(m *Terms) MonitorTerms {
		terms, err := ToTerms(m)
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return terms
	})(t)
}

// fromTerms makes the message of terms.
func fromTerms(t MonitorTerms) *Terms {
	return FromTerms(pool.Monitor{Status: t.Status, Config: t.Config}, pool.Settings{Spacing: t.Spacing})
}

// A slip in a monitor's configuration doesn't cost it its terms: a burst has as many queries as one can have.
func TestABurstHasAsManyQueriesAsItCan(t *testing.T) {
	for samples, want := range map[int]int{-1: 0, 0: 0, 8: 8, 1000: 8} {
		have, err := ToTerms(fromTerms(MonitorTerms{Config: pool.MonitorConfig{Samples: samples}}))
		if err != nil || have.Config.Samples != want {
			t.Errorf("%d: want %d, have %d, %v", samples, want, have.Config.Samples, err)
		}
	}
}

// Terms that nobody can work by are refused.
func TestTermsThatNobodyCanWorkByAreRefused(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*Terms)
		want  string
	}{
		{"illegible status", func(m *Terms) { m.Status = "a\nb" }, "status"},
		{"nine queries", func(m *Terms) { m.Samples = 9 }, "9 queries"},
		{"a spacing without end", func(m *Terms) { m.SpacingMs = math.MaxUint64 }, "spacing"},
		{"no address to probe from", func(m *Terms) { m.NatIp = "eth0" }, `nat_ip "eth0"`},
		{"illegible address", func(m *Terms) { m.NatIp = "\n" }, "nat_ip can't"},
		{"too many references", func(m *Terms) { m.BaseChecks = make([]string, 65) }, "65 references"},
		{"a long reference", func(m *Terms) { m.BaseChecks[0] = strings.Repeat("a", 260) }, "reference has 260"},
	} {
		m := goodTerms()
		if _, err := ToTerms(m); err != nil {
			t.Fatalf("the good terms are refused: %v", err)
		}
		row.spoil(m)
		if _, err := ToTerms(m); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: want an error with %q, have %v", row.name, row.want, err)
		}
	}
}

// An agent's vitals reach the hub, whatever its clock guard has to say.
func TestVitalsReachTheHub(t *testing.T) {
	have, err := ToPulse(FromPulse([]Vitals{
		{Version: pool.IPv4, Fit: true, Assignments: 40, Spooled: 3},
		{Version: pool.IPv6, Reason: "no\nreply"},
	}))
	want := []Vitals{
		{Version: pool.IPv4, Fit: true, Assignments: 40, Spooled: 3},
		{Version: pool.IPv6, Reason: "no\ufffdreply"},
	}
	if diff := cmp.Diff(want, have); err != nil || diff != "" {
		t.Errorf("%v\nwant -, have +:\n%s", err, diff)
	}
}

// A pulse out of all measure tells nothing. TestAnAgentIsHeldToTheBounds has the cases.
func TestABadPulseIsRefused(t *testing.T) {
	have, err := ToPulse(&Pulse{Monitors: []*MonitorPulse{{IpVersion: 5}}})
	if err == nil || have != nil {
		t.Errorf("want an error, have %+v", have)
	}
}

// Whatever bytes a hub sends for an order, it is refused or can be followed.
func FuzzToAssignment(f *testing.F) {
	f.Add(encode(f, goodAssignment()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		m := new(Assignment)
		if proto.Unmarshal(wire, m) != nil {
			return
		}
		g, err := ToAssignment(m)
		if err != nil {
			return
		}
		schedule.Next(g.Assignment.Cadence, g.Grant.Until) // panics where the cadence is none
		again, err := ToAssignment(fromGranted(g))
		if diff := cmp.Diff(g, again, same()); err != nil || diff != "" {
			t.Errorf("not the same when sent again: %v %s", err, diff)
		}
	})
}

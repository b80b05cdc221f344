package lab_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/agentnode/ntp"
	"truechimer/pool"
	"truechimer/simulation/lab"
)

// start runs a lab for the length of a test.
func start(tb testing.TB, options lab.Options) *lab.Lab {
	tb.Helper()
	l, err := lab.Start(options)
	if err != nil {
		tb.Fatalf("start a lab: %v", err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Errorf("close the lab: %v", err)
		}
	})
	return l
}

// silence is how long a test waits for a server that may not answer: long beside a round trip over loopback, on
// a busy machine too.
const silence = 500 * time.Millisecond

// ahead demands time that is off by no more than the way there and back explains.
func ahead(want time.Duration) func(pool.Sample) error {
	return func(s pool.Sample) error {
		if !s.Valid() || s.Warning != "" || s.Stratum != 1 || s.Leap != pool.LeapNone {
			return errors.New("want a valid sample of a synchronised stratum 1 server without a warning")
		}
		if (*s.Offset - want).Abs() > *s.RTT/2+s.Precision {
			return fmt.Errorf("offset %s, want %s give or take %s", *s.Offset, want, *s.RTT/2+s.Precision)
		}
		return nil
	}
}

// The client tells each behaviour for what it is, over real sockets.
func TestTheClientTellsEachBehaviour(t *testing.T) {
	demand := func(want string, ok func(pool.Sample) bool) func(pool.Sample) error {
		return func(s pool.Sample) error {
			if !ok(s) {
				return errors.New("want " + want)
			}
			return nil
		}
	}
	kiss := func(code pool.Kiss) func(pool.Sample) error {
		return demand("kiss "+string(code), func(s pool.Sample) bool {
			return s.Kiss == code && s.Offset == nil && s.RTT != nil && s.Error == "" && !s.NoReply
		})
	}
	broken := func(why string) func(pool.Sample) error {
		return demand("an error: "+why, func(s pool.Sample) bool {
			return strings.Contains(s.Error, why) && s.Offset == nil && s.Kiss == "" && !s.NoReply
		})
	}
	rows := []struct {
		behaviour lab.Behaviour
		check     func(pool.Sample) error
	}{
		{lab.Good, ahead(0)},
		{lab.Offset40ms, ahead(40 * time.Millisecond)},
		{lab.Offset2s, ahead(-2 * time.Second)},
		{lab.Unsynchronised, demand("leap 3 with an offset", func(s pool.Sample) bool {
			return s.Valid() && s.Leap == pool.LeapUnknown && s.Stratum == 1
		})},
		{lab.KissRate, kiss(pool.KissRate)},
		{lab.KissDeny, kiss(pool.KissDeny)},
		{lab.Silent, demand("no reply", func(s pool.Sample) bool { return s.NoReply && s.RTT == nil && s.Error == "" })},
		{lab.Stratum0, demand("stratum 0 and neither kiss nor error", func(s pool.Sample) bool {
			return s.Stratum == 0 && s.RTT != nil && s.Offset == nil && s.Kiss == "" && s.Error == "" && !s.NoReply
		})},
		{lab.Stratum16, demand("stratum 16", func(s pool.Sample) bool { return s.Stratum == 16 && s.Valid() })},
		{lab.Malformed, broken("malformed")},
		{lab.Mismatched, broken("origin timestamp")},
		{lab.Garbage, broken("a reply")},
	}
	for _, row := range rows {
		t.Run(string(row.behaviour), func(t *testing.T) {
			t.Parallel()
			l := start(t, lab.Options{Behaviours: []lab.Behaviour{row.behaviour}})
			client := ntp.New(ntp.Options{Timeout: silence})
			sample := client.Query(t.Context(), l.Servers()[0].Addr, netip.MustParseAddr("127.0.0.1"))
			if err := row.check(sample); err != nil {
				t.Errorf("%v, have %+v", err, sample)
			}
		})
	}
}

// The drifting server's clock runs away from the lab's start on, by a millisecond a second.
func TestTheClientSeesTheDrift(t *testing.T) {
	before := time.Now()
	l := start(t, lab.Options{Behaviours: []lab.Behaviour{lab.Drifting}})
	client, tick := ntp.New(ntp.Options{}), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	const enough = 200 * time.Microsecond // a fifth of a second's worth, and far above the noise on loopback
	for most := time.Duration(0); most < 100*enough; <-tick.C {
		sample := client.Query(t.Context(), l.Servers()[0].Addr, netip.Addr{})
		most = time.Since(before) / 1000
		if !sample.Valid() || *sample.Offset > most+*sample.RTT/2+sample.Precision {
			t.Fatalf("want an offset of at most %s, have %+v", most, sample)
		}
		if *sample.Offset > enough {
			return
		}
	}
	t.Fatal("the clock doesn't drift")
}

// The lossy server answers, and doesn't.
func TestTheClientSeesTheLoss(t *testing.T) {
	l := start(t, lab.Options{Behaviours: []lab.Behaviour{lab.Lossy}})
	client := ntp.New(ntp.Options{Timeout: 20 * time.Millisecond})
	const most = 40 // all answered or all dropped: once in 700 million runs, and never with this seed
	seen := make(map[bool]int)
	for range most {
		seen[client.Query(t.Context(), l.Servers()[0].Addr, netip.Addr{}).NoReply]++
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("%d replies, %d drops, want some of each", seen[false], seen[true])
	}
}

// Each server of the default list has a name and an address of its own, the same at every start.
func TestTheDefaultListKeepsItsPlaces(t *testing.T) {
	var have []string
	for _, s := range start(t, lab.Options{Extra: 256}).Servers() {
		have = append(have, fmt.Sprintf("%s %s %s", s.Addr.Addr(), s.Behaviour, s.Name))
	}
	want := []string{
		"127.0.1.1 good good-1",
		"127.0.1.2 good good-2",
		"127.0.1.3 good good-3",
		"127.0.1.4 offset-40ms offset-40ms",
		"127.0.1.5 offset-2s offset-2s",
		"127.0.1.6 unsynchronised unsynchronised",
		"127.0.1.7 kiss-rate kiss-rate",
		"127.0.1.8 silent silent",
		"127.0.1.9 drifting drifting",
		"127.0.1.10 lossy lossy",
		"127.0.2.1 good extra-1",
	}
	if diff := cmp.Diff(want, have[:len(want)]); diff != "" {
		t.Errorf("servers (-want +have):\n%s", diff)
	}
	if last, want := have[len(have)-1], "127.0.3.2 good extra-256"; last != want {
		t.Errorf("last server %q, want %q", last, want)
	}
	slices.Sort(have)
	if unique := slices.Compact(slices.Clone(have)); len(unique) != len(have) {
		t.Errorf("%d servers, %d of them different", len(have), len(unique))
	}
}

// A lab that can't have its port says so in a sentence, and leaves nothing running.
func TestATakenPortIsNamed(t *testing.T) {
	squatter, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.1.2:0")))
	if err != nil {
		t.Fatalf("take the second server's place: %v", err)
	}
	defer squatter.Close()
	taken := squatter.LocalAddr().(*net.UDPAddr).AddrPort()
	l, err := lab.Start(lab.Options{Behaviours: []lab.Behaviour{lab.Good, lab.Silent}, Port: taken.Port()})
	if l != nil || !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("want no lab and an address in use, have %v, %v", l, err)
	}
	if !strings.HasPrefix(err.Error(), fmt.Sprintf("start lab server silent: %s is taken", taken)) {
		t.Errorf("error %q doesn't name server and address", err)
	}
	first := netip.AddrPortFrom(netip.MustParseAddr("127.0.1.1"), taken.Port())
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(first))
	if err != nil {
		t.Fatalf("the lab that didn't start still has an address: %v", err)
	}
	conn.Close()
}

// A lab is refused that has more servers than addresses, or one that nobody knows.
func TestAnImpossibleLabIsRefused(t *testing.T) {
	rows := []struct {
		name    string
		options lab.Options
		want    string
	}{
		{"too many", lab.Options{Behaviours: slices.Repeat([]lab.Behaviour{lab.Good}, 255)}, "255 servers"},
		{"too many extra ones", lab.Options{Extra: 254*254 + 1}, "64517 extra ones"},
		{"fewer than none", lab.Options{Extra: -1}, "-1 extra ones"},
		{"unheard of", lab.Options{Behaviours: []lab.Behaviour{"melting"}}, "no such behaviour"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if l, err := lab.Start(row.options); l != nil || err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("have %v, %v, want an error with %q", l, err, row.want)
			}
		})
	}
}

// Closing gives the addresses back, so that the next lab stands in the same place; closing again does nothing.
func TestACloseGivesTheAddressesBack(t *testing.T) {
	l := start(t, lab.Options{Behaviours: []lab.Behaviour{lab.Good}})
	place := l.Servers()[0].Addr
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	again := start(t, lab.Options{Behaviours: []lab.Behaviour{lab.Good}, Port: place.Port()})
	if have := again.Servers()[0].Addr; have != place {
		t.Errorf("at %s, want %s", have, place)
	}
}

// BenchmarkThousandServers asks a thousand servers by turns, from as many clients as there are processors.
func BenchmarkThousandServers(b *testing.B) {
	const crowd = 1000
	servers := start(b, lab.Options{Behaviours: []lab.Behaviour{}, Extra: crowd}).Servers()
	client := ntp.New(ntp.Options{})
	var turn atomic.Uint64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			server := servers[turn.Add(1)%crowd]
			if sample := client.Query(b.Context(), server.Addr, netip.Addr{}); !sample.Valid() {
				b.Errorf("%s: %+v", server.Name, sample)
			}
		}
	})
}

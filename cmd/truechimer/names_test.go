package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/persistence"
	"truechimer/pool"
)

// The ways in which people write a server.
func TestAServerIsWrittenInManyWays(t *testing.T) {
	tests := []struct {
		text string
		host string
		port uint16 // 0: none
		bad  bool
	}{
		{text: "192.0.2.1", host: "192.0.2.1"},
		{text: "192.0.2.1:1123", host: "192.0.2.1", port: 1123},
		{text: "[192.0.2.1]:1123", host: "192.0.2.1", port: 1123},
		{text: "2001:db8::1", host: "2001:db8::1"},
		{text: "[2001:db8::1]", host: "2001:db8::1"},
		{text: "[2001:db8::1]:1123", host: "2001:db8::1", port: 1123},
		{text: "2001:DB8::0001", host: "2001:DB8::0001"},
		{text: "::ffff:192.0.2.1", host: "::ffff:192.0.2.1"},
		{text: "fe80::1%eth0", host: "fe80::1%eth0"},
		{text: "time.example.org", host: "time.example.org"},
		{text: "time.example.org.", host: "time.example.org"},
		{text: "time.example.org:1123", host: "time.example.org", port: 1123},
		{text: "localhost:65535", host: "localhost", port: 65535},
		{text: "", bad: true},
		{text: ".", bad: true},
		{text: "..", bad: true},
		{text: "time..example.org", bad: true},
		{text: "zeit.m\u00fcnchen.example", bad: true},
		{text: "\x1b[2J", bad: true},
		{text: ":", bad: true},
		{text: ":123", bad: true},
		{text: "time.example.org:", bad: true},
		{text: "time.example.org:0", bad: true},
		{text: "time.example.org:65536", bad: true},
		{text: "time.example.org:ntp", bad: true},
		{text: "time.example.org:+1", bad: true},
		{text: "ntp://time.example.org", bad: true},
		{text: "time.example.org/", bad: true},
		{text: "two words", bad: true},
		{text: "[2001:db8::1", bad: true},
		{text: "2001:db8::1]", bad: true},
		{text: "[]:123", bad: true},
		{text: "2001:db8::xyz", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			host, port, err := splitServer(tt.text)
			if host != tt.host || port != tt.port || (err != nil) != tt.bad {
				t.Errorf("want %q and %d, have %q and %d (%v)", tt.host, tt.port, host, port, err)
			}
		})
	}
}

// Whatever is typed, it is a host without a trace of its port, or a mistake in one line.
func FuzzSplitServer(f *testing.F) {
	for _, seed := range []string{"192.0.2.1", "[2001:db8::1]:123", "a:1", ":", "[", "a.b.:65536", "\x00", "é:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		host, _, err := splitServer(text)
		if err != nil {
			if strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("%q: more than a line: %v", text, err)
			}
			return
		}
		if host == "" || strings.HasSuffix(host, ".") {
			t.Errorf("%q: host %q", text, host)
		}
		if _, err := netip.ParseAddr(host); err != nil && strings.ContainsAny(host, ":[]/ ") {
			t.Errorf("%q: host %q", text, host)
		}
	})
}

// Servers are taken in the order of their names, each once, IPv4 as IPv4 and at NTP's port unless told otherwise.
func TestServersAreResolvedOnce(t *testing.T) {
	servers, err := resolveServers(t.Context(), []string{
		"2001:db8::1", "192.0.2.1", "[2001:db8::1]:123", "::ffff:192.0.2.1", "192.0.2.1:1123", "192.0.2.1",
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, s := range servers {
		have = append(have, s.Addr.String()+s.Hostname)
	}
	if diff := cmp.Diff([]string{"[2001:db8::1]:123", "192.0.2.1:123", "192.0.2.1:1123"}, have); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// A name stands for all its addresses, and they keep it.
func TestANameStandsForItsAddresses(t *testing.T) {
	servers, err := resolveServers(t.Context(), []string{"localhost:1123"}, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(servers) == 0 {
		t.Fatal("localhost has no address")
	}
	for _, s := range servers {
		if !s.Addr.Addr().IsLoopback() || s.Addr.Port() != 1123 || s.Hostname != "localhost" {
			t.Errorf("have %+v", s)
		}
	}
}

// One bad name among good ones, and none is taken: the error says which and why.
func TestAllServersAreGoodOrNoneIsTaken(t *testing.T) {
	for bad, want := range map[string]string{
		"localhost":       "localhost is ",
		"10.0.0.1":        "10.0.0.1 isn't an address of the internet",
		"192.0.2.1:0":     "no port between",
		"nobody/":         "neither a host name nor an address",
		"255.255.255.255": "255.255.255.255 isn't",
	} {
		servers, err := resolveServers(t.Context(), []string{"198.51.100.1", bad}, false)
		if err == nil || len(servers) > 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, have %v and %v", bad, want, servers, err)
		}
	}
}

// listed are servers as the database lists them.
func listed(texts ...string) []persistence.ServerListing {
	var all []persistence.ServerListing
	for i, text := range texts {
		addr, name, _ := strings.Cut(text, " ")
		all = append(all, persistence.ServerListing{Server: pool.Server{
			ID: pool.ServerID(i + 1), Addr: netip.MustParseAddrPort(addr), Hostname: name,
		}})
	}
	return all
}

// A server is chosen by address, name or id, in whatever way it is written; each once; all or none.
func TestServersAreChosenByAnyOfTheirNames(t *testing.T) {
	all := listed("192.0.2.1:123 time.example.org", "[2001:db8::1]:123 time.example.org", "192.0.2.3:1123")
	tests := []struct {
		names string
		want  []pool.ServerID // none: nothing is chosen
	}{
		{"192.0.2.1", []pool.ServerID{1}},
		{"192.0.2.1:123", []pool.ServerID{1}},
		{"::ffff:192.0.2.1", []pool.ServerID{1}},
		{"192.0.2.3", []pool.ServerID{3}},
		{"192.0.2.3:1123", []pool.ServerID{3}},
		{"2001:DB8:0::1", []pool.ServerID{2}},
		{"[2001:db8::1]", []pool.ServerID{2}},
		{"[2001:db8::1]:123", []pool.ServerID{2}},
		{"time.example.org", []pool.ServerID{1, 2}},
		{"TIME.example.org.", []pool.ServerID{1, 2}},
		{"3", []pool.ServerID{3}},
		{"3 192.0.2.1 3 1 time.example.org", []pool.ServerID{3, 1, 2}},
		{"192.0.2.3:123", nil},
		{"4", nil},
		{"example.org", nil},
		{"192.0.2.1 192.0.2.9", nil},
	}
	for _, tt := range tests {
		t.Run(tt.names, func(t *testing.T) {
			chosen, err := chooseServers(all, strings.Fields(tt.names))
			var have []pool.ServerID
			for _, s := range chosen {
				have = append(have, s.ID)
			}
			if diff := cmp.Diff(tt.want, have); diff != "" || (err != nil) != (tt.want == nil) {
				t.Errorf("error %v, (-want +have):\n%s", err, diff)
			}
		})
	}
	if _, err := chooseServers(all, []string{""}); err == nil {
		t.Error("no name stands for servers without a name")
	}
}

// An address is watched at one port: that two are asked for is found out before any server is added.
func TestTwoPortsOfOneAddressAreRefused(t *testing.T) {
	removed := listed("192.0.2.2:123")
	removed[0].Deletion = time.Unix(1, 0)
	tests := []struct {
		name          string
		before, asked []persistence.ServerListing
		bad           bool
	}{
		{"new", listed("192.0.2.1:123"), listed("192.0.2.2:1123", "[2001:db8::1]:1123"), false},
		{"the same again", listed("192.0.2.1:123"), listed("192.0.2.1:123"), false},
		{"at another port", listed("192.0.2.1:123"), listed("192.0.2.2:123", "192.0.2.1:1123"), true},
		{"twice in one call", nil, listed("192.0.2.1:123", "192.0.2.1:1123"), true},
		{"at another port after it was removed", removed, listed("192.0.2.2:1123"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var servers []pool.Server
			for _, s := range tt.asked {
				servers = append(servers, s.Server)
			}
			if err := checkPorts(tt.before, servers); (err != nil) != tt.bad {
				t.Errorf("have %v", err)
			}
		})
	}
}

// Whoever adds an agent is told at once what is wrong with its name, addresses and status.
func TestANewcomerIsWhatWasAskedFor(t *testing.T) {
	n, err := newAgent("alpha", "testing", []string{"2001:db8::1", "192.0.2.1"}, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	config := pool.MonitorConfig{BaseChecks: []string{"a"}}
	want := []pool.Monitor{
		{Version: pool.IPv6, Addr: netip.MustParseAddr("2001:db8::1"), Status: pool.GlobalTesting, Config: config},
		{Version: pool.IPv4, Addr: netip.MustParseAddr("192.0.2.1"), Status: pool.GlobalTesting, Config: config},
	}
	if diff := cmp.Diff(want, n.monitors, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
	if n, err = newAgent("alpha", "active", nil, nil); err != nil || len(n.monitors) != 1 || n.monitors[0].Version != pool.IPv4 {
		t.Errorf("want one IPv4 monitor, have %+v (%v)", n, err)
	}
	if diff := cmp.Diff(defaultReferences(), n.monitors[0].Config.BaseChecks); diff != "" {
		t.Errorf("an agent without references judges nobody (-want +have):\n%s", diff)
	}
}

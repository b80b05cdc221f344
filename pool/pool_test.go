package pool

import (
	"net/netip"
	"testing"
	"time"
)

// Probes go to unicast addresses of the internet and nowhere else.
func TestOnlyPublicAddressesMayBeProbed(t *testing.T) {
	for text, want := range map[string]bool{
		"192.0.2.1":            true,
		"203.0.113.255":        true,
		"2001:db8::1":          true,
		"::ffff:192.0.2.1":     true,
		"127.0.0.1":            false,
		"::1":                  false,
		"::ffff:127.0.0.1":     false,
		"10.0.0.1":             false,
		"172.16.0.1":           false,
		"172.32.0.1":           true,
		"192.168.255.1":        false,
		"169.254.1.1":          false,
		"fe80::1":              false,
		"fe80::1%eth0":         false,
		"fd00::1":              false,
		"224.0.1.1":            false,
		"ff02::101":            false,
		"0.0.0.0":              false,
		"::":                   false,
		"255.255.255.255":      false,
		"2001:db8::1%anything": false,
	} {
		if have := AddrIsPublic(netip.MustParseAddr(text)); have != want {
			t.Errorf("%s: want %v, have %v", text, want, have)
		}
	}
	if AddrIsPublic(netip.Addr{}) {
		t.Error("no address: want false, have true")
	}
}

// The version of an address is that of the packets that reach it.
func TestAMappedAddressIsOfVersion4(t *testing.T) {
	for text, want := range map[string]string{"192.0.2.1": "v4", "::ffff:192.0.2.1": "v4", "2001:db8::1": "v6"} {
		if have := VersionOf(netip.MustParseAddr(text)).String(); have != want {
			t.Errorf("%s: want %s, have %s", text, want, have)
		}
	}
}

// Root distance is half of both delays and the dispersion (RFC 5905 appendix A.5.5.2).
func TestRootDistance(t *testing.T) {
	rtt := 20 * time.Millisecond
	s := Sample{RTT: &rtt, RootDelay: 10 * time.Millisecond, RootDispersion: 3 * time.Millisecond}
	if want, have := 18*time.Millisecond, s.RootDistance(); have != want {
		t.Errorf("want %s, have %s", want, have)
	}
	s.RTT = nil
	if want, have := 8*time.Millisecond, s.RootDistance(); have != want {
		t.Errorf("without RTT: want %s, have %s", want, have)
	}
}

// A sample carries time only if nothing is wrong with it.
func TestASampleWithAnErrorIsNotValid(t *testing.T) {
	offset := time.Millisecond
	for _, test := range []struct {
		name   string
		sample Sample
		want   bool
	}{
		{"good", Sample{Offset: &offset}, true},
		{"odd", Sample{Offset: &offset, Warning: "root distance"}, true},
		{"silent", Sample{NoReply: true}, false},
		{"kiss", Sample{Kiss: KissRate}, false},
		{"malformed", Sample{Error: "short"}, false},
		{"serves no time", Sample{}, false},
	} {
		if have := test.sample.Valid(); have != test.want {
			t.Errorf("%s: want %v, have %v", test.name, test.want, have)
		}
	}
}

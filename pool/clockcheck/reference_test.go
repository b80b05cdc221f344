package clockcheck

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A reference is a name or an address, with a port or without.
func TestReferenceIsHostOrHostAndPort(t *testing.T) {
	for _, test := range []struct {
		text string
		want Reference // none: it is refused
	}{
		{"time.example", Reference{"time.example", 123}},
		{"time.example:1123", Reference{"time.example", 1123}},
		{"localhost", Reference{"localhost", 123}},
		{"192.0.2.1", Reference{"192.0.2.1", 123}},
		{"192.0.2.1:11123", Reference{"192.0.2.1", 11123}},
		{"2001:db8::1", Reference{"2001:db8::1", 123}},
		{"[2001:db8::1]", Reference{"2001:db8::1", 123}},
		{"[2001:db8::1]:1123", Reference{"2001:db8::1", 1123}},
		{"fe80::1%eth0", Reference{"fe80::1%eth0", 123}},
		{"", Reference{}},
		{":123", Reference{}},
		{"time.example:", Reference{}},
		{"time.example:0", Reference{}},
		{"time.example:65536", Reference{}},
		{"time.example:ntp", Reference{}},
		{"192.0.2.1:0", Reference{}},
		{"[2001:db8::1", Reference{}},
		{"[2001:db8::1]:0", Reference{}},
		{"time.example/path", Reference{}},
		{"time example", Reference{}},
	} {
		t.Run(test.text, func(t *testing.T) {
			have, err := ParseReference(test.text)
			if (err != nil) != (test.want == Reference{}) {
				t.Errorf("want %v, have the error %v", test.want, err)
			}
			if diff := cmp.Diff(test.want, have); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever is configured, a reference that is taken has a host and a port, and an address stays what it was.
func FuzzParseReference(f *testing.F) {
	for _, text := range []string{"time.example:123", "[2001:db8::1]:123", "192.0.2.1", "::ffff:192.0.2.1", "[", "a:b:c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		reference, err := ParseReference(text)
		if err != nil {
			return
		}
		if reference.Host == "" || reference.Port == 0 {
			t.Errorf("%q became %v", text, reference)
		}
		if addr, err := netip.ParseAddr(text); err == nil && reference.Host != addr.String() {
			t.Errorf("the address %q became %v", text, reference)
		}
	})
}

package topic_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/messages/topic"
)

var compareAddr = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

// Every topic is spelled as users were promised.
func TestTopicsAreSpelledAsPromised(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	text := func(text string, err error) string {
		if err != nil {
			t.Error(err)
		}
		return text
	}
	for _, row := range []struct {
		name, have, want string
	}{
		{"status", text(topic.Status("prod", "uslax1.example")), "/prod/monitors/status/uslax1.example/status"},
		{"request", text(topic.Request("prod", "uslax1", "ntp")), "/prod/monitors/requests/uslax1/ntp"},
		{"data", text(topic.Data("prod", "uslax1", "01J9")), "/prod/monitors/data/uslax1/01J9"},
		{"score", text(topic.Score("test", v4)), "/test/servers/192.0.2.1/score"},
		{"sample", text(topic.Sample("devel", v6, "local")), "/devel/servers/2001:db8::1/sample/local"},
		{"selection", text(topic.Selection("devel", v6)), "/devel/servers/2001:db8::1/selection"},
		{"hub", text(topic.Hub("devel", "hub-1")), "/devel/hubs/hub-1/status"},
		{"all of all servers", text(topic.ServersFilter("prod")), "/prod/servers/#"},
		{"all of one server", text(topic.ServerFilter("prod", v6)), "/prod/servers/2001:db8::1/#"},
		{"statuses", text(topic.StatusesFilter("prod")), "/prod/monitors/status/#"},
		{"all requests", text(topic.RequestsFilter("prod")), "/prod/monitors/requests/#"},
		{"requests to one", text(topic.RequestsToFilter("prod", "a")), "/prod/monitors/requests/a/+"},
		{"all data", text(topic.AllDataFilter("prod")), "/prod/monitors/data/#"},
		{"data of one", text(topic.DataFilter("prod", "a")), "/prod/monitors/data/a/+"},
		{"hubs", text(topic.HubsFilter("prod")), "/prod/hubs/+/status"},
	} {
		if row.have != row.want {
			t.Errorf("%s: have %s, want %s", row.name, row.have, row.want)
		}
	}
}

// A name that would change what a topic means is refused, wherever it stands.
func TestNamesThatWouldChangeATopicAreRefused(t *testing.T) {
	server := netip.MustParseAddr("192.0.2.1")
	for name, bad := range map[string]string{
		"empty":         "",
		"slash":         "a/b",
		"one level":     "+",
		"the rest":      "#",
		"wild inside":   "a+b",
		"colon":         "a:b",
		"space":         "a b",
		"NUL":           "a\x00",
		"not ASCII":     "zürich",
		"not UTF-8":     "\xff",
		"system topics": "$SYS",
		"too long":      strings.Repeat("a", 256),
	} {
		for where, build := range map[string]func() (string, error){
			"env":     func() (string, error) { return topic.Score(bad, server) },
			"agent":   func() (string, error) { return topic.Status("prod", bad) },
			"monitor": func() (string, error) { return topic.Sample("prod", server, bad) },
			"id":      func() (string, error) { return topic.Data("prod", "a", bad) },
			"filter":  func() (string, error) { return topic.DataFilter("prod", bad) },
		} {
			if text, err := build(); !errors.Is(err, topic.ErrName) {
				t.Errorf("%s as %s: have %q and error %v, want %v", name, where, text, err, topic.ErrName)
			}
		}
	}
}

// An address that isn't one server's only spelling is refused.
func TestAddressesHaveOneSpelling(t *testing.T) {
	for name, addr := range map[string]netip.Addr{
		"none":             {},
		"with a zone":      netip.MustParseAddr("fe80::1%eth0"),
		"IPv4 in IPv6":     netip.MustParseAddr("::ffff:192.0.2.1"),
		"with a wild zone": netip.MustParseAddr("::1%a+b"),
	} {
		if text, err := topic.Score("prod", addr); !errors.Is(err, topic.ErrName) {
			t.Errorf("%s: have %q and error %v, want %v", name, text, err, topic.ErrName)
		}
	}
	for _, text := range []string{
		"/prod/servers/2001:DB8::1/score", "/prod/servers/2001:db8:0::1/score",
		"/prod/servers/::ffff:192.0.2.1/score", "/prod/servers/fe80::1%eth0/score",
		"/prod/servers/192.0.2.01/score", "/prod/servers//score",
	} {
		if have, err := topic.Parse(text); !errors.Is(err, topic.ErrUnknown) {
			t.Errorf("%s: have %+v and error %v, want %v", text, have, err, topic.ErrUnknown)
		}
	}
}

// What is not one of our topics isn't taken for one.
func TestForeignTopicsAreUnknown(t *testing.T) {
	for _, text := range []string{
		"", "/", "#", "$SYS/broker/uptime", "prod/servers/192.0.2.1/score", "/prod/servers/192.0.2.1/score/",
		"/prod/servers/192.0.2.1", "/prod/servers/+/score", "/prod/servers/#", "/prod/monitors/status/a",
		"/prod/monitors/status/a/offline", "/pr od/hubs/a/status", "/prod/hubs//status",
	} {
		if have, err := topic.Parse(text); !errors.Is(err, topic.ErrUnknown) {
			t.Errorf("%q: have %+v and error %v, want %v", text, have, err, topic.ErrUnknown)
		}
	}
}

// Only messages that say how something is are kept by the broker; one kind too many would let an agent fill its memory.
func TestOnlyStatesAreRetained(t *testing.T) {
	want := map[topic.Kind]bool{
		topic.KindStatus: true, topic.KindScore: true, topic.KindHub: true,
		topic.KindRequest: false, topic.KindData: false, topic.KindSample: false, topic.KindSelection: false,
		topic.Kind("no such kind"): false,
	}
	for kind, retained := range want {
		if kind.Retained() != retained {
			t.Errorf("%s: have %v, want %v", kind, kind.Retained(), retained)
		}
	}
}

// A topic of no kind can't be spelled.
func TestATopicNeedsAKind(t *testing.T) {
	if text, err := (topic.Topic{Env: "prod"}).Text(); !errors.Is(err, topic.ErrUnknown) {
		t.Errorf("have %q and error %v, want %v", text, err, topic.ErrUnknown)
	}
}

// Whatever can be spelled is understood as what it was.
func TestParseUndoesText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawTopic(t)
		text, err := want.Text()
		if err != nil {
			t.Fatal(err)
		}
		have, err := topic.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, have, compareAddr); diff != "" {
			t.Errorf("%s (-want +have):\n%s", text, diff)
		}
	})
}

func drawTopic(t *rapid.T) topic.Topic {
	name := rapid.StringMatching(`[a-zA-Z0-9._-]{1,40}`)
	drawn := topic.Topic{
		Kind: rapid.SampledFrom([]topic.Kind{
			topic.KindStatus, topic.KindRequest, topic.KindData, topic.KindScore,
			topic.KindSample, topic.KindSelection, topic.KindHub,
		}).Draw(t, "kind"),
		Env: name.Draw(t, "env"),
	}
	switch drawn.Kind {
	case topic.KindRequest, topic.KindData:
		drawn.Detail = name.Draw(t, "detail")
		drawn.Name = name.Draw(t, "name")
	case topic.KindStatus, topic.KindHub:
		drawn.Name = name.Draw(t, "name")
	case topic.KindSample:
		drawn.Name = name.Draw(t, "name")
		drawn.Server = drawAddr(t)
	default:
		drawn.Server = drawAddr(t)
	}
	return drawn
}

func drawAddr(t *rapid.T) netip.Addr {
	length := rapid.SampledFrom([]int{4, 16}).Draw(t, "bytes of the address")
	addr, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), length, length).Draw(t, "address"))
	return addr.Unmap()
}

// Whatever is understood is spelled as it was read: no two texts are one topic.
func FuzzParse(f *testing.F) {
	f.Add("/prod/servers/2001:db8::1/sample/local")
	f.Add("/prod/monitors/data/uslax1/01J9")
	f.Add("/prod/hubs/+/status")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := topic.Parse(text)
		if err != nil {
			return
		}
		if again, err := parsed.Text(); err != nil || again != text {
			t.Errorf("%q became %+v, which is spelled %q (%v)", text, parsed, again, err)
		}
	})
}

package messages

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	"truechimer/pool"
)

var server = netip.MustParseAddr("2001:db8::1")

// monitorRow is what a monitor said, as it is kept.
func monitorRow() pool.LogRow {
	sample := toSample(goodSample())
	return pool.LogRow{Monitor: 11, At: sample.At, Score: 19.5, Step: 1, Sample: &sample, Rule: "good"}
}

// What watchers get is promised: one line of JSON, snake case, zeros written, unknown measures left out.
func TestWatchersGetPlainJSON(t *testing.T) {
	silent := monitorRow()
	silent.Sample = &pool.Sample{At: silent.At, NoReply: true}
	silent.Step, silent.Score, silent.Rule = -5, -5, "no reply"
	for _, row := range []struct {
		name string
		m    proto.Message
		want string
	}{
		{
			"sample", NewLiveSample(server, "fra1", monitorRow()),
			`{"server":"2001:db8::1","monitor":"fra1","ts":1900000000.123456,"offset_ms":-12.345678,"rtt_ms":23.456789,` +
				`"stratum":2,"leap":"insert","error":"","step":1,"score":19.5,"reason":"good"}`,
		},
		{
			"silence", NewLiveSample(server, "fra1", silent),
			`{"server":"2001:db8::1","monitor":"fra1","ts":1900000000.123456,` +
				`"stratum":0,"leap":"none","error":"no reply","step":-5,"score":-5,"reason":"no reply"}`,
		},
		{
			"score", NewLiveScore(announcement(), nameOf),
			`{"server":"2001:db8::1","hostname":"ntp.example","score":17.25,"step":1,"monitor":"monitor 11",` +
				`"ts":1900000000.123456,"active":7,"testing":5,"stratum":2,"known":true,"reason":"good"}`,
		},
		{
			"score of nothing", NewLiveScore(&Announcement{Ip: fromAddr(server)}, nameOf),
			`{"server":"2001:db8::1","hostname":"","score":0,"step":0,"monitor":"",` +
				`"ts":0,"active":0,"testing":0,"stratum":0,"known":false,"reason":""}`,
		},
		{
			"agent", NewLiveAgent(true, "v1", "01J0", time.Unix(1_900_000_000, 0)),
			`{"online":true,"version":"v1","session":"01J0","since":"2030-03-17T17:46:40Z"}`,
		},
		{
			"selection", NewLiveSelection(server, "fra1", time.UnixMicro(1_900_000_000_500_000), move()),
			`{"server":"2001:db8::1","monitor":"fra1","ts":1900000000.5,"from":"testing","to":"active","reason":"fills 1 of 2 free places"}`,
		},
		{"hub", NewLiveHub(false, "v1", 3, 0), `{"online":false,"version":"v1","servers":3,"agents":0}`},
	} {
		if have := string(LiveJSON(row.m)); have != row.want {
			t.Errorf("%s:\nwant %s\nhave %s", row.name, row.want, have)
		}
	}
}

func move() *Move {
	return &Move{MonitorId: 11, From: "testing", To: "active", Reason: "fills 1 of 2 free places"}
}

func announcement() *Announcement {
	return &Announcement{
		Ip:       fromAddr(server),
		Hostname: "ntp.example",
		Cause:    FromLogRow(monitorRow()),
		Overall:  FromOverall(pool.Overall{Known: true, Score: 17.25, At: monitorRow().At, Stratum: 2}),
		Active:   7,
		Testing:  5,
	}
}

func nameOf(id pool.MonitorID) string {
	if id == 11 {
		return "monitor 11"
	}
	return "another"
}

// Watchers learn in words why a sample carries no time.
func TestWatchersLearnWhyThereIsNoTime(t *testing.T) {
	for want, sample := range map[string]pool.Sample{
		"":               {Stratum: 1},
		"no reply":       {NoReply: true},
		"kiss code RATE": {Kiss: pool.KissRate},
		"malformed":      {Error: "malformed"},
	} {
		row := monitorRow()
		row.Sample = &sample
		if have := NewLiveSample(server, "fra1", row).Error; have != want {
			t.Errorf("want %q, have %q", want, have)
		}
	}
}

// Watchers get the leap indicator in words.
func TestWatchersGetTheLeapInWords(t *testing.T) {
	for leap, want := range map[pool.Leap]string{
		pool.LeapNone: "none", pool.LeapInsert: "insert", pool.LeapDelete: "delete", pool.LeapUnknown: "unknown",
	} {
		row := monitorRow()
		row.Sample = &pool.Sample{Leap: leap}
		if have := NewLiveSample(server, "fra1", row).Leap; have != want {
			t.Errorf("%d: want %q, have %q", leap, want, have)
		}
	}
}

// Foreign words reach watchers legible, and never stop the one who tells them.
func TestWatchersGetLegibleWords(t *testing.T) {
	row := monitorRow()
	row.Sample = &pool.Sample{Error: "\xff\x1b[2J"}
	told := announcement()
	told.Hostname = "\xff.example"
	for want, m := range map[string]proto.Message{
		`"\ufffd\ufffd[2J"`: NewLiveSample(server, "fra1", row),
		`"\ufffd.example"`:  NewLiveScore(told, nameOf),
		`"v\ufffd"`:         NewLiveHub(true, "v\xff", 0, 0),
		`"a\ufffd"`:         NewLiveAgent(true, "", "a\xff", time.Time{}),
		`"b\ufffd"`:         &LiveScore{Hostname: "b\xff"},
	} {
		want = strings.ReplaceAll(want, `\ufffd`, "\ufffd")
		if have := string(LiveJSON(m)); !strings.Contains(have, want) {
			t.Errorf("want %s in it, have %s", want, have)
		}
	}
}

// What is published can be read by any client of JSON: no number of live.proto is a 64-bit integer, which
// protojson would write as a text.
func TestNoLiveNumberNeeds64Bits(t *testing.T) {
	all := File_live_proto.Messages()
	for i := range all.Len() {
		fields := all.Get(i).Fields()
		for j := range fields.Len() {
			switch field := fields.Get(j); field.Kind() {
			case protoreflect.BoolKind, protoreflect.StringKind, protoreflect.DoubleKind, protoreflect.Uint32Kind:
			default:
				t.Errorf("%s is a %s", field.FullName(), field.Kind())
			}
		}
	}
}

// What was published is read back as it was.
func TestWatchersReadWhatWasPublished(t *testing.T) {
	sample, score := NewLiveSample(server, "fra1", monitorRow()), NewLiveScore(announcement(), nameOf)
	agent, hub := NewLiveAgent(true, "v1", "01J0", time.Unix(1_900_000_000, 0)), NewLiveHub(true, "v1", 3, 4)
	check := func(want, have proto.Message, err error) {
		t.Helper()
		if diff := cmp.Diff(want, have, protocmp.Transform()); err != nil || diff != "" {
			t.Errorf("%T: %v\nwant -, have +:\n%s", want, err, diff)
		}
	}
	haveSample, err := DecodeLiveSample(LiveJSON(sample))
	check(sample, haveSample, err)
	haveScore, err := DecodeLiveScore(LiveJSON(score))
	check(score, haveScore, err)
	selection := NewLiveSelection(server, "fra1", time.UnixMicro(1_900_000_000_500_000), move())
	haveSelection, err := DecodeLiveSelection(LiveJSON(selection))
	check(selection, haveSelection, err)
	haveAgent, err := DecodeLiveAgent(LiveJSON(agent))
	check(agent, haveAgent, err)
	haveHub, err := DecodeLiveHub(LiveJSON(hub))
	check(hub, haveHub, err)
}

// A watcher understands newer hubs, and shows no escape sequences that somebody has published.
func TestWatchersAreTolerantAndCareful(t *testing.T) {
	have, err := DecodeLiveHub([]byte(`{"online":true,"moon":{"phase":[1]},"version":"v\u001b[2J"}`))
	if err != nil || !have.Online || have.Version != "v\ufffd[2J" {
		t.Errorf("have %v, %v", have, err)
	}
	for name, payload := range map[string]string{
		"nothing":     "",
		"not JSON":    "online",
		"other types": `{"online":"yes"}`,
		"a book":      `{"version":"` + strings.Repeat("x", maxLive) + `"}`,
	} {
		if have, err := DecodeLiveHub([]byte(payload)); err == nil || have != nil {
			t.Errorf("%s: want an error, have %v", name, have)
		}
	}
}

// Whatever somebody has published, a watcher reads it or says that it can't, and reads the same again.
func FuzzDecodeLive(f *testing.F) {
	for _, m := range []proto.Message{
		NewLiveSample(server, "fra1", monitorRow()), NewLiveScore(announcement(), nameOf),
		NewLiveAgent(true, "v1", "01J0", time.Unix(1_900_000_000, 0)), NewLiveHub(true, "v1", 3, 4),
		NewLiveSelection(server, "fra1", time.UnixMicro(1_900_000_000_500_000), move()),
	} {
		f.Add(LiveJSON(m))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		readAgain(t, payload, DecodeLiveSample)
		readAgain(t, payload, DecodeLiveScore)
		readAgain(t, payload, DecodeLiveAgent)
		readAgain(t, payload, DecodeLiveHub)
		readAgain(t, payload, DecodeLiveSelection)
	})
}

func readAgain[M proto.Message](t *testing.T, payload []byte, decode func([]byte) (M, error)) {
	first, err := decode(payload)
	if err != nil {
		return
	}
	text := LiveJSON(first)
	if !json.Valid(text) {
		t.Fatalf("not JSON: %s", text)
	}
	second, err := decode(text)
	if err != nil || !proto.Equal(first, second) {
		t.Errorf("want %v, have %v, %v", first, second, err)
	}
}

// Every sample that a hub keeps is published.
func BenchmarkLiveJSON(b *testing.B) {
	row := monitorRow()
	b.ReportAllocs()
	for b.Loop() {
		LiveJSON(NewLiveSample(server, "fra1", row))
	}
}

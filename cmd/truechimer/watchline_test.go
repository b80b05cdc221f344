package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"truechimer/hub/live"
	"truechimer/messages"
)

// A morning with two servers, as a hub tells it.
func morning() []live.Message {
	offset, rtt := -0.25, 12.5
	score := func(s *messages.LiveScore) live.Message {
		return live.Message{Topic: "/devel/servers/" + s.Server + "/score", Retained: true, Payload: messages.LiveJSON(s)}
	}
	sample := func(s *messages.LiveSample) live.Message {
		return live.Message{Topic: "/devel/servers/" + s.Server + "/sample/" + s.Monitor, Payload: messages.LiveJSON(s)}
	}
	selection := func(s *messages.LiveSelection) live.Message {
		return live.Message{Topic: "/devel/servers/" + s.Server + "/selection", Payload: messages.LiveJSON(s)}
	}
	return []live.Message{
		score(&messages.LiveScore{Server: "192.0.2.1", Hostname: "time.example.org", Active: 1}),
		score(&messages.LiveScore{Server: "2001:db8::2", Known: true, Ts: 36_000.25, Score: 4.5, Active: 7, Testing: 5, Stratum: 2}),
		sample(&messages.LiveSample{Server: "192.0.2.1", Monitor: "alpha", Ts: 36_061, OffsetMs: &offset, RttMs: &rtt, Stratum: 1, Leap: "none", Step: 1, Score: 1, Reason: "good"}),
		score(&messages.LiveScore{Server: "192.0.2.1", Hostname: "time.example.org", Known: true, Ts: 36_061, Score: 1, Step: 1, Monitor: "alpha", Active: 1, Reason: "good"}),
		sample(&messages.LiveSample{Server: "2001:db8::2", Monitor: "beta", Ts: 36_100.999_999, Leap: "none", Error: "no reply", Step: -5, Score: -5, Reason: "no reply"}),
		sample(&messages.LiveSample{Server: "2001:db8::2", Monitor: "beta", Ts: 86_399.5, RttMs: &rtt, Leap: "unknown", Error: "malformed reply", Step: -4, Score: -9, Reason: "unusable reply"}),
		selection(&messages.LiveSelection{Server: "192.0.2.1", Monitor: "alpha", Ts: 36_061.5, From: "testing", To: "active", Reason: "fills 1 of 2 free places"}),
		selection(&messages.LiveSelection{Server: "2001:db8::2", Monitor: "beta", Ts: 36_062, To: "candidate", Reason: "new here"}),
		{Topic: "/devel/servers/192.0.2.1/selection", Payload: []byte(`[]`)},
		{Topic: "/devel/servers/192.0.2.1/score", Payload: []byte(`nonsense`)},
		{Topic: "/devel/servers/192.0.2.1/sample/alpha", Payload: nil},
		{Topic: "nowhere", Payload: []byte(`{}`)},
	}
}

// told is what a watcher prints of a morning.
func told(filter string, asJSON bool) string {
	var text strings.Builder
	r := newReader(filter, asJSON)
	for _, m := range morning() {
		if line, wanted := r.read(m); wanted {
			text.WriteString(line + "\n")
		}
	}
	return text.String()
}

// A person reads one line for each thing that happens: when, which server, who said it, what it was worth and why, with
// units. What isn't for him, or can't be read, is left out.
func TestWatchersReadLines(t *testing.T) {
	want := `-         192.0.2.1 (time.example.org)  no score yet, 1 active, 0 testing
10:00:00  2001:db8::2                   score    4.5, 7 active, 5 testing
10:01:01  192.0.2.1 (time.example.org)  alpha: good, offset -0.250 ms, RTT 12.500 ms
10:01:01  192.0.2.1 (time.example.org)  score    1.0, 1 active, 0 testing, step +1.00: good
10:01:40  2001:db8::2                   beta: no reply
23:59:59  2001:db8::2                   beta: unusable reply, malformed reply, RTT 12.500 ms
10:01:01  192.0.2.1 (time.example.org)  alpha: testing → active: fills 1 of 2 free places
10:01:02  2001:db8::2                   beta: new → candidate: new here
`
	if diff := cmp.Diff(want, told("", false)); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// A filter is a part of a server's address or name, or of a monitor's, in whatever case. What else is in a line,
// or in the JSON, doesn't count.
func TestAFilterIsAboutServersAndMonitors(t *testing.T) {
	for filter, want := range map[string]int{
		"": 8, "192.0.2.1": 4, "TIME.example": 4, "db8": 4, "beta": 3, "ALPHA": 3, "score": 0, "no reply": 0, "good": 0, "10:0": 0, "e": 7,
	} {
		for _, asJSON := range []bool{false, true} {
			if have := strings.Count(told(filter, asJSON), "\n"); have != want {
				t.Errorf("%q (JSON: %t): want %d lines, have %d:\n%s", filter, asJSON, want, have, told(filter, asJSON))
			}
		}
	}
}

// A program reads the messages as they are, one a line, whatever blanks the hub has put in.
func TestProgramsReadJSONLines(t *testing.T) {
	var want bytes.Buffer
	for _, m := range morning()[:8] {
		want.Write(m.Payload)
		want.WriteByte('\n')
	}
	if diff := cmp.Diff(want.String(), told("", true)); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
	line, wanted := newReader("", true).read(live.Message{
		Topic: "/devel/servers/192.0.2.1/score", Payload: []byte("{\n  \"server\": \"192.0.2.1\",\n  \"later\": {\"a\": 1}\n}\n"),
	})
	if want := `{"server":"192.0.2.1","later":{"a":1}}`; line != want || !wanted {
		t.Errorf("want %s, have %s", want, line)
	}
}

// Whatever a broker sends, a terminal gets one line without control characters.
func FuzzAMessageIsOneLegibleLine(f *testing.F) {
	for _, m := range morning() {
		f.Add(m.Topic, m.Payload)
	}
	f.Add("/devel/servers/192.0.2.1/score", []byte(`{"hostname":"\u001b[2J\n","known":true,"ts":1e300,"score":-1e300}`))
	f.Add("/devel/servers/192.0.2.1/sample/a", []byte(`{"server":"\n","monitor":"\u009b","ts":-1e300,"error":"\r"}`))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		for _, asJSON := range []bool{false, true} {
			line, wanted := newReader("", asJSON).read(live.Message{Topic: topic, Payload: payload})
			if !wanted {
				continue
			}
			if at := strings.IndexFunc(line, func(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }); at >= 0 && !(asJSON && line[at] >= 0x7f) {
				t.Errorf("a control character in %q", line)
			}
		}
	})
}

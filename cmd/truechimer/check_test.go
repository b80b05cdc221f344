package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/pool"
	"truechimer/pool/scoring"
	"truechimer/simulation/lab"
)

// Every behaviour that a server may have is told from the others, and those that are worth less than nothing
// make the exit code 1.
func TestCheckTellsEveryBehaviour(t *testing.T) {
	tests := []struct {
		behaviour lab.Behaviour
		samples   int
		good      bool
		want      string // a regular expression
	}{
		{lab.Good, 1, true, `: offset [+-]0\.\d{3} ms, RTT \d+\.\d{3} ms, stratum 1, leap 0, root distance \d+\.\d{3} ms, step 1: good$`},
		{lab.Offset40ms, 1, true, `: offset \+(39|4\d)\.\d{3} ms, .*, step 0\.\d+: offset over 25 ms$`},
		{lab.Offset2s, 1, false, `: offset -(1999|20\d\d)\.\d{3} ms, .*, step -2: offset over 750 ms$`},
		{lab.Unsynchronised, 1, false, `leap 3, .*, step -4: not synchronised$`},
		{lab.KissRate, 3, false, `: RTT \d+\.\d{3} ms, step -3.5: kiss code RATE$`},
		{lab.KissDeny, 3, false, `: RTT \d+\.\d{3} ms, step -10, at most -50: kiss code DENY or RSTR$`},
		{lab.Silent, 1, false, `: step -5: no reply$`},
		{lab.Drifting, 1, true, `, step 1: good$`},
		{lab.Lossy, 1, true, `, step 1: good$`}, // with this seed its first answer isn't lost
		{lab.Stratum0, 3, false, `: RTT \d+\.\d{3} ms, step -2, at most 5: stratum 0 without a kiss code$`},
		{lab.Stratum16, 3, false, `stratum 16, .*, step -4: stratum 8 or more$`},
		{lab.Malformed, 1, false, `, step -4: unusable reply \(malformed reply: .*\)$`},
		{lab.Mismatched, 1, false, `: step -4: unusable reply \(.+\)$`},
		{lab.Garbage, 1, false, `: step -4: unusable reply \(.+\)$`},
	}
	for _, tt := range tests {
		t.Run(string(tt.behaviour), func(t *testing.T) {
			t.Parallel()
			l, err := lab.Start(lab.Options{Behaviours: []lab.Behaviour{tt.behaviour}, Seed: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			addr := l.Servers()[0].Addr.String()
			stdout, stderr, code := call(t, "check", "--allow-private", "--samples", fmt.Sprint(tt.samples), addr)
			if !strings.HasPrefix(stdout, addr+": ") || !regexp.MustCompile(tt.want).MatchString(strings.TrimSuffix(stdout, "\n")) {
				t.Errorf("want %s, have %q", tt.want, stdout)
			}
			wantCode, wantStderr := exitDone, ""
			if !tt.good {
				wantCode, wantStderr = exitFailed, "truechimer: 1 of 1 server failed\n"
			}
			if code != wantCode || stderr != wantStderr {
				t.Errorf("want exit code %d and %q, have %d and %q", wantCode, wantStderr, code, stderr)
			}
		})
	}
}

// Servers are probed at the same time and printed in the order in which they were named, however long each takes.
func TestServersAreCheckedAtOnceAndPrintedInOrder(t *testing.T) {
	l, err := lab.Start(lab.Options{Behaviours: []lab.Behaviour{lab.Silent, lab.Good, lab.Silent, lab.Good, lab.Silent, lab.Silent}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var names, have []string
	for _, s := range l.Servers() {
		names = append(names, s.Addr.String())
	}
	began := time.Now()
	stdout, stderr, code := call(t, append([]string{"check", "--json", "--allow-private", "--samples", "1"}, names...)...)
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("four silent servers of 3 s each took %s", took)
	}
	for line := range strings.Lines(stdout) {
		var checked struct{ Server string }
		if err := json.Unmarshal([]byte(line), &checked); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		have = append(have, checked.Server)
	}
	if diff := cmp.Diff(names, have); diff != "" || code != exitFailed || stderr != "truechimer: 4 of 6 servers failed\n" {
		t.Errorf("exit code %d, %q, servers (-want +have):\n%s", code, stderr, diff)
	}
}

// Where nobody listens there is no reply, and the reason is said.
func TestNobodyThereIsSaid(t *testing.T) {
	stdout, _, code := call(t, "check", "--allow-private", "--samples", "1", "127.0.0.1:9")
	if want := "127.0.0.1:9: step -5: no reply (connection refused)\n"; stdout != want || code != exitFailed {
		t.Errorf("want %q, have %q and exit code %d", want, stdout, code)
	}
}

func in(d time.Duration) *time.Duration { return &d }

// samples of all kinds, with what a person and what a program is told of them.
func TestCheckSaysWhatWasMeasured(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)
	server := pool.Server{Addr: netip.MustParseAddrPort("[2001:db8::1]:123"), Hostname: "time.example.org"}
	tests := []struct {
		name       string
		sample     pool.Sample
		text, json string
	}{
		{
			"time",
			pool.Sample{At: at, Offset: in(-1500 * time.Microsecond), RTT: in(20 * time.Millisecond), Stratum: 2, Leap: pool.LeapInsert,
				RootDelay: 4 * time.Millisecond, RootDispersion: time.Millisecond, KernelTimestamps: true},
			"[2001:db8::1]:123 (time.example.org): offset -1.500 ms, RTT 20.000 ms, stratum 2, leap 1, root distance 13.000 ms, step 1: good",
			`{"server":"[2001:db8::1]:123","hostname":"time.example.org","ts":"2026-01-02T03:04:05.000678Z","offset_ms":-1.5,"rtt_ms":20,"stratum":2,"leap":1,` +
				`"root_distance_ms":13,"no_reply":false,"kiss":"","error":"","warning":"","kernel_timestamps":true,"step":1,"verdict":"good"}`,
		},
		{
			"odd time",
			pool.Sample{At: at, Offset: in(0), RTT: in(0), Stratum: 1, Warning: "reply in version 3"},
			"[2001:db8::1]:123 (time.example.org): offset +0.000 ms, RTT 0.000 ms, stratum 1, leap 0, root distance 0.000 ms, step 1: good (reply in version 3)",
			`{"server":"[2001:db8::1]:123","hostname":"time.example.org","ts":"2026-01-02T03:04:05.000678Z","offset_ms":0,"rtt_ms":0,"stratum":1,"leap":0,` +
				`"root_distance_ms":0,"no_reply":false,"kiss":"","error":"","warning":"reply in version 3","kernel_timestamps":false,"step":1,"verdict":"good"}`,
		},
		{
			"silence",
			pool.Sample{At: at, NoReply: true, Warning: "network is unreachable"},
			"[2001:db8::1]:123 (time.example.org): step -5: no reply (network is unreachable)",
			`{"server":"[2001:db8::1]:123","hostname":"time.example.org","ts":"2026-01-02T03:04:05.000678Z","offset_ms":null,"rtt_ms":null,"stratum":null,"leap":null,` +
				`"root_distance_ms":null,"no_reply":true,"kiss":"","error":"","warning":"network is unreachable","kernel_timestamps":false,"step":-5,"verdict":"no reply"}`,
		},
		{
			"a kiss code of its own",
			pool.Sample{At: at, RTT: in(time.Millisecond), Kiss: "XABC", Leap: pool.LeapUnknown},
			"[2001:db8::1]:123 (time.example.org): RTT 1.000 ms, step -4: unusable reply (kiss code XABC)",
			`{"server":"[2001:db8::1]:123","hostname":"time.example.org","ts":"2026-01-02T03:04:05.000678Z","offset_ms":null,"rtt_ms":1,"stratum":0,"leap":3,` +
				`"root_distance_ms":null,"no_reply":false,"kiss":"XABC","error":"","warning":"","kernel_timestamps":false,"step":-4,"verdict":"unusable reply"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for asJSON, want := range map[bool]string{false: tt.text, true: tt.json} {
				var stdout bytes.Buffer
				c := check{con: newConsole(&stdout, nil), asJSON: &asJSON}
				if err := c.print(server, tt.sample, scoring.StepOf(tt.sample)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want+"\n", stdout.String()); diff != "" {
					t.Errorf("(-want +have):\n%s", diff)
				}
			}
		})
	}
}

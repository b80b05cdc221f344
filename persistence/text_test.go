package persistence

import (
	"database/sql"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// A row of a statement is written as the server wants to read it.
func TestTuplesAreSQL(t *testing.T) {
	rows := tuplesFor(2)
	rows.add()
	rows.integer(-7)
	rows.float(0.1)
	rows.at(time.Date(2026, 3, 14, 13, 0, 0, 1999, time.FixedZone("", 3600)))
	rows.words("it's")
	rows.add()
	rows.known(0)
	rows.at(time.Time{})
	rows.words("")
	rows.words("plain \"text\"")
	rows.micros(nil)
	rows.micros(ptrTo(1999 * time.Nanosecond))
	want := "INSERT (-7,1e-01,TIMESTAMP'2026-03-14 12:00:00.000001',X'69742773'),\n(NULL,NULL,NULL,'plain \"text\"',NULL,1)"
	if have := rows.statement("INSERT (", ")"); have != want {
		t.Errorf("have %s\nwant %s", have, want)
	}
	union := tuples{between: " UNION "}
	for range 2 {
		union.add()
		union.integer(1)
		union.null()
	}
	if have := union.statement("", ""); have != "1,NULL UNION 1,NULL" {
		t.Errorf("have %s", have)
	}
}

func ptrTo[T any](v T) *T { return &v }

// No text can end its quotes.
func TestWordsStayBetweenTheirQuotes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "text"))
		have := string(appendWords(nil, text))
		inner, isHex := strings.TrimPrefix(have, "X"), strings.HasPrefix(have, "X")
		if !strings.HasPrefix(inner, "'") || !strings.HasSuffix(inner, "'") || len(inner) < 2 {
			t.Fatalf("%q isn't quoted", have)
		}
		inner = inner[1 : len(inner)-1]
		if strings.ContainsAny(inner, "'\\\x00\n") || isHex && strings.Trim(inner, "0123456789abcdef") != "" || !isHex && inner != text {
			t.Fatalf("%q became %s", text, have)
		}
	})
}

// The JSON that is written by hand is JSON, and what is read from it is what was written.
func TestAttributesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.StringMatching(`["'\\a-z<>&]{0,9}`))
		row := pool.LogRow{Late: rapid.Bool().Draw(t, "late"), Rule: text.Draw(t, "rule"), Sample: &pool.Sample{
			Leap:    pool.Leap(rapid.IntRange(0, 3).Draw(t, "leap")),
			Stratum: rapid.Uint8().Draw(t, "stratum"),
			NoReply: rapid.Bool().Draw(t, "no reply"),
			Kiss:    pool.Kiss(text.Draw(t, "kiss")),
			Error:   text.Draw(t, "error"),
			Warning: text.Draw(t, "warning"),
		}}
		counted := rapid.SliceOf(rapid.Map(rapid.Uint64(), func(n uint64) pool.LogID { return pool.LogID(n) })).Draw(t, "counted")
		have := string(appendAttributes(nil, row, counted))
		if have != "" && !json.Valid([]byte(have)) {
			t.Fatalf("%s is no JSON", have)
		}
		want := attributes{
			Leap: uint8(row.Sample.Leap), Stratum: row.Sample.Stratum, NoResponse: row.Sample.NoReply,
			Kiss: storedText(string(row.Sample.Kiss)), Error: storedText(row.Sample.Error), Warning: storedText(row.Sample.Warning),
			Late: row.Late, Rule: storedText(row.Rule), Counted: counted,
		}
		if diff := cmp.Diff(want, parseAttributes(have), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s (-want +have):\n%s", have, diff)
		}
	})
}

// An offset comes back from its seconds to the nanosecond.
func TestOffsetsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "offset")) // eleven days
		if have := secondsOf(sql.NullFloat64{Float64: want.Seconds(), Valid: true}); *have != want {
			t.Fatalf("%d ns became %d ns", want, *have)
		}
	})
}

// The usual row is short, and a row of nothing has no attributes.
func TestAttributesAreCompact(t *testing.T) {
	good := pool.LogRow{Rule: "good", Sample: &pool.Sample{Stratum: 2}}
	if have := string(appendAttributes([]byte("x"), good, nil)); have != `x{"stratum":2,"rule":"good"}` {
		t.Errorf("have %s", have)
	}
	if have := appendAttributes(nil, pool.LogRow{}, nil); have != nil {
		t.Errorf("have %s", have)
	}
	value := pool.LogRow{Counted: []pool.Ref{{ID: 1}}}
	if have := string(appendAttributes(nil, value, []pool.LogID{1, math.MaxUint64})); have != `{"counted":[1,18446744073709551615]}` {
		t.Errorf("have %s", have)
	}
}

// A text is cut off between two characters.
func TestTextsAreCutBetweenCharacters(t *testing.T) {
	for offset := range 4 {
		text := strings.Repeat("x", offset) + strings.Repeat("\U0001f570", textLimit)
		if have := clipped(text); !utf8.ValidString(have) || len(have) > textLimit || len(have) < textLimit-3 {
			t.Errorf("offset %d: %d bytes", offset, len(have))
		}
	}
	if have := clipped(strings.Repeat("\x80", 2*textLimit)); len(have) > textLimit {
		t.Errorf("%d bytes of no characters", len(have))
	}
}

// What others wrote is read without a panic, whatever it is.
func FuzzAttributes(f *testing.F) {
	for _, text := range []string{
		"", "{}", "null", "[]", `{"leap":3,"stratum":2,"no_response":true}`, `{"leap":-1,"error":{},"counted":["a",1]}`,
		`{"error":"i/o timeout","from_ls_id":17,"from_ss_id":4}`, `{"stratum":1e9`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := parseAttributes(text)
		row := pool.LogRow{Late: a.Late, Rule: a.Rule, Sample: &pool.Sample{
			Leap: pool.Leap(a.Leap), Stratum: a.Stratum,
			NoReply: a.NoResponse, Kiss: pool.Kiss(a.Kiss), Error: a.Error, Warning: a.Warning,
		}}
		again := appendAttributes(nil, row, a.Counted)
		if len(again) > 0 && !json.Valid(again) {
			t.Errorf("%q is read and written again as %s", text, again)
		}
	})
}

// A monitor's configuration is usable, whatever it is, and says when it isn't what was meant.
func FuzzMonitorConfig(f *testing.F) {
	for _, text := range []string{
		"", "{}", "null", "7", `{"samples":3,"nat_ip":"10.0.0.1","base_checks":["time.nist.gov","[::1]:1123"]}`,
		`{"samples":9}`, `{"samples":"3","base_checks":[1]}`, `{"nat_ip":"fe80::1%eth0"}`, `{"samples":-1,"x":[[[`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		config, err := parseConfig(text)
		if config.Samples < 0 || config.Samples > maxSamples {
			t.Errorf("%q: %d samples", text, config.Samples)
		}
		if bad := checkConfig(config); bad != nil {
			t.Errorf("%q is read as %+v, which isn't read again: %v", text, config, bad)
		}
		if !json.Valid([]byte(overlaidConfig(text, config))) {
			t.Errorf("%q with a new configuration is no JSON", text)
		}
		if err == nil && text != "" && !json.Valid([]byte(text)) {
			t.Errorf("%q was read without a word", text)
		}
	})
}

// Flags that can't be read refuse nobody.
func FuzzAccountFlags(f *testing.F) {
	for _, text := range []string{
		"", "{}", "null", `{"monitor_limit":2,"monitors_per_server_limit":1,"monitor_enabled":true}`,
		`{"monitor_limit":"2"}`, `{"monitor_enabled":0}`, "not JSON",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := parseQuotas(text).refusal(0, 1); err != nil && !json.Valid([]byte(text)) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

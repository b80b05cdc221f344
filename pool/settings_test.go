package pool

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What is missing, unreadable, too small or too large keeps its default, and everything else is taken.
func TestParseSettingsKeepsDefaultsForWhatCannotBe(t *testing.T) {
	defaults := DefaultSettings()
	with := func(change func(*Settings)) Settings {
		s := defaults
		change(&s)
		return s
	}
	for _, test := range []struct {
		name, text string
		want       Settings
		wrong      string // in the error; empty: there is none
	}{
		{"nothing", `{}`, defaults, ""},
		{"unknown keys", `{"interval_lunch":"1h"}`, defaults, ""},
		{"all", `{"interval_active":"10m","interval_testing":"50m","interval_candidate":"3h","interval_all":"30s"}`,
			Settings{IntervalActive: 10 * time.Minute, IntervalTesting: 50 * time.Minute, IntervalCandidate: 3 * time.Hour, Spacing: 30 * time.Second}, ""},
		{"the least active interval", `{"interval_active":"20s"}`, with(func(s *Settings) { s.IntervalActive = 20 * time.Second }), ""},
		{"under it", `{"interval_active":"19.999s"}`, defaults, "interval_active"},
		{"the least testing interval", `{"interval_testing":"60s"}`, with(func(s *Settings) { s.IntervalTesting = time.Minute }), ""},
		{"under it too", `{"interval_testing":"59s"}`, defaults, "interval_testing"},
		{"the least spacing", `{"interval_all":"10s"}`, with(func(s *Settings) { s.Spacing = 10 * time.Second }), ""},
		{"under that", `{"interval_all":"9s"}`, defaults, "interval_all"},
		{"negative", `{"interval_candidate":"-2h"}`, defaults, "interval_candidate"},
		{"the longest interval", `{"interval_candidate":"720h"}`, with(func(s *Settings) { s.IntervalCandidate = LongestInterval }), ""},
		{"beyond it", `{"interval_candidate":"720h1s"}`, defaults, "interval_candidate"},
		{"a spacing of a century", `{"interval_all":"999999h"}`, defaults, "interval_all"},
		{"no duration", `{"interval_active":"often"}`, defaults, "often"},
		{"one of two", `{"interval_active":"often","interval_candidate":"3h"}`, with(func(s *Settings) { s.IntervalCandidate = 3 * time.Hour }), "interval_active"},
		{"no JSON", `interval_active=9m`, defaults, "the defaults hold"},
		{"a lab", `{"interval_active":"1s","interval_testing":"1s","interval_candidate":"1s","interval_all":"0s","lab":true}`,
			Settings{IntervalActive: time.Second, IntervalTesting: time.Second, IntervalCandidate: time.Second, Lab: true}, ""},
		{"a lab without sense", `{"interval_active":"0s","lab":true}`, with(func(s *Settings) { s.Lab = true }), "interval_active"},
	} {
		t.Run(test.name, func(t *testing.T) {
			have, err := ParseSettings(test.text)
			if diff := cmp.Diff(test.want, have); diff != "" {
				t.Errorf("want -, have +:\n%s", diff)
			}
			if (err != nil) != (test.wrong != "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("want an error with %q, have %v", test.wrong, err)
			}
		})
	}
}

// What was stored is what was set.
func TestSettingsComeBackAsTheyWere(t *testing.T) {
	for _, want := range []Settings{
		DefaultSettings(),
		{IntervalActive: 90 * time.Second, IntervalTesting: time.Hour, IntervalCandidate: 26 * time.Hour, Spacing: 15 * time.Second},
		{IntervalActive: 5 * time.Second, IntervalTesting: 5 * time.Second, IntervalCandidate: 5 * time.Second, Lab: true},
	} {
		have, err := ParseSettings(want.JSON())
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("want -, have +:\n%s", diff)
		}
	}
}

// Whatever somebody stored, the settings are usable.
func FuzzParseSettings(f *testing.F) {
	f.Add(`{"interval_active":"9m","interval_testing":"45m","interval_candidate":"2h","interval_all":"20s"}`)
	f.Add(`{"interval_active":"-1ns","lab":true}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		s, _ := ParseSettings(text)
		if max(s.IntervalActive, s.IntervalTesting, s.IntervalCandidate, s.Spacing) > LongestInterval {
			t.Errorf("%q: %+v", text, s)
		}
		if s.IntervalActive <= 0 || s.IntervalTesting <= 0 || s.IntervalCandidate <= 0 || s.Spacing < 0 {
			t.Errorf("%q: %+v", text, s)
		}
	})
}

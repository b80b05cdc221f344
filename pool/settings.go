package pool

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Settings say how often servers are probed: the row "monitors" of system_settings.
type Settings struct {
	IntervalActive    time.Duration
	IntervalTesting   time.Duration
	IntervalCandidate time.Duration
	Spacing           time.Duration // least time between any two probes of one server

	// Lab says that the servers are our own, on loopback: then any interval and spacing goes.
	Lab bool
}

// DefaultSettings are the figures of the NTP Pool.
func DefaultSettings() Settings {
	return Settings{
		IntervalActive:    9 * time.Minute,
		IntervalTesting:   45 * time.Minute,
		IntervalCandidate: 2 * time.Hour,
		Spacing:           20 * time.Second,
	}
}

// leastSettings are the figures below which a setting falls back to its default, so that a slip of the keyboard
// floods nobody.
func leastSettings(lab bool) Settings {
	if lab {
		return Settings{
			IntervalActive:    time.Millisecond,
			IntervalTesting:   time.Millisecond,
			IntervalCandidate: time.Millisecond,
		}
	}
	return Settings{
		IntervalActive:    20 * time.Second,
		IntervalTesting:   60 * time.Second,
		IntervalCandidate: 60 * time.Second,
		Spacing:           10 * time.Second,
	}
}

// LongestInterval is the longest time between two probes that may be set: a monitor that probes a server less often
// than once a month says nothing of it.
const LongestInterval = 30 * 24 * time.Hour

type settingsJSON struct {
	Active    string `json:"interval_active"`
	Testing   string `json:"interval_testing"`
	Candidate string `json:"interval_candidate"`
	Spacing   string `json:"interval_all"`
	Lab       bool   `json:"lab,omitempty"`
}

// JSON is the settings as stored.
func (s Settings) JSON() string {
	text, err := json.Marshal(settingsJSON{
		Active:    s.IntervalActive.String(),
		Testing:   s.IntervalTesting.String(),
		Candidate: s.IntervalCandidate.String(),
		Spacing:   s.Spacing.String(),
		Lab:       s.Lab,
	})
	if err != nil {
		panic(err) // four strings always marshal
	}
	return string(text)
}

// ParseSettings reads stored settings. Unknown keys are ignored. What is missing, unreadable, too small or too large keeps
// its default; the error names each such value that was there, and the settings are usable all the same.
func ParseSettings(text string) (Settings, error) {
	s := DefaultSettings()
	var j settingsJSON
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return s, fmt.Errorf("read settings %q: %w; the defaults hold", text, err)
	}
	s.Lab = j.Lab
	var bad []error
	read := func(name, value string, least time.Duration, into *time.Duration) {
		if value == "" {
			return
		}
		if d, err := time.ParseDuration(value); err == nil && d >= least && d <= LongestInterval {
			*into = d
			return
		}
		bad = append(bad, fmt.Errorf("%s=%q is not a duration between %s and %s, %s holds", name, value, least, LongestInterval, *into))
	}
	least := leastSettings(j.Lab)
	read("interval_active", j.Active, least.IntervalActive, &s.IntervalActive)
	read("interval_testing", j.Testing, least.IntervalTesting, &s.IntervalTesting)
	read("interval_candidate", j.Candidate, least.IntervalCandidate, &s.IntervalCandidate)
	read("interval_all", j.Spacing, least.Spacing, &s.Spacing)
	return s, errors.Join(bad...)
}

package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

// Whatever settings somebody stored, each place in a timetable is one that can be kept and followed: in whole
// milliseconds, with its window within the interval, and no longer than the longest one.
func TestAnySettingsMakePlacesThatCanBeKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		duration := func(name string) string {
			unit := rapid.SampledFrom([]string{"ns", "us", "ms", "s", "m", "h"}).Draw(t, name+" unit")
			return fmt.Sprintf("%d%s", rapid.IntRange(0, 1_000_000).Draw(t, name), unit)
		}
		settings, _ := pool.ParseSettings(fmt.Sprintf(
			`{"interval_active":%q,"interval_testing":%q,"interval_candidate":%q,"interval_all":%q,"lab":%t}`,
			duration("active"), duration("testing"), duration("candidate"), duration("spacing"), rapid.Bool().Draw(t, "lab")))
		var wants []schedule.Want
		for id := range rapid.IntRange(1, 32).Draw(t, "monitors") {
			status := rapid.SampledFrom([]pool.Status{pool.Active, pool.Testing, pool.Candidate}).Draw(t, "status")
			interval, _ := schedule.Interval(settings, status, pool.GlobalActive, false, false)
			wants = append(wants, schedule.Want{Monitor: pool.MonitorID(id + 1), Status: status, Interval: interval})
		}
		for _, p := range schedule.Place(7, settings, midnight, wants) {
			c := p.Cadence
			if c.Interval <= 0 || c.Interval > pool.LongestInterval || c.Phase < 0 || c.Phase >= c.Interval ||
				c.Window <= 0 || c.Window > c.Interval ||
				c.Interval%time.Millisecond+c.Phase%time.Millisecond+c.Window%time.Millisecond != 0 {
				t.Fatalf("settings %+v: %+v", settings, c)
			}
		}
	})
}

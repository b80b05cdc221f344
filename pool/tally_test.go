package pool_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"truechimer/pool"
)

// Figures are of the running hour and the 24 full ones before it, in UTC whatever the time's own zone.
func TestFiguresSinceBeginsADayBeforeTheHour(t *testing.T) {
	east := time.FixedZone("", 5*3600+1800)
	for _, row := range []struct{ name, now, want string }{
		{"within an hour", "2026-03-14T12:59:59.999999Z", "2026-03-13T12:00:00Z"},
		{"at its beginning", "2026-03-14T12:00:00Z", "2026-03-13T12:00:00Z"},
		{"after midnight", "2026-03-14T00:00:00.000001Z", "2026-03-13T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339Nano, row.now)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Time{now, now.In(east)} {
			if have := pool.FiguresSince(at).Format(time.RFC3339Nano); have != row.want {
				t.Errorf("%s: %s, want %s", row.name, have, row.want)
			}
		}
	}
}

// A tally counts what it is given: silence has a step and no RTT.
func TestTallyAddsUp(t *testing.T) {
	rtt := func(d time.Duration) *time.Duration { return &d }
	for _, row := range []struct {
		name string
		step float64
		rtt  *time.Duration
		want pool.Tally
	}{
		{"a good sample", 1, rtt(20_500 * time.Microsecond), pool.Tally{Count: 1, Timed: 1, RTT: 20_500 * time.Microsecond, Step: 1e12}},
		{"silence", -5, nil, pool.Tally{Count: 1, Step: -5e12}},
		{"a fine step", 0.123456789012345, nil, pool.Tally{Count: 1, Step: 123_456_789_012}},
		{"half a unit is rounded up", 1.5e-12, nil, pool.Tally{Count: 1, Step: 2}},
		{"also below zero", -1.5e-12, nil, pool.Tally{Count: 1, Step: -1}},
		{"half a microsecond is cut off", 0, rtt(1500), pool.Tally{Count: 1, Timed: 1, RTT: time.Microsecond}},
		{"a step beyond all rules", 1e300, nil, pool.Tally{Count: 1, Step: 1000 * 1e12}},
		{"and below them", math.Inf(-1), nil, pool.Tally{Count: 1, Step: -1000 * 1e12}},
	} {
		var have pool.Tally
		have.Add(row.step, row.rtt)
		if have != row.want {
			t.Errorf("%s: %+v, want %+v", row.name, have, row.want)
		}
	}
}

// In whatever order and parts samples are added, the sum is the same to the last digit; and what is taken away is gone.
func TestTallyKnowsNoOrder(t *testing.T) {
	type sample struct {
		Step float64
		RTT  *time.Duration
	}
	rapid.Check(t, func(t *rapid.T) {
		samples := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sample {
			rtt := rapid.Map(rapid.Int64Range(0, int64(3*time.Second)), func(n int64) time.Duration { return time.Duration(n) })
			return sample{rapid.Float64Range(-10, 1).Draw(t, "step"), rapid.Ptr(rtt, true).Draw(t, "rtt")}
		}), 0, 50).Draw(t, "samples")
		var all, first, second pool.Tally
		for _, s := range samples {
			all.Add(s.Step, s.RTT)
		}
		cut := rapid.IntRange(0, len(samples)).Draw(t, "cut")
		for i, s := range rapid.Permutation(samples).Draw(t, "order") {
			if i < cut {
				first.Add(s.Step, s.RTT)
			} else {
				second.Add(s.Step, s.RTT)
			}
		}
		if have := first.Plus(second); have != all {
			t.Errorf("%+v and %+v are %+v, want %+v", first, second, have, all)
		}
		if have := all.Minus(first); have != second {
			t.Errorf("%+v without %+v is %+v, want %+v", all, first, have, second)
		}
	})
}

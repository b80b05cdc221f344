package scoring

import (
	"time"

	"pgregory.net/rapid"

	"truechimer/pool"
)

// at is a moment of the day on which all tests play.
func at(sinceNoon time.Duration) time.Time {
	return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC).Add(sinceNoon)
}

// anyOffset draws an offset: most within a second, many on an edge of the step table or a nanosecond beside it.
func anyOffset(t *rapid.T) time.Duration {
	if rapid.Bool().Draw(t, "on an edge") {
		edge := rapid.SampledFrom([]time.Duration{0, slightOff, poorOff, badOff, farOff}).Draw(t, "edge")
		offset := edge + time.Duration(rapid.IntRange(-1, 1).Draw(t, "beside"))
		if rapid.Bool().Draw(t, "behind") {
			return -offset
		}
		return offset
	}
	return time.Duration(rapid.Int64Range(-int64(5*time.Second), int64(5*time.Second)).Draw(t, "offset"))
}

// anySample draws a sample taken at a time; about half are good.
func anySample(t *rapid.T, taken time.Time) pool.Sample {
	s := pool.Sample{At: taken}
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		s.NoReply = true
		return s
	case 1:
		s.Kiss = rapid.SampledFrom([]pool.Kiss{pool.KissRate, pool.KissDeny, pool.KissRestrict, "STEP"}).Draw(t, "kiss")
	case 2:
		s.Stratum = rapid.SampledFrom([]uint8{0, 2, 16}).Draw(t, "stratum without offset")
		s.Error = rapid.SampledFrom([]string{"", "short packet"}).Draw(t, "error")
	case 3, 4:
		offset := anyOffset(t)
		s.Offset = &offset
		s.Leap = pool.Leap(rapid.IntRange(0, 3).Draw(t, "leap"))
		s.Stratum = uint8(rapid.IntRange(0, 16).Draw(t, "stratum"))
	default:
		offset := time.Duration(rapid.Int64Range(-int64(40*time.Millisecond), int64(40*time.Millisecond)).Draw(t, "small offset"))
		s.Offset = &offset
		s.Stratum = uint8(rapid.IntRange(1, 4).Draw(t, "low stratum"))
	}
	// Few different RTTs, some of which differ by less than the log can keep: ties matter.
	rtt := time.Duration(rapid.SampledFrom([]int{0, 20_000_000, 20_000_001, 20_000_999, 20_001_000}).Draw(t, "rtt"))
	if rtt > 0 {
		s.RTT = &rtt
	}
	return s
}

// anyStatus draws what a monitor is for the server.
func anyStatus(t *rapid.T) pool.Status {
	return rapid.SampledFrom([]pool.Status{
		pool.Active, pool.Active, pool.Active, pool.Testing, pool.Candidate, pool.Paused,
	}).Draw(t, "status")
}

// anyNewest draws the newest scores of up to nine monitors: times, scores and RTTs are drawn from a few, so that
// ties and exact ages happen.
func anyNewest(t *rapid.T, now time.Time) []Newest {
	var newest []Newest
	for id := range rapid.IntRange(0, 9).Draw(t, "monitors") {
		age := rapid.SampledFrom([]time.Duration{
			-time.Minute, 0, 5 * time.Minute, activeFor, activeFor + 1, testingFor, testingFor + 1,
			candidateFor, candidateFor + 1, condemnedFor, condemnedFor + 1,
		}).Draw(t, "age")
		newest = append(newest, Newest{
			Monitor: pool.MonitorID(id + 1),
			Status:  anyStatus(t),
			Row:     pool.Ref{ID: pool.LogID(100 + id)},
			At:      now.Add(-age),
			Score:   rapid.SampledFrom([]float64{-99, -90, -89.9, 3, 10, 20}).Draw(t, "score"),
			Step:    rapid.SampledFrom([]float64{-5, 0, 1}).Draw(t, "step"),
			RTT:     rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second}).Draw(t, "rtt"),
		})
	}
	return newest
}

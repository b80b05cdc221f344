package schedule_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

func ptr[T any](v T) *T { return &v }

// reply is a valid reply of a stratum 2 server with this RTT.
func reply(rtt time.Duration) pool.Sample {
	return pool.Sample{Stratum: 2, Offset: ptr(time.Millisecond), RTT: ptr(rtt)}
}

// malformed is a reply with an error; an RTT of 0 stands for none.
func malformed(rtt time.Duration) pool.Sample {
	s := pool.Sample{Error: "packet too short"}
	if rtt > 0 {
		s.RTT = ptr(rtt)
	}
	return s
}

var silence = pool.Sample{NoReply: true}

// Of all that the queries of a burst said, the sample that says most stands for the probe.
func TestTheBestReplyIsTheResult(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name    string
		samples []pool.Sample
		want    int // index in samples
	}{
		{"least RTT of valid replies", []pool.Sample{reply(30 * ms), reply(10 * ms), reply(20 * ms)}, 1},
		{"first of equal valid replies", []pool.Sample{reply(10 * ms), {Stratum: 3, Offset: ptr(2 * ms), RTT: ptr(10 * ms)}}, 0},
		{"valid reply beats faster error", []pool.Sample{malformed(ms), reply(90 * ms), silence}, 1},
		{"valid reply without RTT beats error", []pool.Sample{malformed(ms), {Stratum: 1, Offset: ptr(ms)}, silence}, 1},
		{"error beats silence", []pool.Sample{silence, malformed(0), silence}, 1},
		{"least RTT of errors", []pool.Sample{malformed(0), malformed(20 * ms), malformed(10 * ms)}, 2},
		{"error without RTT ranks last", []pool.Sample{malformed(0), malformed(10 * ms), malformed(0)}, 1},
		{"unsynchronised but serving is valid", []pool.Sample{silence, {Stratum: 2, Leap: pool.LeapUnknown, Offset: ptr(ms), RTT: ptr(ms)}, silence}, 1},
		{"stratum 10 is still a server", []pool.Sample{{Stratum: 10, Offset: ptr(ms), RTT: ptr(9 * ms)}, reply(ms), silence}, 1},
		{"first silence", []pool.Sample{silence, {NoReply: true, Warning: "port unreachable"}, silence}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := schedule.NewBurst(len(tt.samples))
			for i, s := range tt.samples {
				if have, want := b.Record(s), i == len(tt.samples)-1; have != want {
					t.Errorf("done after query %d: have %t, want %t", i+1, have, want)
				}
			}
			if diff := cmp.Diff(tt.samples[tt.want], b.Best()); diff != "" {
				t.Errorf("best (-want +have):\n%s", diff)
			}
		})
	}
}

// A server that sends us away or says that it has no time is not asked again, and that is what the probe says,
// even if it served time a moment before.
func TestSomeRepliesEndTheBurst(t *testing.T) {
	tests := []struct {
		name   string
		sample pool.Sample
		ends   bool
	}{
		{"kiss RATE", pool.Sample{Kiss: pool.KissRate}, true},
		{"kiss DENY", pool.Sample{Kiss: pool.KissDeny}, true},
		{"kiss RSTR", pool.Sample{Kiss: pool.KissRestrict}, true},
		{"any other kiss", pool.Sample{Kiss: "XFOO"}, true},
		{"kiss with an error", pool.Sample{Kiss: pool.KissRate, Error: "kiss RATE"}, true},
		{"stratum 0 without a kiss", pool.Sample{Stratum: 0, RTT: ptr(time.Millisecond)}, true},
		{"stratum 11", pool.Sample{Stratum: 11, Offset: ptr(time.Millisecond)}, true},
		{"stratum 16", pool.Sample{Stratum: 16, Leap: pool.LeapUnknown}, true},
		{"stratum 16 with an error", pool.Sample{Stratum: 16, Error: "unsynchronised"}, true},
		{"stratum 255", pool.Sample{Stratum: 255}, true},
		{"stratum 10", pool.Sample{Stratum: 10, Offset: ptr(time.Millisecond)}, false},
		{"malformed, so of no known stratum", malformed(0), false},
		{"silence", silence, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := schedule.NewBurst(8)
			b.Record(reply(time.Microsecond))
			if have := b.Record(tt.sample); have != tt.ends {
				t.Fatalf("done: have %t, want %t", have, tt.ends)
			}
			want := reply(time.Microsecond)
			if tt.ends {
				want = tt.sample
			}
			if diff := cmp.Diff(want, b.Best()); diff != "" {
				t.Errorf("best (-want +have):\n%s", diff)
			}
		})
	}
}

// A burst has as many queries as it was told, 3 if it wasn't, and never more than 8.
func TestABurstHasOneToEightQueries(t *testing.T) {
	tests := []struct{ told, want int }{
		{-7, 1}, {0, schedule.DefaultQueries}, {1, 1}, {3, 3}, {8, 8}, {9, 8}, {1 << 40, 8},
	}
	for _, tt := range tests {
		b := schedule.NewBurst(tt.told)
		have := 1
		for have < 100 && !b.Record(silence) {
			have++
		}
		if have != tt.want {
			t.Errorf("queries of NewBurst(%d): have %d, want %d", tt.told, have, tt.want)
		}
	}
}

// Once a burst is done, a straggler changes nothing, however good it is.
func TestADoneBurstStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queries := rapid.IntRange(1, 8).Draw(t, "queries")
		b := schedule.NewBurst(queries)
		for range queries {
			b.Record(anySample(t))
		}
		want := b.Best()
		if !b.Record(anySample(t)) {
			t.Fatal("a done burst was not done any more")
		}
		if diff := cmp.Diff(want, b.Best()); diff != "" {
			t.Fatalf("best (-want +have):\n%s", diff)
		}
	})
}

// What a burst says was said by one of its queries, and if any reply was valid and none ended it, it is valid.
func TestABurstNeverLosesAValidReply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := schedule.NewBurst(8)
		var valid bool
		for range 7 {
			s := anySample(t)
			valid = valid || s.Valid()
			if b.Record(s) {
				return
			}
		}
		if b.Best().Valid() != valid {
			t.Fatalf("valid: have %t, want %t", b.Best().Valid(), valid)
		}
	})
}

func anySample(t *rapid.T) pool.Sample {
	rtt := time.Duration(rapid.IntRange(1, 5).Draw(t, "rtt")) * time.Millisecond
	return rapid.SampledFrom([]pool.Sample{
		reply(rtt), reply(rtt), malformed(rtt), malformed(0), silence, {Kiss: pool.KissRate}, {Stratum: 16},
	}).Draw(t, "sample")
}

// The next query goes 2 s after the last one was sent, or at once when that one took longer.
func TestQueriesAreTwoSecondsApart(t *testing.T) {
	tests := []struct{ took, want time.Duration }{
		{0, 2 * time.Second},
		{30 * time.Millisecond, 1970 * time.Millisecond},
		{2 * time.Second, 0},
		{schedule.QueryTimeout, 0},
		{-time.Hour, 2 * time.Second},
	}
	for _, tt := range tests {
		if have := schedule.Pause(tt.took); have != tt.want {
			t.Errorf("pause after %s: have %s, want %s", tt.took, have, tt.want)
		}
	}
}

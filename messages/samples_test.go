package messages

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// Whatever a monitor truly measures, the hub takes, exactly as it was measured.
func TestATrueSampleIsTakenAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := samples().Draw(t, "sample")
		have, err := ToSample(overTheWire(t, FromSample(want)))
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		if diff := cmp.Diff(want, have, same()); diff != "" {
			t.Errorf("want -, have +:\n%s", diff)
		}
	})
}

// The time of a sample is its identity: finer than a microsecond it isn't kept.
func TestASampleIsTakenAtAWholeMicrosecond(t *testing.T) {
	at := time.Date(2031, 5, 6, 7, 8, 9, 123456789, time.FixedZone("", 3600))
	have, err := ToSample(FromSample(pool.Sample{At: at}))
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	if want := at.Truncate(time.Microsecond).UTC(); have.At != want {
		t.Errorf("want %s, have %s", want, have.At)
	}
}

// No server can keep a monitor's sample from the hub by what it answers: it is made legible before it is sent.
func TestNoWordsKeepASampleFromBeingTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anything := rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })
		s := samples().Draw(t, "sample")
		s.Warning = anything.Draw(t, "warning")
		if s.Error != "" {
			s.Error = anything.Draw(t, "error")
		}
		if _, err := ToSample(overTheWire(t, FromSample(s))); err != nil {
			t.Errorf("refused: %v", err)
		}
	})
}

// goodSample is one that the hub takes.
func goodSample() *Sample {
	return &Sample{
		AtUs:             1_900_000_000_123_456,
		OffsetNs:         proto.Int64(-12_345_678),
		RttNs:            proto.Int64(23_456_789),
		Stratum:          2,
		Leap:             1,
		RootDelayNs:      1_000_000,
		RootDispersionNs: 2_000_000,
		ReferenceId:      0xC0000201,
		PrecisionNs:      119,
		Warning:          "reply in version 3",
		KernelTimestamps: true,
	}
}

// What no clock, no path and no packet can say is refused, and the error says what it was.
func TestASampleThatCannotBeIsRefused(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*Sample)
		want  string
	}{
		{"no time", func(m *Sample) { m.AtUs = 0 }, "2020"},
		{"2019", func(m *Sample) { m.AtUs = earliest*microsPerSecond - 1 }, "2020"},
		{"2100", func(m *Sample) { m.AtUs = latest * microsPerSecond }, "2100"},
		{"offset of more than an era", func(m *Sample) { m.OffsetNs = proto.Int64(int64(maxOffset) + 1) }, "era"},
		{"offset of less than one", func(m *Sample) { m.OffsetNs = proto.Int64(math.MinInt64) }, "era"},
		{"negative RTT", func(m *Sample) { m.RttNs = proto.Int64(-1) }, "RTT"},
		{"RTT over a minute", func(m *Sample) { m.RttNs = proto.Int64(int64(maxRTT) + 1) }, "RTT"},
		{"stratum", func(m *Sample) { m.Stratum = 256 }, "stratum 256"},
		{"leap", func(m *Sample) { m.Leap = 4 }, "leap 4"},
		{"root delay", func(m *Sample) { m.RootDelayNs = math.MaxUint64 }, "root delay"},
		{"root dispersion", func(m *Sample) { m.RootDispersionNs = uint64(maxRoot) + 1 }, "root dispersion"},
		{"precision", func(m *Sample) { m.PrecisionNs = 1 << 63 }, "precision"},
		{"offset beside an error", func(m *Sample) { m.Error = "malformed" }, "why there is none"},
		{"offset beside a kiss code", func(m *Sample) { m.Kiss = "RATE" }, "why there is none"},
		{"offset beside silence", func(m *Sample) { m.NoReply = true }, "why there is none"},
		{"offset without RTT", func(m *Sample) { m.RttNs = nil }, "without the RTT"},
		{"silence that took time", func(m *Sample) { m.NoReply, m.OffsetNs = true, nil }, "what a reply said"},
		{"kiss of five letters", func(m *Sample) { m.Kiss, m.OffsetNs = "RATED", nil }, "kiss code"},
		{"kiss in control codes", func(m *Sample) { m.Kiss, m.OffsetNs = "\x1b[2J", nil }, "kiss code"},
		{"long error", func(m *Sample) { m.Error, m.OffsetNs = strings.Repeat("x", 201), nil }, "error has 201"},
		{"warning of two lines", func(m *Sample) { m.Warning = "a\nb" }, "warning can't"},
	} {
		m := goodSample()
		if _, err := ToSample(m); err != nil {
			t.Fatalf("the good sample is refused: %v", err)
		}
		row.spoil(m)
		if _, err := ToSample(m); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: want an error with %q, have %v", row.name, row.want, err)
		}
	}
	if _, err := ToSample(nil); err == nil {
		t.Error("no sample at all: want an error")
	}
}

// A server may be as wrong as NTP can say: the sample still counts against it.
func TestAServerMayBeAnEraOff(t *testing.T) {
	m := goodSample()
	for _, offset := range []time.Duration{-maxOffset, maxOffset} {
		m.OffsetNs = proto.Int64(int64(offset))
		if have, err := ToSample(m); err != nil || *have.Offset != offset {
			t.Errorf("offset %s: have %+v, %v", offset, have, err)
		}
	}
}

// Whatever bytes an agent sends for a sample, they are refused or mean what they say.
func FuzzToSample(f *testing.F) {
	for _, m := range []*Sample{goodSample(), {}, {AtUs: earliest * microsPerSecond, NoReply: true}} {
		wire, _ := proto.Marshal(m)
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		m := new(Sample)
		if proto.Unmarshal(wire, m) != nil {
			return
		}
		s, err := ToSample(m)
		if err != nil {
			if Legible(err.Error()) != err.Error() {
				t.Errorf("the reason isn't fit to be told: %q", err)
			}
			return
		}
		if s.Valid() && (s.Offset.Abs() > maxOffset || *s.RTT < 0) || s.RootDistance() < 0 {
			t.Errorf("taken: %+v", s)
		}
		again, err := ToSample(FromSample(s))
		if diff := cmp.Diff(s, again, same()); err != nil || diff != "" {
			t.Errorf("not the same when sent again: %v %s", err, diff)
		}
	})
}

// A busy hub takes 20,000 samples a second.
func BenchmarkFromSample(b *testing.B) {
	s := toSample(goodSample())
	b.ReportAllocs()
	for b.Loop() {
		FromSample(s)
	}
}

func BenchmarkToSample(b *testing.B) {
	m := goodSample()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ToSample(m); err != nil {
			b.Fatal(err)
		}
	}
}

package messages

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

// drawn draws any X of package pool that a message can carry, field by field: a field that pool gets one day is
// drawn too, and the journeys fail until there is a place for it in the message.
func drawn[X any]() *rapid.Generator[X] {
	return rapid.MakeCustom[X](rapid.MakeConfig{
		Types: map[reflect.Type]*rapid.Generator[any]{
			reflect.TypeFor[time.Time]():      times().AsAny(),
			reflect.TypeFor[time.Duration]():  millis().AsAny(),
			reflect.TypeFor[netip.Addr]():     addrs().AsAny(),
			reflect.TypeFor[netip.AddrPort](): addrPorts().AsAny(),
			reflect.TypeFor[pool.Sample]():    samples().AsAny(),
		},
		Fields: fieldDraws(),
	})
}

// fieldDraws are the fields of which a message carries only some values.
func fieldDraws() map[reflect.Type]map[string]*rapid.Generator[any] {
	return map[reflect.Type]map[string]*rapid.Generator[any]{
		reflect.TypeFor[pool.Cadence](): {"Seed": rapid.Just(uint64(0)).AsAny()},         // a secret
		reflect.TypeFor[pool.Agent]():   {"Serial": rapid.Just("").AsAny()},              // no actor's concern
		reflect.TypeFor[pool.Roster]():  {"Warnings": rapid.Just([]string(nil)).AsAny()}, // nor are these
		reflect.TypeFor[pool.Kept]():    {"RTT": optional(nanos(0, 1<<62)).AsAny()},
		reflect.TypeFor[pool.Ref]():     {"Row": rapid.IntRange(0, 1<<31-1).AsAny()},
		reflect.TypeFor[pool.Tally](): {
			"Count": rapid.IntRange(0, 1<<31-1).AsAny(),
			"Timed": rapid.IntRange(0, 1<<31-1).AsAny(),
			"RTT":   rapid.Map(rapid.Int64Range(-1<<40, 1<<40), func(us int64) time.Duration { return time.Duration(us) * time.Microsecond }).AsAny(),
		},
		reflect.TypeFor[pool.PairScore](): {"Row": rapid.IntRange(-1, 1<<31-1).AsAny()},
		reflect.TypeFor[pool.MonitorConfig](): {
			"Samples": rapid.IntRange(0, schedule.MaxQueries).AsAny(),
		},
	}
}

// samples draws what a monitor may truly say.
func samples() *rapid.Generator[pool.Sample] {
	draw := rapid.MakeCustom[pool.Sample](rapid.MakeConfig{Fields: map[reflect.Type]map[string]*rapid.Generator[any]{
		reflect.TypeFor[pool.Sample](): {
			"At":             moments().AsAny(),
			"Offset":         optional(nanos(-maxOffset, maxOffset)).AsAny(),
			"RTT":            optional(nanos(0, maxRTT)).AsAny(),
			"Leap":           rapid.Map(rapid.Uint8Max(3), func(n uint8) pool.Leap { return pool.Leap(n) }).AsAny(),
			"RootDelay":      nanos(0, maxRoot).AsAny(),
			"RootDispersion": nanos(0, maxRoot).AsAny(),
			"Precision":      nanos(0, maxRoot).AsAny(),
			"Kiss":           rapid.SampledFrom([]pool.Kiss{"", "", pool.KissDeny, pool.KissRate, "XYZ"}).AsAny(),
			"Error":          rapid.OneOf(rapid.Just(""), texts()).AsAny(),
			"Warning":        texts().AsAny(),
		},
	}})
	return rapid.Map(draw, consistent)
}

// consistent keeps of a sample what goes together.
func consistent(s pool.Sample) pool.Sample {
	if s.NoReply {
		s.RTT, s.Kiss, s.Error = nil, "", ""
	}
	if s.RTT == nil || s.Kiss != "" || s.Error != "" {
		s.Offset = nil
	}
	return s
}

func texts() *rapid.Generator[string] { return rapid.Map(rapid.StringN(-1, 60, -1), Legible) }

// moments draws times that are on the link: whole µs from 2020 to 2100.
func moments() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.Int64Range(earliest*microsPerSecond, latest*microsPerSecond-1), toTime)
}

// times draws moments and the zero time.
func times() *rapid.Generator[time.Time] {
	return rapid.OneOf(rapid.Just(time.Time{}), moments())
}

func millis() *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.Uint64Range(0, maxMillis), toMillis)
}

func nanos(least, most time.Duration) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.Int64Range(int64(least), int64(most)), func(ns int64) time.Duration { return time.Duration(ns) })
}

// addrs draws addresses of both versions and none; no IPv4 address mapped into IPv6, which becomes IPv4.
func addrs() *rapid.Generator[netip.Addr] {
	bytes := rapid.OneOf(
		rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 4, 4), rapid.SliceOfN(rapid.Byte(), 16, 16))
	return rapid.Map(bytes, toAddr)
}

func addrPorts() *rapid.Generator[netip.AddrPort] {
	return rapid.Custom(func(t *rapid.T) netip.AddrPort {
		return netip.AddrPortFrom(addrs().Draw(t, "addr"), rapid.Uint16().Draw(t, "port"))
	})
}

func optional[X any](draw *rapid.Generator[X]) *rapid.Generator[*X] { return rapid.Ptr(draw, true) }

// same compares words of the pool. After a journey an empty list is none; errors are compared by what they say.
func same() cmp.Option {
	return cmp.Options{
		cmpopts.EquateEmpty(),
		cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}),
		cmp.Comparer(func(a, b error) bool {
			return errors.Is(a, b) || a != nil && b != nil && a.Error() == b.Error()
		}),
	}
}

// journey sends every X that can be drawn over the wire and back.
func journey[X any, M proto.Message](draw *rapid.Generator[X], from func(X) M, to func(M) X) func(*testing.T) {
	return func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			want := draw.Draw(t, "sent")
			have := to(overTheWire(t, from(want)))
			if diff := cmp.Diff(want, have, same()); diff != "" {
				t.Errorf("want -, have +:\n%s", diff)
			}
		})
	}
}

// overTheWire is what the other side gets.
func overTheWire[M proto.Message](t *rapid.T, m M) M {
	wire, err := proto.Marshal(m)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	arrived := m.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(wire, arrived); err != nil {
		t.Fatalf("decode: %v", err)
	}
	return arrived.(M)
}

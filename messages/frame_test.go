package messages

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// The largest batch, its samples at their longest, and the most orders, fit into a frame with room to spare.
func TestAFrameHoldsTheLargestMessage(t *testing.T) {
	longest := longestSample()
	evidence := goodEvidence()
	evidence.ServerId, evidence.MonitorId, evidence.IntervalMs = 1<<32-1, 1<<32-1, uint64(maxInterval.Milliseconds())
	evidence.Ticket, evidence.Sample = make([]byte, maxTicket), longest
	if _, err := ToSample(longest); err != nil {
		t.Fatalf("the longest sample is refused: %v", err)
	}
	batch := &Batch{Id: 1 << 63, IpVersion: 6}
	for range MaxBatch {
		batch.Evidence = append(batch.Evidence, evidence)
	}
	order := goodAssignment()
	order.ServerId, order.MonitorId, order.Port, order.Ip = 1<<32-1, 1<<32-1, 1<<16-1, make([]byte, 16)
	order.Status, order.Ticket = "candidate", make([]byte, maxTicket)
	order.IntervalMs, order.PhaseMs, order.WindowMs = 1<<31, 1<<31, 1<<31
	orders := &Assignments{IpVersion: 6, MonitorId: 1<<32 - 1}
	for range MaxAssignments {
		orders.Set = append(orders.Set, order)
	}
	for name, m := range map[string]proto.Message{"batch": batch, "assignments": orders} {
		size := proto.Size(m)
		t.Logf("%s: %d bytes", name, size)
		if size > MaxFrame*3/4 {
			t.Errorf("%s: %d bytes are more than three quarters of a frame of %d", name, size, MaxFrame)
		}
	}
}

// longestSample takes the most bytes of all that the hub takes.
func longestSample() *Sample {
	m := goodSample()
	m.AtUs, m.Stratum = latest*microsPerSecond-1, maxStratum
	m.OffsetNs, m.RttNs = nil, proto.Int64(int64(maxRTT))
	m.RootDelayNs, m.RootDispersionNs, m.PrecisionNs = uint64(maxRoot), uint64(maxRoot), uint64(maxRoot)
	m.Kiss, m.Error, m.Warning = "RATE", strings.Repeat("x", MaxText), strings.Repeat("x", MaxText)
	return m
}

// A frame beyond its bounds is refused for what it is.
func TestAFrameIsBounded(t *testing.T) {
	up := func(frame []byte) error { _, err := DecodeUp(frame); return err }
	down := func(frame []byte) error { _, err := DecodeDown(frame); return err }
	empty := field(1, nil) // an envelope with nothing in it, for either side
	for _, row := range []struct {
		name   string
		decode func([]byte) error
		frame  []byte
		want   string // in the error; empty: it is taken
	}{
		{"nothing from an agent", up, nil, ""},
		{"nothing from a hub", down, nil, ""},
		{"as many messages as an agent may send", up, bytes.Repeat(empty, MaxFrameMessages), ""},
		{"as many messages as a hub may send", down, bytes.Repeat(empty, MaxFrameMessages), ""},
		{"one more from an agent", up, bytes.Repeat(empty, MaxFrameMessages+1), "513 messages"},
		{"one more from a hub", down, bytes.Repeat(empty, MaxFrameMessages+1), "513 messages"},
		{"too long for an agent", up, make([]byte, MaxFrame+1), "bytes are more"},
		{"too long for a hub", down, make([]byte, MaxFrame+1), "bytes are more"},
		{"as many within as it may have", up, tinyEvidence(maxNested - 2), ""},
		{"one more within", up, tinyEvidence(maxNested - 1), "more than 8192 messages"},
		{"broken off", up, []byte{0x0a, 0xff}, "decode a frame from an agent"},
		{"broken off by a hub", down, []byte{0x0a, 0xff}, "decode a frame from a hub"},
		{"an id that isn't text", up, field(1, field(1, []byte("h\xff"))), "UTF-8"},
	} {
		err := row.decode(row.frame)
		if taken := err == nil; taken != (row.want == "") || !taken && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: want an error with %q, have %v", row.name, row.want, err)
		}
	}
}

// tinyEvidence is a frame with a batch of n samples that take two bytes each.
func tinyEvidence(n int) []byte {
	batch := bytes.Repeat(field(3, nil), n)
	return field(1, field(4, batch))
}

// field is a message on the wire, in the field with this number.
func field(number protowire.Number, wire []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), wire)
}

// An agent can't make the hub take much more memory than a frame has bytes.
func TestAFrameTakesLittleMemory(t *testing.T) {
	frame := tinyEvidence(MaxFrame/2 - 10)
	if len(frame) > MaxFrame || len(frame) < MaxFrame-100 {
		t.Fatalf("the frame has %d bytes", len(frame))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := DecodeUp(frame)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; err == nil || took > 1<<20 {
		t.Errorf("want it refused before it takes memory; it took %d bytes, error %v", took, err)
	}
}

// What was decoded is its own: the memory of a frame may be used for the next one, as FrameCodec does.
func TestWhatWasDecodedOutlivesItsFrame(t *testing.T) {
	envelope, err := WrapUp("hub", "agent", &Batch{Evidence: []*Evidence{goodEvidence()}})
	if err != nil {
		t.Fatalf("wrap: %v", err)
	}
	want := &Up{Messages: []*FromAgent{envelope}}
	sent := encode(t, want)
	var frame []byte
	if err := (FrameCodec{}).Unmarshal(sent, &frame); err != nil {
		t.Fatalf("receive: %v", err)
	}
	have, err := DecodeUp(frame)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	if err := (FrameCodec{}).Unmarshal(make([]byte, len(frame)), &frame); err != nil {
		t.Fatalf("receive: %v", err)
	}
	if diff := cmp.Diff(want, have, protocmp.Transform()); diff != "" {
		t.Errorf("want -, have +:\n%s", diff)
	}
}

// The codec of the link knows frames alone.
func TestTheCodecKnowsFramesAlone(t *testing.T) {
	frame := []byte("frame")
	if have, err := (FrameCodec{}).Marshal(&frame); err != nil || string(have) != "frame" {
		t.Errorf("have %q, %v", have, err)
	}
	if have, err := (FrameCodec{}).Marshal(&Up{}); err == nil {
		t.Errorf("sent something else: %q", have)
	}
	if err := (FrameCodec{}).Unmarshal(frame, &Up{}); err == nil {
		t.Error("received something else")
	}
}

// Whatever bytes an agent sends for a frame, its messages are refused or within their bounds.
func FuzzDecodeUp(f *testing.F) {
	for _, m := range upSpecimens() {
		envelope, err := WrapUp("hub/gateway", "agent", m)
		if err != nil {
			f.Fatalf("wrap: %v", err)
		}
		f.Add(encode(f, &Up{Messages: []*FromAgent{envelope}}))
	}
	f.Add(tinyEvidence(MaxBatch + 1))
	f.Fuzz(func(t *testing.T, frame []byte) {
		up, err := DecodeUp(frame)
		if err != nil {
			return
		}
		for _, envelope := range up.Messages {
			m, err := UnwrapUp(envelope)
			if err != nil {
				continue
			}
			again, err := WrapUp(envelope.To, envelope.From, m)
			if err != nil || !proto.Equal(stripped(envelope), again) {
				t.Errorf("%v, wrapped again: %v, %v", envelope, again, err)
			}
		}
	})
}

// Whatever bytes a hub sends for a frame, its messages are refused or within their bounds.
func FuzzDecodeDown(f *testing.F) {
	for _, m := range downSpecimens() {
		envelope, err := WrapDown("agent", "hub/gateway", m)
		if err != nil {
			f.Fatalf("wrap: %v", err)
		}
		f.Add(encode(f, &Down{Messages: []*FromHub{envelope}}))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		down, err := DecodeDown(frame)
		if err != nil {
			return
		}
		for _, envelope := range down.Messages {
			m, err := UnwrapDown(envelope)
			if err != nil {
				continue
			}
			again, err := WrapDown(envelope.To, envelope.From, m)
			if err != nil || !proto.Equal(stripped(envelope), again) {
				t.Errorf("%v, wrapped again: %v, %v", envelope, again, err)
			}
		}
	})
}

// stripped is an envelope without what a newer program has written onto it.
func stripped[M proto.Message](envelope M) M {
	envelope.ProtoReflect().SetUnknown(nil)
	return envelope
}

// A full batch is what a busy link carries all the time.
func BenchmarkDecodeUp(b *testing.B) {
	batch := &Batch{Id: 1, IpVersion: 4}
	for range MaxBatch {
		batch.Evidence = append(batch.Evidence, goodEvidence())
	}
	envelope, err := WrapUp("hub/gateway/session/a.1", "agent/uplink", batch)
	if err != nil {
		b.Fatal(err)
	}
	frame := encode(b, &Up{Messages: []*FromAgent{envelope}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeUp(frame); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*MaxBatch), "ns/sample")
}

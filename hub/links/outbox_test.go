package links

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"truechimer/messages"
)

// specimen draws a frame of one message, and how often it is sent: small ones by the hundred.
func specimen(t *rapid.T) (frame []byte, times int) {
	m := &messages.FromHub{To: "a"}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		m.Message = &messages.FromHub_Dismissal{Dismissal: &messages.Dismissal{}}
		times = rapid.SampledFrom([]int{1, 10, messages.MaxFrameMessages + 10}).Draw(t, "times")
	case 1: // many messages in a few bytes
		m.Message = &messages.FromHub_Verdicts{Verdicts: &messages.Verdicts{Verdicts: manyVerdicts()}}
		times = rapid.IntRange(1, 20).Draw(t, "times")
	case 2: // about as much as is joined
		size := rapid.IntRange(0, joined+100).Draw(t, "size")
		m.Message = &messages.FromHub_Dismissal{Dismissal: &messages.Dismissal{Reason: string(make([]byte, size))}}
		times = rapid.IntRange(1, 4).Draw(t, "times")
	case 3: // as much as a frame takes
		m.Message = &messages.FromHub_Dismissal{Dismissal: &messages.Dismissal{Reason: string(make([]byte, messages.MaxFrame-20))}}
		times = 1
	}
	frame, err := proto.Marshal(&messages.Down{Messages: []*messages.FromHub{m}})
	if err != nil {
		t.Fatal(err)
	}
	return frame, times
}

// What is put in comes out, all of it and in order, in frames that agents take.
func TestTheOutboxKeepsAllInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := newOutbox(1<<20, 1<<30)
		var want, have []byte
		for range rapid.IntRange(0, 6).Draw(t, "rounds") {
			frame, times := specimen(t)
			want = append(want, bytes.Repeat(frame, times)...)
			for range times {
				if err := o.put(bytes.Clone(frame)); err != nil {
					t.Fatal(err)
				}
			}
			if rapid.Bool().Draw(t, "taken") {
				have = append(have, nextFrame(t, o)...)
			}
		}
		o.close(nil)
		for o.bytes > 0 {
			have = append(have, nextFrame(t, o)...)
		}
		if !bytes.Equal(want, have) {
			t.Fatalf("%d bytes came out of %d", len(have), len(want))
		}
		if _, open := o.next(); open {
			t.Fatal("there is something behind the last message")
		}
	})
}

// nextFrame takes a frame as an agent does.
func nextFrame(t *rapid.T, o *outbox) []byte {
	frame, open := o.next()
	if !open {
		t.Fatal("the outbox is closed")
	}
	if _, err := messages.DecodeDown(frame); err != nil {
		t.Fatalf("an agent refuses the frame: %v", err)
	}
	return bytes.Clone(frame)
}

// Messages that are small travel together.
func TestSmallMessagesAreJoined(t *testing.T) {
	o := newOutbox(100, 1<<20)
	for range 50 {
		if err := o.put(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	if frame, _ := o.next(); len(frame) != 5000 {
		t.Errorf("the first frame has %d bytes of 5000", len(frame))
	}
}

// The bounds of the outbox hold, but for the last frame: who is dismissed is told so.
func TestTheOutboxIsBounded(t *testing.T) {
	for _, row := range []struct {
		name            string
		most, mostBytes int
		size            int
	}{
		{"in messages", 3, 1000, 1},
		{"in bytes", 100, 300, 100},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := newOutbox(row.most, row.mostBytes)
			for i := range 3 {
				if err := o.put(make([]byte, row.size)); err != nil {
					t.Fatalf("frame %d: %v", i, err)
				}
			}
			if err := o.put(make([]byte, row.size)); !errors.Is(err, errFull) {
				t.Errorf("a fourth one: %v", err)
			}
			o.close([]byte("last"))
			if err := o.put([]byte("later")); err != nil {
				t.Errorf("once it is closed: %v", err)
			}
			if frame, _ := o.next(); !bytes.HasSuffix(frame, []byte("last")) || len(frame) != 3*row.size+4 {
				t.Errorf("have %q", frame)
			}
			if _, open := o.next(); open {
				t.Error("it isn't empty")
			}
		})
	}
}

// Who waits for the next frame is woken by one, and by the end.
func TestTheOutboxWakesWhoWaits(t *testing.T) {
	o := newOutbox(10, 1000)
	frames := make(chan []byte)
	go func() {
		defer close(frames)
		for {
			frame, open := o.next()
			if !open {
				return
			}
			frames <- frame
		}
	}()
	if err := o.put([]byte("one")); err != nil {
		t.Fatal(err)
	}
	if have := await(t, frames); string(have) != "one" {
		t.Errorf("have %q", have)
	}
	o.close(nil)
	if have := await(t, frames); have != nil {
		t.Errorf("have %q", have)
	}
}

// In any time, an agent gets no more read than its rate and what it has saved up
// and one that stays below its rate never waits.
func TestThePaceIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const rate, ahead = 1000, 2 * time.Second
		p := pace{rate: rate, ahead: ahead}
		start := time.Unix(1_900_000_000, 0)
		now, total := start, 0
		for range rapid.IntRange(1, 100).Draw(t, "frames") {
			bytes := rapid.IntRange(1, 5000).Draw(t, "bytes")
			total += bytes
			wait := p.take(now, bytes)
			now = now.Add(max(0, wait))
			if most := int((now.Sub(start) + ahead).Seconds() * rate); total > most+1 {
				t.Fatalf("%d bytes within %v are more than %d", total, now.Sub(start), most)
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "idle ms")) * time.Millisecond)
		}
	})
	slow := pace{rate: 1000, ahead: time.Second}
	now := time.Unix(1_900_000_000, 0)
	for i := range 100 {
		if wait := slow.take(now, 1000); wait > 0 {
			t.Fatalf("frame %d waits for %v", i, wait)
		}
		now = now.Add(time.Second)
	}
}

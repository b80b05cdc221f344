package live

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func state(topic, payload string) Message {
	return Message{Topic: topic, QoS: 1, Retained: true, Payload: []byte(payload)}
}

func event(topic, payload string) Message {
	return Message{Topic: topic, QoS: 1, Payload: []byte(payload)}
}

func sample(topic, payload string) Message {
	return Message{Topic: topic, Payload: []byte(payload)}
}

// drain sends everything over a connection that works, and returns it as "topic=payload".
func (o *outbox) drain() []string {
	var sent []string
	for {
		m, ok := o.next()
		if !ok {
			return sent
		}
		sent = append(sent, m.Topic+"="+string(m.Payload))
		o.landed()
	}
}

func fill(t *testing.T, o *outbox, messages ...Message) {
	t.Helper()
	for _, m := range messages {
		if err := o.add(m); err != nil {
			t.Fatal(err)
		}
	}
}

// While there is no connection only the newest state of each topic waits, in the place of the first; events wait all.
func TestOnlyTheNewestStateWaits(t *testing.T) {
	o := newOutbox()
	fill(t, o, state("a", "1"), event("e", "1"), state("b", "1"), state("a", "2"), event("e", "2"), state("a", "3"))
	o.connected()
	want := []string{"a=3", "e=1", "b=1", "e=2"}
	if diff := cmp.Diff(want, o.drain()); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
	if diff := cmp.Diff(Counts{Sent: 4, Conflated: 2, Up: true}, o.read()); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

// What has no value later is refused while there is no connection, and forgotten when one breaks.
func TestSamplesDontWaitForAConnection(t *testing.T) {
	o := newOutbox()
	if err := o.add(sample("s", "1")); !errors.Is(err, ErrDown) {
		t.Errorf("have error %v, want %v", err, ErrDown)
	}
	o.connected()
	fill(t, o, sample("s", "2"), sample("s", "3"), event("e", "1"))
	o.next()
	o.down()
	o.connected()
	if diff := cmp.Diff([]string{"e=1"}, o.drain()); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
	if diff := cmp.Diff(Counts{Sent: 1, Dropped: 3, Up: true}, o.read()); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

// What was sent but not acknowledged when the connection broke is sent again, first and in order; a state only if
// there is no newer one.
func TestWhatWasNotAcknowledgedIsSentAgain(t *testing.T) {
	o := newOutbox()
	o.connected()
	fill(t, o, state("a", "1"), event("e", "1"), state("b", "1"), event("e", "2"))
	for range 3 {
		o.next()
	}
	o.landed() // a=1 is with the broker
	fill(t, o, state("b", "2"), state("a", "2"))
	o.down()
	fill(t, o, state("c", "1"))
	o.connected()
	want := []string{"e=1", "e=2", "b=2", "a=2", "c=1"}
	if diff := cmp.Diff(want, o.drain()); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

// Nothing in the outbox grows without bound but the number of topics, and what is refused is counted.
func TestTheOutboxIsBounded(t *testing.T) {
	o := newOutbox()
	o.connected()
	for range maxWaiting {
		fill(t, o, event("e", ""))
	}
	for name, m := range map[string]Message{"an event": event("e", ""), "a sample": sample("s", "")} {
		if err := o.add(m); !errors.Is(err, ErrFull) {
			t.Errorf("%s: have error %v, want %v", name, err, ErrFull)
		}
	}
	fill(t, o, state("a", "still taken"))
	if err := o.add(Message{Topic: "a", QoS: 1, Retained: true, Payload: make([]byte, maxPayload+1)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("have error %v, want %v", err, ErrTooLarge)
	}
	for range maxFlying {
		if _, ok := o.next(); !ok {
			t.Fatal("nothing to send")
		}
	}
	if m, ok := o.next(); ok {
		t.Errorf("%s flies too", m.Topic)
	}
	if diff := cmp.Diff(Counts{Dropped: 3, Waiting: maxWaiting + 1, Up: true}, o.read()); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
	fill(t, o, event("e", "there is room for as many as fly"))
}

// The last word takes the place of what waits on its topic; nothing is taken after it; and once it has landed the
// outbox is drained.
func TestTheLastWord(t *testing.T) {
	o := newOutbox()
	fill(t, o, state("status", "online"), event("e", "1"))
	last := state("status", "offline")
	o.close(&last)
	o.close(&last)
	if err := o.add(state("status", "online")); !errors.Is(err, ErrClosed) {
		t.Errorf("have error %v, want %v", err, ErrClosed)
	}
	if o.isDrained() {
		t.Error("drained before anything was sent")
	}
	if diff := cmp.Diff([]string{"status=offline", "e=1"}, o.drain()); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
	if !o.isDrained() {
		t.Error("not drained after everything was sent")
	}
	empty := newOutbox()
	empty.close(nil)
	if !empty.isDrained() {
		t.Error("an empty outbox isn't drained")
	}
}

// Whatever happens to the connection, the broker ends up with the newest state of each topic and every event in
// order, repeats aside, and every message is accounted for.
func TestNothingIsLostSilently(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, broker := newOutbox(), newMemory()
		want := newMemory()
		var taken, refused uint64
		var flying []Message
		for n := range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"say", "say", "say", "send", "send", "land", "up", "down"}).Draw(t, "step") {
			case "say":
				m := drawMessage(t, n)
				if o.add(m) != nil {
					refused++
					break
				}
				taken++
				want.hear(m)
			case "send":
				if m, ok := o.next(); ok && o.read().Up {
					flying = append(flying, m)
					if rapid.Bool().Draw(t, "arrives") {
						broker.hear(m)
					} else {
						o.down() // it got lost, and the connection with it
						flying = nil
					}
				} else if ok {
					o.down()
				}
			case "land":
				if len(flying) > 0 {
					flying = flying[1:]
					o.landed()
				}
			case "up":
				o.connected()
			case "down":
				o.down()
				flying = nil
			}
		}
		o.down()
		o.connected()
		for m, ok := o.next(); ok; m, ok = o.next() {
			broker.hear(m)
			o.landed()
		}
		if diff := cmp.Diff(want.states, broker.states); diff != "" {
			t.Errorf("states (-want +have):\n%s", diff)
		}
		if diff := cmp.Diff(want.events, broker.events); diff != "" {
			t.Errorf("events (-want +have):\n%s", diff)
		}
		counts := o.read()
		if counts.Sent+counts.Conflated+counts.Dropped != taken+refused || counts.Waiting != 0 {
			t.Errorf("%d taken and %d refused, but counted: %+v", taken, refused, counts)
		}
	})
}

func drawMessage(t *rapid.T, n int) Message {
	topic := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "topic")
	kind := rapid.SampledFrom([]func(string, string) Message{state, event, sample}).Draw(t, "kind")
	return kind(topic, fmt.Sprint(n))
}

// memory is what somebody knows who has heard some messages: states, and events without repeats.
type memory struct {
	states map[string]string
	events []string
	heard  map[string]bool
}

func newMemory() *memory {
	return &memory{states: map[string]string{}, heard: map[string]bool{}}
}

func (k *memory) hear(m Message) {
	word := m.Topic + "=" + string(m.Payload)
	switch {
	case isState(m):
		k.states[m.Topic] = string(m.Payload)
	case m.QoS > 0 && !k.heard[word]:
		k.heard[word] = true
		k.events = append(k.events, word)
	}
}

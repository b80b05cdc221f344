package world

import (
	"fmt"
	"hash"
	"hash/fnv"
	"reflect"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
)

// Kind is what happened.
type Kind uint8

// Their order is part of the hash of a run, and of nothing that is stored.
const (
	Delivered     Kind = iota + 1 // a message reached its actor
	Fired                         // a timer went off
	Panicked                      // an actor's handler panicked
	Undeliverable                 // a message found no actor
	Reached                       // a point marked by Sometimes
	Started                       // a node
	Crashed                       // a node
	Paused                        // a node
	Resumed                       // a node
	Connected                     // two nodes
	Disconnected                  // two nodes
)

var kindNames = [...]string{
	Delivered: "delivered", Fired: "fired", Panicked: "panicked", Undeliverable: "undeliverable", Reached: "reached",
	Started: "started", Crashed: "crashed", Paused: "paused", Resumed: "resumed",
	Connected: "connected", Disconnected: "disconnected",
}

// String is the kind as a word.
func (k Kind) String() string { return kindNames[k] }

// Event is one thing that happened, for people to read.
type Event struct {
	At      time.Time // true time
	Kind    Kind
	Node    string // where; empty for the world itself
	Actor   string // its path, or the other node, or the point that was reached
	Message any    // of the actor, nil if none
}

// String is the event as one line.
func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", e.At.Format("2006-01-02T15:04:05.000000000Z"), e.Kind, e.Node)
	if e.Actor != "" {
		fmt.Fprintf(&b, "/%s", e.Actor)
	}
	switch m := e.Message.(type) {
	case nil:
	case error:
		fmt.Fprintf(&b, " %v", m)
	case fmt.Stringer:
		fmt.Fprintf(&b, " %T %s", m, m)
	default:
		fmt.Fprintf(&b, " %T", m)
	}
	return b.String()
}

// Carrier is a message that stands for another one, as timers and the answers of ports do:
// the trace names what is inside.
type Carrier interface{ Message() any }

// trace is what is known of a run afterwards: its hash, and its last events.
type trace struct {
	hash    uint64
	types   map[reflect.Type]uint64
	payload hash.Hash64
	wire    []byte // where messages are encoded, used again and again
	last    []Event
	next    int // in last, where the next event goes
}

func newTrace(seed uint64, keep int) trace {
	return trace{hash: seed, types: make(map[reflect.Type]uint64), payload: fnv.New64a(), last: make([]Event, 0, keep)}
}

// Hash names the history so far: two runs with one hash took the same steps at the same times, as far as
// the world can see: actors, types of messages and the contents of protobufs.
func (w *World) Hash() uint64 { return w.trace.hash }

// LastEvents are the last events, oldest first, as many as Config.Keep says.
func (w *World) LastEvents() []Event {
	t := &w.trace
	return append(append([]Event(nil), t.last[t.next:]...), t.last[:t.next]...)
}

// record adds an event to the history; what identifies it beyond kind, time and message is given as words.
func (w *World) record(e Event, words ...uint64) {
	t := &w.trace
	t.mix(uint64(e.Kind), uint64(w.now))
	t.mix(words...)
	if e.Message != nil {
		e.Message = contents(e.Message)
		t.mix(t.typeHash(e.Message), t.payloadHash(e.Message))
	}
	if cap(t.last) == 0 {
		return
	}
	e.At = w.Now()
	if len(t.last) < cap(t.last) {
		t.last = append(t.last, e)
		return
	}
	t.last[t.next] = e
	t.next = (t.next + 1) % len(t.last)
}

// contents is the message that matters: without its envelope and what carries it.
func contents(message any) any {
	message = actor.UnwrapEnvelopeMessage(message)
	if c, ok := message.(Carrier); ok {
		return c.Message()
	}
	return message
}

// mix folds words into the hash: each step can be undone, so that nothing of what came before is lost,
// and multiplying by the golden ratio spreads each bit upwards, the shift down again (Knuth 6.4).
func (t *trace) mix(words ...uint64) {
	h := t.hash
	for _, word := range words {
		h = (h ^ word) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	t.hash = h
}

// typeHash is taken from the type's name: its address differs between processes.
func (t *trace) typeHash(message any) uint64 {
	kind := reflect.TypeOf(message)
	known, ok := t.types[kind]
	if !ok {
		known = nameHash(kind.String())
		t.types[kind] = known
	}
	return known
}

// payloadHash is 0 for what isn't a protobuf, or can't be encoded.
func (t *trace) payloadHash(message any) uint64 {
	m, ok := message.(proto.Message)
	if !ok {
		return 0
	}
	wire, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(t.wire[:0], m)
	if err != nil {
		return 0
	}
	t.wire = wire
	t.payload.Reset()
	t.payload.Write(wire)
	return t.payload.Sum64()
}

func nameHash(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

package live

import (
	"errors"
	"sync"
)

// Why a message was not taken. It is lost, and counted.
var (
	ErrDown     = errors.New("there is no connection, and the message has no value later")
	ErrFull     = errors.New("too many messages wait")
	ErrTooLarge = errors.New("the message is too large")
	ErrClosed   = errors.New("the publisher is closed")
)

const (
	// maxWaiting bounds the messages that wait and can't be conflated: some minutes of a large installation's
	// changes of selection, or a second of its samples.
	maxWaiting = 4096

	// maxFlying bounds the messages that the broker has not acknowledged yet. It keeps a fast network busy without
	// piling up what would have to be sent again.
	maxFlying = 64

	// maxPayload bounds a message, in bytes. Ours have about 1 kB. Brokers cut off who sends more than they take,
	// and then the message would be sent again, for ever.
	maxPayload = 32 << 10
)

// Counts tell what became of the messages.
type Counts struct {
	Sent      uint64 // taken by the broker; with QoS 0: by the network
	Conflated uint64 // replaced by a newer one of their topic before they were sent
	Dropped   uint64 // lost
	Waiting   int    // still to be sent, or to be acknowledged
	Up        bool   // there is a connection
}

// outbox holds what is to be sent. A retained message with QoS 1 says how something is: of each topic only the
// newest waits, so there are no more than topics. The others say what happened: those with QoS 1 wait in bounded
// number, those with QoS 0 only while there is a connection.
type outbox struct {
	mu      sync.Mutex
	waiting []*Message          // in the order in which they are sent
	states  map[string]*Message // those in waiting that say how something is, by topic
	events  int                 // the others in waiting
	flying  []*Message          // handed to paho and not settled, in order
	up      bool
	closed  bool
	counts  Counts

	ready   chan struct{} // gets a word when there may be something to send
	drained chan struct{} // closed when the outbox is closed and everything has been sent
}

// isState tells whether a newer message of its topic makes this one worthless.
func isState(m Message) bool {
	return m.QoS > 0 && m.Retained
}

func newOutbox() *outbox {
	return &outbox{states: make(map[string]*Message), ready: make(chan struct{}, 1), drained: make(chan struct{})}
}

// add takes a message or says why not.
func (o *outbox) add(m Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refusal(m); err != nil {
		o.counts.Dropped++
		return err
	}
	o.push(m)
	return nil
}

func (o *outbox) refusal(m Message) error {
	switch {
	case o.closed:
		return ErrClosed
	case len(m.Payload) > maxPayload:
		return ErrTooLarge
	case isState(m):
		return nil
	case m.QoS == 0 && !o.up:
		return ErrDown
	case o.events >= maxWaiting:
		return ErrFull
	}
	return nil
}

func (o *outbox) push(m Message) {
	if older := o.states[m.Topic]; older != nil && isState(m) {
		*older = m
		o.counts.Conflated++
		return
	}
	o.enqueue(&m)
	o.wake()
}

func (o *outbox) enqueue(m *Message) {
	o.waiting = append(o.waiting, m)
	if isState(*m) {
		o.states[m.Topic] = m
	} else {
		o.events++
	}
}

func (o *outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// next is the message to send now. It counts as flying until landed or down.
func (o *outbox) next() (Message, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 || len(o.flying) >= maxFlying {
		return Message{}, false
	}
	first := o.waiting[0]
	o.waiting[0] = nil
	o.waiting = o.waiting[1:]
	if isState(*first) {
		delete(o.states, first.Topic)
	} else {
		o.events--
	}
	o.flying = append(o.flying, first)
	return *first, true
}

// landed settles the first of those that fly.
func (o *outbox) landed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flying = o.flying[1:]
	o.counts.Sent++
	o.wake()
	o.checkDrained()
}

// connected lets messages in that are of value only now.
func (o *outbox) connected() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.up = true
	o.wake()
}

// down takes back what flew, since nobody knows whether it arrived, to be sent again before all else. What is of no
// value later is dropped.
func (o *outbox) down() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.up = false
	again := append(o.flying, o.waiting...)
	newest := make(map[string]*Message)
	for _, m := range again {
		if isState(*m) {
			newest[m.Topic] = m
		}
	}
	o.flying, o.waiting, o.events, o.states = nil, nil, 0, make(map[string]*Message)
	for _, m := range again {
		switch {
		case m.QoS == 0:
			o.counts.Dropped++
		case isState(*m) && newest[m.Topic] != m:
			o.counts.Conflated++
		default:
			o.enqueue(m)
		}
	}
	o.checkDrained()
}

// close takes the last message and none after it.
func (o *outbox) close(last *Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.closed = true
	if last != nil {
		o.push(*last)
	}
	o.checkDrained()
}

func (o *outbox) checkDrained() {
	if o.closed && len(o.waiting)+len(o.flying) == 0 && !o.isDrained() {
		close(o.drained)
	}
}

func (o *outbox) isDrained() bool {
	select {
	case <-o.drained:
		return true
	default:
		return false
	}
}

func (o *outbox) read() Counts {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts := o.counts
	counts.Waiting, counts.Up = len(o.waiting)+len(o.flying), o.up
	return counts
}

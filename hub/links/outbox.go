package links

import (
	"errors"
	"sync"

	"truechimer/messages"
)

// errFull says that an agent doesn't read what it is sent.
var errFull = errors.New("the agent doesn't read")

// outbox holds what waits to be sent to an agent, within bounds. Who puts something in never waits.
type outbox struct {
	most, mostBytes int

	mu     sync.Mutex
	filled sync.Cond // there is something new
	queue  [][]byte  // frames of one message each
	bytes  int
	closed bool
}

func newOutbox(most, mostBytes int) *outbox {
	o := &outbox{most: most, mostBytes: mostBytes}
	o.filled.L = &o.mu
	return o
}

// put adds a frame; errFull: there is no room for it. Once the outbox is closed it is forgotten.
func (o *outbox) put(frame []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return nil
	case len(o.queue) == o.most || o.bytes+len(frame) > o.mostBytes:
		return errFull
	}
	o.add(frame)
	return nil
}

// close adds a last frame, if there is one, whether there is room for it or not. Nothing comes after it.
func (o *outbox) close(last []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(last) > 0 && !o.closed {
		o.add(last)
	}
	o.closed = true
	o.filled.Signal()
}

func (o *outbox) add(frame []byte) {
	o.queue = append(o.queue, frame)
	o.bytes += len(frame)
	o.filled.Signal()
}

// next waits for what comes first, and joins to it what fits into the same frame: one frame behind another is
// a frame with the messages of both. Not open: the outbox is closed, and was emptied.
func (o *outbox) next() (frame []byte, open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.closed {
		o.filled.Wait()
	}
	if len(o.queue) == 0 {
		return nil, false
	}
	frame = o.queue[0]
	n := 1
	for n < min(len(o.queue), messages.MaxFrameMessages) && len(frame)+len(o.queue[n]) <= joined {
		frame = append(frame, o.queue[n]...)
		n++
	}
	o.bytes -= len(frame)
	o.queue = o.queue[n:]
	return frame, true
}

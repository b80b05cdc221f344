package world

import (
	"container/heap"
	"slices"
	"time"
)

// Timer is one thing that will happen at its time.
type Timer struct {
	when     int64  // virtual time, ns since 1970
	tie, seq uint64 // decide between timers of one instant
	node     *Node  // where it goes off; nil for the world itself
	f        func() // nil when stopped, or gone off
	world    *World
	index    int // in the queue, or outside
}

// outside is the index of a timer that isn't in the queue.
const outside = -1

// At calls f at time t; at once, but not before the present step is over, when t is past.
func (w *World) At(t time.Time, f func()) *Timer { return w.schedule(t.UnixNano(), nil, f) }

// After calls f when d has passed.
func (w *World) After(d time.Duration, f func()) *Timer { return w.schedule(w.now+int64(d), nil, f) }

// NextTimer is when the next timer goes off; false when none is set.
func (w *World) NextTimer() (time.Time, bool) {
	t := w.timers.first()
	if t == nil {
		return time.Time{}, false
	}
	return time.Unix(0, t.when).UTC(), true
}

// Stop keeps the timer from going off; it reports whether it still would have.
func (t *Timer) Stop() bool {
	pending := t.f != nil
	t.f = nil
	if t.index != outside {
		heap.Remove(&t.world.timers, t.index)
	}
	return pending
}

// schedule sets a timer that goes off on a node: never when the node has crashed, later when it stands still.
func (w *World) schedule(when int64, node *Node, f func()) *Timer {
	if node != nil && node.crashed {
		return &Timer{world: w, index: outside}
	}
	t := &Timer{when: max(when, w.now), seq: w.timers.set, node: node, f: f, world: w, index: outside}
	if w.config.Policy != FIFO {
		t.tie = w.scheduling.Uint64()
	}
	w.timers.set++
	heap.Push(&w.timers, t)
	return t
}

// fire lets the first timer of the queue go off, or hands it to its node for later.
func (w *World) fire(t *Timer) {
	heap.Remove(&w.timers, t.index)
	if t.node != nil && t.node.paused {
		t.node.held = append(t.node.held, t)
		return
	}
	w.record(Event{Kind: Fired, Node: nameOf(t.node)}, t.seq)
	f := t.f
	t.f = nil
	f()
}

// timerQueue is a heap of timers by their time.
type timerQueue struct {
	timers []*Timer
	set    uint64 // how many were ever set
}

func (q *timerQueue) first() *Timer {
	if len(q.timers) == 0 {
		return nil
	}
	return q.timers[0]
}

// restore puts back a timer that its node held, unless it was stopped meanwhile.
func (q *timerQueue) restore(t *Timer) {
	if t.f != nil {
		heap.Push(q, t)
	}
}

// dropNode forgets the timers of a node that crashed.
func (q *timerQueue) dropNode(n *Node) {
	q.timers = slices.DeleteFunc(q.timers, func(t *Timer) bool {
		if t.node == n {
			t.f, t.index = nil, outside
		}
		return t.node == n
	})
	for i, t := range q.timers {
		t.index = i
	}
	heap.Init(q)
}

// Len implements heap.Interface.
func (q *timerQueue) Len() int { return len(q.timers) }

// Less implements heap.Interface.
func (q *timerQueue) Less(i, j int) bool {
	a, b := q.timers[i], q.timers[j]
	if a.when != b.when {
		return a.when < b.when
	}
	if a.tie != b.tie {
		return a.tie < b.tie
	}
	return a.seq < b.seq
}

// Swap implements heap.Interface.
func (q *timerQueue) Swap(i, j int) {
	q.timers[i], q.timers[j] = q.timers[j], q.timers[i]
	q.timers[i].index, q.timers[j].index = i, j
}

// Push implements heap.Interface.
func (q *timerQueue) Push(x any) {
	t := x.(*Timer)
	t.index = len(q.timers)
	q.timers = append(q.timers, t)
}

// Pop implements heap.Interface.
func (q *timerQueue) Pop() any {
	last := len(q.timers) - 1
	t := q.timers[last]
	q.timers[last] = nil
	q.timers = q.timers[:last]
	t.index = outside
	return t
}

package world

// fifo is a queue without a bound: what bounds there are belong to the actors' protocols.
type fifo[T any] struct {
	items []T
	head  int // items before it were taken
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

// first is the item that is taken next; the queue must not be empty.
func (q *fifo[T]) first() T { return q.items[q.head] }

func (q *fifo[T]) push(x T) {
	// Where at least half of a full slice was taken, moving the rest is cheaper than growing.
	if len(q.items) == cap(q.items) && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, x)
}

// pop takes the first item; the queue must not be empty.
func (q *fifo[T]) pop() T {
	var none T
	x := q.items[q.head]
	q.items[q.head] = none // release it
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return x
}

func (q *fifo[T]) clear() { q.items, q.head = nil, 0 }

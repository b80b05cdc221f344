package world

import (
	"testing"

	"pgregory.net/rapid"
)

// A queue gives what was put in, in order, and holds on to no more than it must.
func TestQueueKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q fifo[int]
		var want []int
		for i, push := range rapid.SliceOfN(rapid.IntRange(0, 2), 0, 500).Draw(t, "pushes") {
			switch {
			case push > 0:
				q.push(i)
				want = append(want, i)
			case q.len() > 0:
				if first, have := q.first(), q.pop(); have != want[0] || first != have {
					t.Fatalf("want %d, have %d, first %d", want[0], have, first)
				}
				want = want[1:]
			}
			if q.len() != len(want) {
				t.Fatalf("want %d, have %d", len(want), q.len())
			}
		}
	})
}

// A queue that always has a few items, as that of a busy actor has, doesn't grow with what went through it.
func TestQueueStaysSmall(t *testing.T) {
	var q fifo[int]
	for i := range 10 {
		q.push(i)
	}
	for i := range 100_000 {
		q.push(i)
		q.pop()
	}
	if cap(q.items) > 64 {
		t.Errorf("want room for a few items, have %d", cap(q.items))
	}
}

package agentside

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/messages"
)

// numbers are those of samples handed out.
func numbers(spooled []*messages.Spooled) (all []uint64) {
	for _, s := range spooled {
		all = append(all, s.Number)
	}
	return all
}

// filled is a shelf with samples 1 to n.
func filled(n int) *shelf {
	s := newShelf(1)
	for range n {
		s.put(&messages.Evidence{})
	}
	return s
}

// Those that were handed out before get half of the room, as long as there are others; in turn, if they are many.
func TestStuckSamplesGetHalfOfTheRoom(t *testing.T) {
	s := filled(6)
	for _, want := range [][]uint64{
		{1, 2, 3, 4}, // all are new
		{1, 2, 5, 6}, // half of them are
		{1, 2, 3, 4}, // none is: in turn, those that have waited longest first
		{3, 4, 5, 6},
	} {
		have := numbers(s.take(4))
		if diff := cmp.Diff(want, have); diff != "" {
			t.Fatal(diff)
		}
	}
}

// What is forgotten is never handed out again, whether it was before or not.
func TestForgottenSamplesAreGone(t *testing.T) {
	s := filled(6)
	s.take(3)
	s.forget(2)
	s.forget(5)
	s.forget(99)
	if diff := cmp.Diff([]uint64{1, 3, 4, 6}, numbers(s.take(10))); diff != "" {
		t.Error(diff)
	}
	if have := s.len(); have != 4 {
		t.Errorf("want 4 kept, have %d", have)
	}
}

// The oldest go first when there is no room, whatever was forgotten between them.
func TestOldestIsDroppedFirst(t *testing.T) {
	s := filled(6)
	s.forget(1)
	s.forget(3)
	s.dropOldest()
	s.dropOldest()
	if diff := cmp.Diff([]uint64{5, 6}, numbers(s.take(10))); diff != "" {
		t.Error(diff)
	}
}

// Whatever is put, taken, forgotten and dropped: a hand-out is in order, has no sample twice, none that is gone,
// is as full as it can be, and gives each sample its turn.
func TestShelfHandsOutWhatItHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(rapid.Uint64Range(0, 1<<62).Draw(t, "first"))
		kept := make(map[uint64]bool)
		waits := make(map[uint64]int) // how many hand-outs a sample was left out of
		t.Repeat(map[string]func(*rapid.T){
			"put": func(*rapid.T) {
				kept[s.next] = true
				s.put(&messages.Evidence{})
			},
			"take": func(t *rapid.T) {
				limit := rapid.IntRange(2, 10).Draw(t, "limit")
				have := numbers(s.take(limit))
				if want := min(limit, len(kept)); len(have) != want {
					t.Fatalf("want %d, have %v", want, have)
				}
				if !slices.IsSorted(have) || len(slices.Compact(slices.Clone(have))) != len(have) {
					t.Fatalf("not in order, or twice: %v", have)
				}
				for _, n := range have {
					if !kept[n] {
						t.Fatalf("%d is gone", n)
					}
					delete(waits, n)
				}
				for n := range kept {
					if !slices.Contains(have, n) {
						waits[n]++
					}
					if waits[n] > len(kept)+1 {
						t.Fatalf("%d was left out %d times of %d", n, waits[n], len(kept))
					}
				}
			},
			"forget": func(t *rapid.T) {
				if len(kept) > 0 {
					var all []uint64
					for n := range kept {
						all = append(all, n)
					}
					slices.Sort(all)
					n := rapid.SampledFrom(all).Draw(t, "number")
					s.forget(n)
					delete(kept, n)
					delete(waits, n)
				}
			},
			"drop": func(t *rapid.T) {
				oldest, some := uint64(0), false
				for n := range kept {
					if !some || n < oldest {
						oldest, some = n, true
					}
				}
				if some {
					s.dropOldest()
					delete(kept, oldest)
					delete(waits, oldest)
				}
			},
			"": func(t *rapid.T) {
				if s.len() != len(kept) {
					t.Fatalf("want %d kept, have %d", len(kept), s.len())
				}
			},
		})
	})
}

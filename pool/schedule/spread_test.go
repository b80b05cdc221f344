package schedule

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// New places divide the gaps between the taken ones as evenly as whole places allow.
func TestNewPlacesDivideTheGaps(t *testing.T) {
	tests := []struct {
		name  string
		n     int
		taken []int
		m     int
		want  []int
	}{
		{"the first", 13, nil, 1, []int{0}},
		{"seven at once", 13, nil, 7, []int{0, 1, 3, 5, 7, 9, 11}},
		{"opposite the only one", 13, []int{4}, 1, []int{10}},
		{"in the wider gap", 13, []int{0, 5}, 1, []int{9}},
		{"across the end", 10, []int{3, 5}, 1, []int{9}},
		{"two in a gap that is twice as wide", 12, []int{0, 4}, 3, []int{2, 6, 9}},
		{"the last free one", 4, []int{0, 1, 3}, 1, []int{2}},
		{"all", 3, nil, 3, []int{0, 1, 2}},
		{"nobody", 3, []int{0, 1, 2}, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have := spread(tt.n, tt.taken, tt.m)
			slices.Sort(have)
			if diff := cmp.Diff(tt.want, have); diff != "" {
				t.Errorf("places (-want +have):\n%s", diff)
			}
		})
	}
}

// Whatever is taken, the new places are free and distinct, and no choice of as many leaves a smaller largest gap.
func TestNoOtherPlacesLeaveASmallerGap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 10).Draw(t, "n")
		var taken, free []int
		for place := range n {
			if rapid.Bool().Draw(t, "taken") {
				taken = append(taken, place)
			} else {
				free = append(free, place)
			}
		}
		m := rapid.IntRange(0, len(free)).Draw(t, "m")
		chosen := spread(n, taken, m)
		all := sortedTogether(taken, chosen)
		if len(chosen) != m || len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Fatalf("%d of %d with %v taken: chose %v", m, n, taken, chosen)
		}
		if have, want := largestGap(n, all), leastLargestGap(n, taken, free, m); have != want {
			t.Fatalf("%d of %d with %v taken: chose %v, largest gap %d, want %d", m, n, taken, chosen, have, want)
		}
	})
}

func sortedTogether(a, b []int) []int {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return all
}

func largestGap(n int, places []int) int {
	largest := 0
	for _, g := range gapsBetween(n, places) {
		largest = max(largest, g.length)
	}
	return largest
}

// leastLargestGap tries every choice of m free places.
func leastLargestGap(n int, taken, free []int, m int) int {
	if m == 0 {
		return largestGap(n, sortedTogether(taken, nil))
	}
	least := n + 1
	for i := 0; i+m <= len(free); i++ {
		least = min(least, leastLargestGap(n, append(slices.Clone(taken), free[i]), free[i+1:], m-1))
	}
	return least
}

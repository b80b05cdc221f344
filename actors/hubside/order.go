package hubside

import (
	"cmp"
	"maps"
	"slices"
)

// sortedKeys are the keys of a map in order: what others can see never depends on a map's order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}

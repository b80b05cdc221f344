package world

import (
	"fmt"
	"maps"
	"slices"
)

// Point is a place in the production's code that a good simulation reaches, and how often this one did.
type Point struct {
	Name  string
	Times int
}

// String is the point as one line.
func (p Point) String() string { return fmt.Sprintf("%s: %d", p.Name, p.Times) }

// Reached is how often the point of that name was reached on any node.
func (w *World) Reached(name string) int { return w.reached[name] }

// Points are all points that were reached, by name.
func (w *World) Points() []Point {
	var points []Point
	for _, name := range slices.Sorted(maps.Keys(w.reached)) {
		points = append(points, Point{name, w.reached[name]})
	}
	return points
}

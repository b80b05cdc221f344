package schedule

import (
	"slices"
	"time"

	"truechimer/pool"
)

const (
	// foresight is how long a window must be so that no observer, even one who knows the timetable,
	// can tell a probe to within 10 s: he errs by up to half of it.
	foresight = 20 * time.Second

	// tick is the grain of slots and phases, so that a phase survives being stored in whole milliseconds.
	// It is also the least length of a window.
	tick = time.Millisecond
)

// grid is how time is cut for one server.
type grid struct {
	origin  time.Duration // where cycles are counted from, after the Unix epoch; a whole number of ticks, like the others
	spacing time.Duration // least time between two probes
	cycle   time.Duration
	slots   int           // in a cycle
	width   time.Duration // of a slot; more than the spacing
}

// cell is a slot in one of the cycles that its owner takes in turn.
type cell struct {
	slot, turn int
}

// newGrid cuts time for a server as these settings ask and these wants need.
//
// The cycle follows from the settings alone, and the number of slots is nearly always the same, so monitors
// come and go without moving the others. There are as many slots as leave windows of the length of foresight.
// Only if active and testing ones need more there are more, for a probe that goes is worth more than one that
// can't be foretold. Without spacing (a lab) nothing is scarce, and everybody gets room.
func newGrid(server pool.ServerID, s pool.Settings, wants []Want) grid {
	spacing := (max(s.Spacing, 0) + tick - 1).Truncate(tick)
	shortest := min(s.IntervalActive, s.IntervalTesting, s.IntervalCandidate, CondemnedInterval)
	g := grid{origin: originOf(server), spacing: spacing, cycle: max(shortest.Truncate(tick), spacing+tick)}

	canWait := func(w Want) bool { return spacing > 0 && w.Status == pool.Candidate }
	needed := g.census(slices.DeleteFunc(slices.Clone(wants), canWait)).columns()
	usual := int(g.cycle / (spacing + foresight))
	most := int(g.cycle / (spacing + tick))
	g.slots = min(max(usual, needed, 1), most)
	g.width = (g.cycle / time.Duration(g.slots)).Truncate(tick)
	return g
}

// originOf is where the cycles of a server are counted from, within the first day after the Unix epoch. If it were
// the same for all servers, a monitor that has the first place with many of them would probe them all in one window.
// Multiples of the golden ratio, modulo 1, are spread evenly wherever one begins to count and stops.
func originOf(server pool.ServerID) time.Duration {
	const (
		day         = 24 * time.Hour
		goldenRatio = 2_654_435_769 // its fractional part, times 2^32
	)
	part := uint64(uint32(server) * goldenRatio)
	return time.Duration(part*uint64(day/tick)>>32) * tick
}

// turns is in how many cycles an interval comes once: as many as fit into it.
// An interval below the cycle, which the settings rule out, counts as the cycle.
func (g grid) turns(interval time.Duration) int {
	return max(int(interval/g.cycle), 1)
}

// cadence is what the owner of a cell follows.
func (g grid) cadence(at cell, turns int) pool.Cadence {
	interval := time.Duration(turns) * g.cycle
	return pool.Cadence{
		Interval: interval,
		Phase:    (g.origin + time.Duration(at.turn)*g.cycle + time.Duration(at.slot)*g.width) % interval,
		Window:   g.width - g.spacing,
	}
}

// cellOf is the cell whose owner has that many turns and follows this cadence; false if there is none in this grid.
// An Interval of 0 stands for any. The Window doesn't count: in this grid they are all the same.
func (g grid) cellOf(c pool.Cadence, turns int) (cell, bool) {
	interval := time.Duration(turns) * g.cycle
	after := ((c.Phase-g.origin)%interval + interval) % interval
	at := cell{slot: int(after % g.cycle / g.width), turn: int(after / g.cycle)}
	if at.slot >= g.slots {
		return cell{}, false
	}
	here := g.cadence(at, turns)
	return at, c.Phase == here.Phase && (c.Interval == 0 || c.Interval == here.Interval)
}

// census is how many monitors have how many turns.
type census map[int]int

func (g grid) census(wants []Want) census {
	c := census{}
	for _, w := range wants {
		c[g.turns(w.Interval)]++
	}
	return c
}

// columns is how many slots they need. Only monitors with the same number of turns share one: they never meet
// there, each having its own. (Others would meet unless their turns have a common divisor; 5 and 13 have none.)
func (c census) columns() int {
	columns := 0
	for turns := range c {
		columns += c.columnsOf(turns)
	}
	return columns
}

// columnsOf is how many slots those with this number of turns need.
func (c census) columnsOf(turns int) int {
	return (c[turns] + turns - 1) / turns
}

package schedule

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"truechimer/pool"
)

// timetable is a grid with monitors in its cells.
type timetable struct {
	grid
	columns []column // one for each slot of the cycle
}

// column is who comes in one slot: all its monitors have the same number of turns, each its own turn.
type column struct {
	turns int          // 0: the slot is free
	seats map[int]Want // by turn
}

func newTimetable(g grid) timetable {
	return timetable{grid: g, columns: make([]column, g.slots)}
}

func newColumn(turns int) column {
	return column{turns: turns, seats: map[int]Want{}}
}

func (c column) takenTurns() []int {
	return slices.Sorted(maps.Keys(c.seats))
}

// keep puts everybody back in the place that he had, if it exists in this grid and nobody more important
// sits there. It returns the others.
func (t *timetable) keep(wants []Want) (homeless []Want) {
	for _, w := range wants {
		if !t.returns(w) {
			homeless = append(homeless, w)
		}
	}
	return homeless
}

func (t *timetable) returns(w Want) bool {
	turns := t.turns(w.Interval)
	if w.Had == nil {
		return false
	}
	at, exists := t.cellOf(*w.Had, turns)
	if !exists {
		return false
	}
	c := &t.columns[at.slot]
	if c.turns == 0 {
		*c = newColumn(turns)
	}
	if _, taken := c.seats[at.turn]; taken || c.turns != turns {
		return false
	}
	c.seats[at.turn] = w
	return true
}

// condense makes room where the places that were kept lie scattered over more columns than their monitors need:
// it takes away the thinnest of these columns, as few as it can, and returns their monitors.
func (t *timetable) condense(wanted census) (homeless []Want) {
	for t.columnsWith(wanted) > t.slots {
		c := t.thinnest(wanted)
		for _, turn := range c.takenTurns() {
			homeless = append(homeless, c.seats[turn])
		}
		*c = column{}
	}
	return homeless
}

// columnsWith is how many columns there are once those have been opened that the wanted ones still need.
func (t *timetable) columnsWith(wanted census) int {
	columns := 0
	for turns := range wanted {
		columns += max(len(t.slotsOf(turns)), wanted.columnsOf(turns))
	}
	return columns
}

// thinnest is the column with the fewest monitors of those that could do with fewer columns;
// of equals the one whose monitors come least often, then the first.
func (t *timetable) thinnest(wanted census) *column {
	var thinnest *column
	for i := range t.columns {
		c := &t.columns[i]
		if c.turns == 0 || len(t.slotsOf(c.turns)) <= wanted.columnsOf(c.turns) {
			continue
		}
		if thinnest == nil || thinner(*c, *thinnest) {
			thinnest = c
		}
	}
	return thinnest
}

func thinner(a, b column) bool {
	return cmp.Or(cmp.Compare(len(a.seats), len(b.seats)), cmp.Compare(b.turns, a.turns)) < 0
}

// open opens the columns that are missing, in the widest gaps between the others.
// Who comes most often goes first and so is spread most evenly.
func (t *timetable) open(wanted census) {
	for _, turns := range slices.Sorted(maps.Keys(wanted)) {
		missing := max(wanted.columnsOf(turns)-len(t.slotsOf(turns)), 0)
		taken := t.slotsWhere(func(c column) bool { return c.turns > 0 })
		for _, slot := range spread(t.slots, taken, missing) {
			t.columns[slot] = newColumn(turns)
		}
	}
}

// slotsOf are the slots of those with this number of turns.
func (t *timetable) slotsOf(turns int) []int {
	return t.slotsWhere(func(c column) bool { return c.turns == turns })
}

func (t *timetable) slotsWhere(match func(column) bool) []int {
	var slots []int
	for slot, c := range t.columns {
		if match(c) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// seat gives everybody who has none a cell in the columns of his number of turns.
func (t *timetable) seat(homeless []Want) {
	waiting := map[int][]Want{}
	for _, w := range homeless {
		turns := t.turns(w.Interval)
		waiting[turns] = append(waiting[turns], w)
	}
	for _, turns := range slices.Sorted(maps.Keys(waiting)) {
		t.seatTogether(turns, waiting[turns])
	}
}

// seatTogether seats monitors with the same number of turns. All cells that are theirs, in the order in which they
// come, are one circle: the first turn in each of the columns, then the second turn, and so on.
func (t *timetable) seatTogether(turns int, queue []Want) {
	slots := t.slotsOf(turns)
	var taken []int
	for i, slot := range slots {
		for turn := range t.columns[slot].seats {
			taken = append(taken, turn*len(slots)+i)
		}
	}
	slices.Sort(taken)
	for i, place := range spread(turns*len(slots), taken, len(queue)) {
		t.columns[slots[place%len(slots)]].seats[place/len(slots)] = queue[i]
	}
}

// cadences are all who sit in the timetable, in the order of their slots and turns, each with what it follows.
func (t *timetable) cadences() iter.Seq2[Want, pool.Cadence] {
	return func(yield func(Want, pool.Cadence) bool) {
		for slot, c := range t.columns {
			for _, turn := range c.takenTurns() {
				if !yield(c.seats[turn], t.cadence(cell{slot: slot, turn: turn}, c.turns)) {
					return
				}
			}
		}
	}
}

// isQuiet tells whether a monitor may probe within one spacing from now: whether, of all the others, nobody who
// follows his cadence already can be due less than a spacing before or after that. Newcomers wait until From.
func (t *timetable) isQuiet(now time.Time, monitor pool.MonitorID) bool {
	if t.spacing == 0 {
		return true
	}
	from, until := now.Add(-t.spacing), now.Add(2*t.spacing)
	for w, c := range t.cadences() {
		follows := w.Had != nil && w.Had.Phase == c.Phase
		if follows && w.Monitor != monitor && startOf(c, until).Add(c.Window).After(from) {
			return false
		}
	}
	return true
}

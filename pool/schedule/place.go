package schedule

import (
	"cmp"
	"slices"
	"time"

	"truechimer/pool"
)

// Want says that a monitor is to probe the server. A monitor is wanted once at most.
type Want struct {
	Monitor  pool.MonitorID
	Status   pool.Status   // active, testing or candidate; any other is not placed
	Interval time.Duration // as Interval says; not placed unless it is positive
	AtOnce   bool          // nobody has ever probed the server, nor is anyone about to: let its first probe go now

	// Had is the cadence that was its place before; nil: it had none. Only Phase and Interval count,
	// and the Interval may be 0 where it isn't known any more: after a restart.
	Had *pool.Cadence
}

// Placed says which place a monitor has got.
type Placed struct {
	Monitor pool.MonitorID

	// Cadence lacks its Seed, which is a secret for others to make.
	Cadence pool.Cadence

	// From is before when a monitor must not follow the cadence, unless it is the very one that it follows already.
	// It is two spacings from now: one for the news to reach those who lose a place,
	// another to stay away from the last probe that they made before it did.
	From time.Time

	// AtOnce grants a probe besides the cadence, to at most one monitor: within one spacing from now
	// nobody else's probe is due so close to it. It is to be asked for once in a server's life.
	AtOnce bool
}

// Place makes the timetable of a server: a place for each monitor that is to probe it, by monitor id.
//
// Whatever their seeds, two probes of the server are at least the spacing apart, also across a change of the
// timetable. They are spread as evenly as the places that are kept allow, and no observer can predict one to
// within 10 s while active and testing monitors need no more slots than allow for that.
//
// Who keeps settings and interval keeps the phase when others come or go, except that the number of slots may have
// to change (all are placed anew), or scattered places to be put together (the thinnest slots are).
//
// If there isn't room for all, candidates are left without a place first, then testing ones, then active ones;
// of equals those that had none yet, and those with the highest ids. Nobody has a place while one of a better
// status is left out. The order of the wants doesn't matter.
func Place(server pool.ServerID, settings pool.Settings, now time.Time, wants []Want) []Placed {
	wants = byPriority(wants)
	t := newTimetable(newGrid(server, settings, wants))
	wants = t.admit(wants)
	wanted := t.census(wants)

	homeless := t.keep(wants)
	homeless = append(homeless, t.condense(wanted)...)
	t.open(wanted)
	t.seat(homeless)
	return t.places(now, wants)
}

// byPriority are the wants that may get a place, the most important first.
func byPriority(wants []Want) []Want {
	rank := map[pool.Status]int{pool.Active: 1, pool.Testing: 2, pool.Candidate: 3}
	ranked := slices.DeleteFunc(slices.Clone(wants), func(w Want) bool {
		return rank[w.Status] == 0 || w.Interval <= 0
	})
	newcomer := func(w Want) int {
		if w.Had == nil {
			return 1
		}
		return 0
	}
	slices.SortFunc(ranked, func(a, b Want) int {
		return cmp.Or(
			cmp.Compare(rank[a.Status], rank[b.Status]),
			cmp.Compare(newcomer(a), newcomer(b)),
			cmp.Compare(a.Monitor, b.Monitor))
	})
	return ranked
}

// admit are those for whom there is room, the most important first.
func (g grid) admit(wants []Want) []Want {
	var admitted []Want
	var full pool.Status // the status of which one was left out
	count := census{}
	for _, w := range wants {
		if full != "" && w.Status != full {
			break
		}
		turns := g.turns(w.Interval)
		count[turns]++
		if count.columns() > g.slots {
			count[turns]--
			full = w.Status
			continue
		}
		admitted = append(admitted, w)
	}
	return admitted
}

// places says who has which place, by monitor id.
func (t *timetable) places(now time.Time, wants []Want) []Placed {
	var places []Placed
	for w, c := range t.cadences() {
		places = append(places, Placed{Monitor: w.Monitor, Cadence: c, From: now.Add(2 * t.spacing)})
	}
	slices.SortFunc(places, func(a, b Placed) int { return cmp.Compare(a.Monitor, b.Monitor) })

	if i := slices.IndexFunc(wants, func(w Want) bool { return w.AtOnce }); i >= 0 {
		hurried := wants[i].Monitor
		at := slices.IndexFunc(places, func(p Placed) bool { return p.Monitor == hurried })
		places[at].AtOnce = t.isQuiet(now, hurried)
	}
	return places
}

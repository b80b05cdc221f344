package agentside

import (
	"container/heap"
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/schedule"
)

// agenda holds the orders of one monitor, the one that is due next first. It is pure: it is told what time it is.
// Moments are those of the wall clock, which the timetables of all monitors are made for.
type agenda struct {
	orders map[pool.ServerID]*order
	heap   []*order

	// resting are servers that were dropped just after they had been probed: should they come back, they still
	// aren't probed before their spacing is over. By Elapsed.
	resting map[pool.ServerID]time.Duration
}

// order is one assignment, and when it is to be carried out.
type order struct {
	messages.Granted
	link  uint64    // number of the link over which it was given, or given again
	due   time.Time // when the next probe goes
	hurry time.Time // until then the first probe goes as soon as any may, whatever the cadence says; zero: it doesn't

	rested time.Duration // the spacing after its last probe is over then, by Elapsed
	burst  uint64        // of the probe under way; 0: none

	index int // in the heap
}

func newAgenda() *agenda {
	return &agenda{orders: make(map[pool.ServerID]*order), resting: make(map[pool.ServerID]time.Duration)}
}

// set takes an order, or one that was given before with a new grant. It keeps the next probe's time unless
// server or cadence have changed.
func (g *agenda) set(granted messages.Granted, link uint64, now time.Time, spacing time.Duration) {
	server := granted.Assignment.Server
	o := g.orders[server]
	if o == nil {
		o = &order{rested: g.resting[server]}
		delete(g.resting, server)
		g.orders[server] = o
		heap.Push(g, o)
	}
	same := o.Assignment.Addr == granted.Assignment.Addr && o.Assignment.Cadence == granted.Assignment.Cadence
	o.Granted, o.link = granted, link
	if !same {
		g.postpone(o, now)
	}
	if granted.Assignment.AtOnce {
		o.hurry = now.Add(hurryWithin(spacing))
		g.move(o, now)
	}
}

// hurryWithin is how long a first probe may go at once: the timetable keeps others away for one spacing.
func hurryWithin(spacing time.Duration) time.Duration {
	if spacing == 0 {
		return time.Hour // in a lab nobody minds
	}
	return spacing
}

// mayHurry tells whether the first probe may go now, whatever the cadence says.
func (o *order) mayHurry(now time.Time) bool { return now.Before(o.hurry) }

// drop forgets an order.
func (g *agenda) drop(server pool.ServerID, elapsed time.Duration) {
	o := g.orders[server]
	if o == nil {
		return
	}
	heap.Remove(g, o.index)
	delete(g.orders, server)
	for other, rested := range g.resting {
		if rested <= elapsed {
			delete(g.resting, other)
		}
	}
	if o.rested > elapsed {
		g.resting[server] = o.rested
	}
}

// sweep forgets the orders that weren't given over this link.
func (g *agenda) sweep(link uint64, elapsed time.Duration) {
	for server, o := range g.orders {
		if o.link != link {
			g.drop(server, elapsed)
		}
	}
}

// first is the order that is due next; nil: there are none.
func (g *agenda) first() *order {
	if len(g.heap) == 0 {
		return nil
	}
	return g.heap[0]
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// postpone moves an order to its first moment after a time, or after its start.
func (g *agenda) postpone(o *order, after time.Time) {
	g.move(o, schedule.Next(o.Assignment.Cadence, later(after, o.Assignment.Start)))
}

// replan works all moments out anew: the wall clock has been set.
func (g *agenda) replan(now time.Time) {
	for _, o := range g.orders {
		g.postpone(o, now)
	}
}

// hurry makes those due that wait for nothing but that probes may go at all.
func (g *agenda) hurry(now time.Time) {
	for _, o := range g.orders {
		if o.mayHurry(now) {
			g.move(o, now)
		}
	}
}

func (g *agenda) move(o *order, due time.Time) {
	o.due = due
	heap.Fix(g, o.index)
}

// Len implements heap.Interface.
func (g *agenda) Len() int { return len(g.heap) }

// Less implements heap.Interface. No two orders are equal, so their order doesn't depend on how they came in.
func (g *agenda) Less(i, j int) bool {
	a, b := g.heap[i], g.heap[j]
	if !a.due.Equal(b.due) {
		return a.due.Before(b.due)
	}
	return a.Assignment.Server < b.Assignment.Server
}

// Swap implements heap.Interface.
func (g *agenda) Swap(i, j int) {
	g.heap[i], g.heap[j] = g.heap[j], g.heap[i]
	g.heap[i].index, g.heap[j].index = i, j
}

// Push implements heap.Interface.
func (g *agenda) Push(x any) {
	o := x.(*order)
	o.index = len(g.heap)
	g.heap = append(g.heap, o)
}

// Pop implements heap.Interface.
func (g *agenda) Pop() any {
	last := len(g.heap) - 1
	o := g.heap[last]
	g.heap[last] = nil
	g.heap = g.heap[:last]
	return o
}

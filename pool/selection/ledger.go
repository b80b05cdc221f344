package selection

import (
	"slices"
	"time"

	"truechimer/pool"
)

// Ledger adds up the samples of one server by monitor and hour, and forgets the hours that don't count any more.
// It isn't safe for concurrent use.
type Ledger struct {
	monitors []page // by id
}

// page is what is known of a monitor.
type page struct {
	monitor pool.MonitorID
	hours   []pool.HourTally // by hour
}

// NewLedger starts from what is kept.
func NewLedger(image pool.ServerImage) *Ledger {
	l := &Ledger{}
	for _, p := range image.Pairs {
		if len(p.Hours) > 0 {
			l.of(p.Monitor).hours = slices.Clone(p.Hours)
		}
	}
	return l
}

// Add counts a sample that was taken at a time, if that counts at all.
func (l *Ledger) Add(now time.Time, monitor pool.MonitorID, at time.Time, step float64, rtt *time.Duration) {
	hour, first := at.UTC().Truncate(time.Hour), pool.FiguresSince(now)
	if hour.Before(first) {
		return
	}
	a := l.of(monitor)
	a.forget(first)
	i, there := slices.BinarySearchFunc(a.hours, hour, func(h pool.HourTally, hour time.Time) int {
		return h.Hour.Compare(hour)
	})
	if !there {
		a.hours = slices.Insert(a.hours, i, pool.HourTally{Hour: hour})
	}
	a.hours[i].Add(step, rtt)
}

// Each tells what each monitor's samples come to, of this hour and the 24 full hours before, by monitor id.
func (l *Ledger) Each(now time.Time, told func(monitor pool.MonitorID, samples pool.Tally)) {
	from, until := pool.FiguresSince(now), now.UTC().Truncate(time.Hour).Add(time.Hour)
	for i := range l.monitors {
		a := &l.monitors[i]
		a.forget(from)
		var sum pool.Tally
		for _, h := range a.hours {
			if h.Hour.Before(until) {
				sum = sum.Plus(h.Tally)
			}
		}
		if sum.Count > 0 {
			told(a.monitor, sum)
		}
	}
	l.monitors = slices.DeleteFunc(l.monitors, func(a page) bool { return len(a.hours) == 0 })
}

// forget drops the hours before the first one that counts.
func (a *page) forget(first time.Time) {
	a.hours = slices.DeleteFunc(a.hours, func(h pool.HourTally) bool { return h.Hour.Before(first) })
}

// of is a monitor's page, a new one where it has none.
func (l *Ledger) of(monitor pool.MonitorID) *page {
	i, there := slices.BinarySearchFunc(l.monitors, monitor, func(a page, id pool.MonitorID) int {
		return int(a.monitor) - int(id)
	})
	if !there {
		l.monitors = slices.Insert(l.monitors, i, page{monitor: monitor})
	}
	return &l.monitors[i]
}

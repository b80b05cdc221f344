package persistence_test

import (
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
)

// figureRules say what the samples of a pair add up to.
func figureRules() []rule {
	return []rule{
		{"figures are of the running hour and the 24 before it", figuresHaveAWindow},
		{"figures count silence, errors and late samples", figuresCountAll},
		{"scorers have no figures", scorersHaveNoFigures},
		{"a shard that is opened has the same figures as a server that is loaded", openedFigures},
		{"closing hours changes no figures", closingChangesNothing},
		{"a sample that comes after its hour was closed counts", lateForItsHour},
	}
}

// thisHour is the hour of most tests.
var thisHour = noon.Truncate(time.Hour)

// hours are the figures of the i-th server's pair with a monitor, as of now.
func (w *world) hours(i int, monitor pool.MonitorID, now time.Time) []pool.HourTally {
	w.t.Helper()
	image, _, err := w.LoadServer(w.t.Context(), w.servers[i], now)
	w.must(err)
	for _, pair := range image.Pairs {
		if pair.Monitor == monitor {
			return pair.Hours
		}
	}
	return nil
}

// sampleAt keeps a sample of the i-th server's pair with the v4 monitor.
func (w *world) sampleAt(i int, at time.Time) {
	w.t.Helper()
	w.keep(w.of(i, sampled(w.v4, at, 1)))
}

// hour is an hour of so many samples that sampleRow makes, counted from thisHour.
func hour(number, count int) pool.HourTally {
	var tally pool.Tally
	for range count {
		tally.Add(1, ptr(20_500*time.Microsecond))
	}
	return pool.HourTally{Hour: thisHour.Add(time.Duration(number) * time.Hour), Tally: tally}
}

func figuresHaveAWindow(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	since := thisHour.Add(-24 * time.Hour)
	for _, at := range []time.Time{
		since.Add(-time.Microsecond), since, since.Add(time.Hour - time.Microsecond), since.Add(time.Hour),
		thisHour, thisHour.Add(time.Hour - time.Microsecond), thisHour.Add(time.Hour),
	} {
		w.sampleAt(0, at)
	}
	for _, row := range []struct {
		name string
		now  time.Time
		want []pool.HourTally
	}{
		{"within the hour", noon, []pool.HourTally{hour(-24, 2), hour(-23, 1), hour(0, 2)}},
		{"at its beginning", thisHour, []pool.HourTally{hour(-24, 2), hour(-23, 1), hour(0, 2)}},
		{"at its end", thisHour.Add(time.Hour - time.Microsecond), []pool.HourTally{hour(-24, 2), hour(-23, 1), hour(0, 2)}},
		{"an hour later", thisHour.Add(time.Hour), []pool.HourTally{hour(-23, 1), hour(0, 2), hour(1, 1)}},
		{"an hour earlier", thisHour.Add(-time.Minute), []pool.HourTally{hour(-25, 1), hour(-24, 2), hour(-23, 1)}},
		{"days later", noon.AddDate(0, 0, 3), nil},
	} {
		w.same(row.name, row.want, w.hours(0, w.v4, row.now))
	}
}

func figuresCountAll(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	silent, late, fine := sampleRow(w.v4, noon.Add(time.Second), 1), sampleRow(w.v4, noon.Add(-time.Minute), 1), sampleRow(w.v4, noon, 1)
	silent.Step, silent.Sample = -5, &pool.Sample{At: silent.At, NoReply: true}
	late.Late, late.Step = true, 0.731_123_456_789_9
	fine.Sample.RTT = ptr(1_999_999 * time.Nanosecond) // of which the log keeps 1,999 µs
	w.keep(w.of(0, pool.ServerCommit{
		Rows:   []pool.LogRow{fine, silent, late},
		Scores: []pool.PairScore{{Monitor: w.v4, Score: 1, At: silent.At, Row: 1}},
	}))
	before := pool.HourTally{Hour: thisHour.Add(-time.Hour)}
	before.Tally.Add(late.Step, late.Sample.RTT)
	var now pool.Tally
	now.Add(1, ptr(1_999*time.Microsecond))
	now.Add(-5, nil)
	if late.At.After(thisHour) {
		t.Fatal("the late sample is to be of the hour before")
	}
	w.same("hours", []pool.HourTally{before, {Hour: thisHour, Tally: now}}, w.hours(0, w.v4, noon))
}

func scorersHaveNoFigures(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	c := sampled(w.v4, noon, 1)
	c.Rows = append(c.Rows, pool.LogRow{Monitor: w.median, At: noon, Score: 1, Step: 1, Counted: []pool.Ref{{Row: 0}}})
	c.Scores = append(c.Scores, pool.PairScore{Monitor: w.median, Score: 1, At: noon, Row: 1})
	w.keep(w.of(0, c))
	for _, now := range []time.Time{noon, noon.Add(2 * time.Hour)} { // from the log, and when the hour was closed
		w.same("hours of the scorer", []pool.HourTally(nil), w.hours(0, w.median, now))
		w.same("hours of the monitor", []pool.HourTally{hour(0, 1)}, w.hours(0, w.v4, now))
		w.must(w.CloseHours(t.Context(), noon.Add(2*time.Hour)))
	}
}

func openedFigures(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 3)
	w.sampleAt(0, noon)
	w.sampleAt(2, noon.Add(-3*time.Hour))
	w.must(w.CloseHours(t.Context(), noon))
	w.sampleAt(2, noon.Add(-2*time.Hour))
	want := [][]pool.HourTally{{hour(0, 1)}, nil, {hour(-3, 1), hour(-2, 1)}}
	for _, image := range w.open() {
		for _, server := range image.Servers {
			for _, pair := range server.Pairs {
				w.same("hours", want[server.Server.ID-1], pair.Hours)
			}
			w.same("server", server, w.server(int(server.Server.ID)-1))
		}
	}
}

// spread keeps a sample in each of the last 30 hours and now.
func (w *world) spread(i int) {
	for number := -30; number <= 0; number++ {
		w.sampleAt(i, noon.Add(time.Duration(number)*time.Hour))
	}
}

func closingChangesNothing(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 2)
	w.spread(0)
	for _, now := range []time.Time{noon, noon, thisHour.Add(time.Hour + 4*time.Minute), noon.Add(2 * time.Hour), noon.AddDate(0, 0, 2)} {
		for _, asked := range []time.Time{noon, noon.Add(-time.Hour), noon.Add(time.Hour), noon.Add(7 * time.Hour)} {
			var want []pool.HourTally
			for number := -30; number <= 0; number++ {
				if of := hour(number, 1); !of.Hour.Before(pool.FiguresSince(asked)) && !of.Hour.After(asked) {
					want = append(want, of)
				}
			}
			w.same("hours", want, w.hours(0, w.v4, asked))
			w.same("hours of another server", []pool.HourTally(nil), w.hours(1, w.v4, asked))
		}
		w.must(w.CloseHours(t.Context(), now))
	}
}

func lateForItsHour(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 2)
	w.sampleAt(0, noon.Add(-2*time.Hour))
	w.must(w.CloseHours(t.Context(), noon))
	for n := range 3 {
		row := sampleRow(w.v4, noon.Add(-2*time.Hour+time.Duration(n+1)*time.Second), 1)
		row.Late = true
		for range 2 { // the second time it counts no more
			w.keep(w.of(0, pool.ServerCommit{Rows: []pool.LogRow{row}}))
		}
		want := hour(-2, n+2)
		w.same("before it is closed again", []pool.HourTally{want}, w.hours(0, w.v4, noon))
		w.must(w.CloseHours(t.Context(), noon))
		w.same("afterwards", []pool.HourTally{want}, w.hours(0, w.v4, noon))
	}
}

package persistence_test

import (
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
)

// historyRules say what the log gives back and for how long.
func historyRules() []rule {
	return []rule{
		{"the history is the newest rows in the order of their ids", historyIsNewest},
		{"housekeeping drops days that are too old and no others", housekeepingDropsDays},
		{"housekeeping that was missed is made up for", housekeepingIsMadeUp},
	}
}

func historyIsNewest(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 2)
	for i := range 5 {
		w.keep(w.of(0, sampled(w.v4, noon.Add(time.Duration(i)*time.Hour), float64(i))))
	}
	late := sampleRow(w.v4, noon.Add(-time.Hour), 4)
	late.Late = true
	w.keep(w.of(0, pool.ServerCommit{Rows: []pool.LogRow{late}}))
	for _, want := range []struct {
		limit  int
		scores []float64
	}{{-1, nil}, {0, nil}, {2, []float64{3, 4}}, {5, []float64{0, 1, 2, 3, 4}}, {100, []float64{0, 1, 2, 3, 4, 4}}} {
		entries, err := w.History(t.Context(), w.servers[0], want.limit)
		w.must(err)
		var scores []float64
		for _, entry := range entries {
			scores = append(scores, entry.Score)
		}
		w.same("scores", want.scores, scores)
	}
}

func housekeepingDropsDays(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	midnight := time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC)
	times := []time.Time{
		midnight.AddDate(0, 0, -15), midnight.AddDate(0, 0, -14).Add(-time.Microsecond), midnight.AddDate(0, 0, -14),
		midnight, midnight.AddDate(0, 0, 3), midnight.AddDate(0, 0, 30), // the last is beyond all days that have been made
	}
	for i, at := range times {
		w.keep(w.of(0, sampled(w.v4, at, float64(i))))
	}
	for _, step := range []struct {
		now  time.Time
		want int
	}{
		{noon, 6},
		{noon, 6},
		{noon.AddDate(0, 0, 1), 4}, // the first two are of the same day
		{noon.AddDate(0, 0, 2), 3},
		{noon.AddDate(0, 0, 15), 3}, // midnight's own day is kept to the end
		{noon.AddDate(0, 0, 16), 2},
		{noon.AddDate(0, 0, 45), 1},
		{noon.AddDate(0, 0, 46), 0},
	} {
		w.must(w.Housekeep(t.Context(), step.now))
		if have := len(w.log(0)); have != step.want {
			t.Errorf("on %s there are %d rows, want %d", step.now.Format(time.DateOnly), have, step.want)
		}
	}
	// What was dropped is forgotten: the same sample would count as a new one.
	w.keep(w.of(0, sampled(w.v4, midnight.AddDate(0, 0, 45), 7)))
}

func housekeepingIsMadeUp(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	later := noon.AddDate(0, 2, 0)
	for i := range 5 { // nobody has made these days
		w.keep(w.of(0, sampled(w.v4, later.AddDate(0, 0, i-2), float64(i))))
	}
	w.must(w.Housekeep(t.Context(), later))
	want := w.log(0)
	if len(want) != 5 {
		t.Fatalf("%d rows", len(want))
	}
	w.must(w.Housekeep(t.Context(), later.AddDate(0, 0, 14)))
	w.same("log", want[1:], w.log(0))
}

//go:build integration

package persistence_test

import (
	"sync"
	"testing"
	"time"

	"truechimer/pool"
)

// A commit that is under way while its hour is closed, or closed again, counts when it is done. A closing waits for
// such a commit where it closes the hour for the first time, and never after that.
func TestACommitBesideAClosingCounts(t *testing.T) {
	store, _ := freshMySQL(t)
	w := newWorld(t, store, 2)
	w.spread(0)
	w.sampleAt(1, noon.Add(-2*time.Hour))
	for n, row := range []struct {
		name   string
		marked bool // by another commit, before
	}{{"the first time", false}, {"with a mark", true}, {"without a mark", false}, {"with a mark again", true}} {
		second := time.Duration(n+1) * time.Second
		if row.marked {
			w.sampleAt(0, noon.Add(-2*time.Hour+second))
		}
		want := w.hours(0, w.v4, noon)
		late := sampleRow(w.v4, noon.Add(-2*time.Hour+second+time.Millisecond), 1)
		late.Late = true
		commit, err := store.BeginLocked(t.Context(), w.of(0, pool.ServerCommit{Rows: []pool.LogRow{late}}))
		w.must(err)
		closed := make(chan error, 1)
		go func() { closed <- store.CloseHours(t.Context(), noon) }()
		if n > 0 {
			select {
			case err := <-closed:
				w.must(err)
			case <-time.After(4 * time.Second): // a second before the server ends the silent commit
				t.Fatalf("%s: the closing waits for a commit", row.name)
			}
			w.same(row.name+", while it is under way", want, w.hours(0, w.v4, noon))
		}
		w.must(commit.Commit())
		if n == 0 {
			w.must(<-closed)
		}
		for i := range want {
			if want[i].Hour.Equal(thisHour.Add(-2 * time.Hour)) {
				want[i].Add(late.Step, late.Sample.RTT)
			}
		}
		w.same(row.name+", when it is done", want, w.hours(0, w.v4, noon))
		w.must(store.CloseHours(t.Context(), noon))
		w.same(row.name+", when it is closed again", want, w.hours(0, w.v4, noon))
		w.same(row.name+", of another server", []pool.HourTally{hour(-2, 1)}, w.hours(1, w.v4, noon))
	}
}

// Hubs that close hours at once, commit late samples and load figures all the time do each other no harm.
func TestHubsCloseHoursSideBySide(t *testing.T) {
	store, db := freshMySQL(t)
	const servers, rounds, hubs = 30, 20, 3
	w := newWorld(t, store, servers)
	for i := range servers {
		w.sampleAt(i, noon)
	}
	done := make(chan struct{})
	var committing, closing sync.WaitGroup
	for hub := range hubs {
		committing.Go(func() {
			for round := range rounds {
				var batch []pool.ServerCommit
				for i := hub; i < servers; i += hubs {
					row := sampleRow(w.v4, thisHour.Add(-time.Duration(round%5)*time.Hour+time.Duration(round+1)*time.Second), 1)
					row.Late = true
					batch = append(batch, w.of(i, pool.ServerCommit{Rows: []pool.LogRow{row}}))
				}
				if _, err := store.Commit(t.Context(), batch); err != nil {
					t.Error(err)
				}
			}
		})
		closing.Go(func() {
			for seen := 0; ; {
				select {
				case <-done:
					return
				default:
				}
				if err := store.CloseHours(t.Context(), noon.Add(2*time.Hour)); err != nil {
					t.Error(err)
				}
				var count int
				for _, one := range w.hours(hub, w.v4, noon) {
					count += one.Count
				}
				if count < seen {
					t.Errorf("of %d samples %d are left", seen, count)
				}
				seen = count
			}
		})
	}
	committing.Wait()
	close(done)
	closing.Wait()
	w.must(store.CloseHours(t.Context(), noon.Add(2*time.Hour)))
	for i, one := range w.selections(noon) {
		if have := one.Tallies[0].Count; have != rounds+1 {
			t.Errorf("server %d has %d samples, want %d", i, have, rounds+1)
		}
	}
	w.same("what is left to add up", []string{"0"}, column(t, db, "SELECT COUNT(*) FROM stale_hours t JOIN closed_hours c ON c.`hour` = t.`hour`"))
}

// What was added up stays when the log's days are gone, and nothing of such a day is added up any more.
func TestHistoryOutlivesTheLog(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 1)
	w.spread(0)
	for range 3 { // a call does no more than a day
		w.must(store.CloseHours(t.Context(), noon))
	}
	sums := "SELECT CONCAT_WS(' ', monitor_id, `hour`, `count`, count_offset, ROUND(sum_offset, 9), min_offset, max_offset) FROM server_monitor_hours ORDER BY `hour`"
	want := column(t, db, sums)
	if len(want) != 29 || want[0] != "3 2026-03-13 06:00:00 1 1 0.001234567 0.001234567 0.001234567" {
		t.Fatalf("%d hours, first %q", len(want), want[0])
	}
	later := noon.AddDate(0, 0, 20)
	w.must(store.Housekeep(t.Context(), later))
	w.sampleAt(0, noon.Add(-time.Hour+time.Second)) // far too late
	for range 3 {
		w.must(store.CloseHours(t.Context(), later))
	}
	w.same("sums", want, column(t, db, sums))
	w.same("marks", []string{"0"}, column(t, db, "SELECT COUNT(*) FROM stale_hours"))
}

// An hour is closed when it has ended by the database's clock, whatever the hub's says: until then commits leave no marks.
func TestHoursEndByTheDatabasesClock(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 1)
	at := time.Now().UTC().Truncate(time.Microsecond)
	for _, ahead := range []time.Duration{time.Hour, 30 * time.Hour} {
		w.must(store.CloseHours(t.Context(), at.Add(ahead)))
	}
	running := at.Truncate(time.Hour).Format(time.DateTime)
	w.same("hours that haven't ended", []string{"0"}, column(t, db, "SELECT COUNT(*) FROM closed_hours WHERE `hour` >= ?", running))
	if closed := column(t, db, "SELECT COUNT(*) FROM closed_hours"); closed[0] == "0" {
		t.Error("none was closed")
	}
	w.sampleAt(0, at)
	var count int
	for _, hour := range w.hours(0, w.v4, at) {
		count += hour.Count
	}
	if count != 1 {
		t.Errorf("%d samples", count)
	}
}

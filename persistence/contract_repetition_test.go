package persistence_test

import (
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
)

// repetitionRules say that what is sent twice counts once.
func repetitionRules() []rule {
	return []rule{
		{"a commit sent again counts once", commitSentAgain},
		{"a commit sent again in one batch counts once", commitSentTwiceAtOnce},
		{"a commit sent again doesn't undo later ones", repetitionUndoesNothing},
		{"a commit with another one's sample is refused", commitOfForeignSample},
		{"a late row is kept where it isn't there yet", lateRows},
		{"a late row that repeats one of its own batch is left out", lateRowInBatch},
		{"a late row beside the commit that holds its sample is left out", lateRowBesideRepetition},
		{"a fenced commit is left out and the others are kept", fencedIsLeftOut},
	}
}

func commitSentAgain(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 3)
	c := pool.ServerCommit{
		Rows: []pool.LogRow{
			sampleRow(w.v4, noon, 1), sampleRow(w.v6, noon, 2),
			{Monitor: w.median, At: noon, Score: 1, Counted: []pool.Ref{{Row: 0}, {Row: 1}}},
		},
		Scores: []pool.PairScore{{Monitor: w.v4, Score: 1, At: noon, Row: 0}, {Monitor: w.v6, Score: 2, At: noon, Row: 1}},
	}
	first := w.keep(w.of(1, c))
	image, log := w.server(1), w.log(1)
	// Others around it, known and new, are neither held up nor doubled.
	known := w.of(0, sampled(w.v4, noon, 1))
	w.keep(known)
	outcomes := w.commit(known, w.of(1, c), w.of(2, sampled(w.v4, noon, 1)), w.of(0, sampled(w.v4, noon.Add(time.Second), 2)))
	w.same("ids", first, outcomes[1].IDs)
	for i, outcome := range outcomes {
		if outcome.Err != nil || outcome.Fenced || outcome.IDs[0] == 0 {
			t.Errorf("commit %d: %+v", i, outcome)
		}
	}
	w.same("server", image, w.server(1))
	w.same("log", log, w.log(1))
	if have := len(w.log(0)); have != 2 {
		t.Errorf("the first server has %d rows", have)
	}
	if have := len(w.log(2)); have != 1 {
		t.Errorf("the last server has %d rows", have)
	}
}

func commitSentTwiceAtOnce(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 2)
	c := w.of(0, sampled(w.v4, noon, 1))
	outcomes := w.commit(c, w.of(1, sampled(w.v4, noon, 1)), c)
	w.same("ids", outcomes[0], outcomes[2])
	if len(w.log(0)) != 1 || outcomes[0].IDs[0] == 0 || outcomes[1].Err != nil {
		t.Errorf("log %v, outcomes %+v", w.log(0), outcomes)
	}
}

func repetitionUndoesNothing(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	first := w.of(0, sampled(w.v4, noon, 1))
	first.Statuses = []pool.PairStatus{{Monitor: w.v4, Status: pool.Testing}}
	w.keep(first)
	second := w.of(0, sampled(w.v4, noon.Add(time.Minute), 2))
	second.Statuses = []pool.PairStatus{{Monitor: w.v4, Status: pool.Active}}
	w.keep(second)
	want := w.server(0)
	w.keep(first)
	w.same("server", want, w.server(0))
}

func commitOfForeignSample(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 2)
	w.keep(w.of(0, sampled(w.v4, noon, 1)))
	want := w.server(0)
	c := pool.ServerCommit{
		Rows:   []pool.LogRow{sampleRow(w.v4, noon, 1), sampleRow(w.v6, noon, 2)},
		Scores: []pool.PairScore{{Monitor: w.v6, Score: 2, At: noon, Row: 1}},
	}
	outcomes := w.commit(w.of(1, sampled(w.v4, noon, 1)), w.of(0, c))
	if outcomes[0].Err != nil || outcomes[1].Err == nil {
		t.Errorf("outcomes %+v", outcomes)
	}
	w.same("server", want, w.server(0))
}

func lateRows(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	w.keep(w.of(0, sampled(w.v4, noon, 1)))
	late := func(at time.Time) pool.LogRow {
		row := sampleRow(w.v4, at, 1)
		row.Late = true
		return row
	}
	pair := w.pair(0, w.v4)
	first := late(noon.Add(-time.Hour))
	ids := w.keep(w.of(0, pool.ServerCommit{Rows: []pool.LogRow{first}}))
	if ids[0] == 0 {
		t.Error("a new late row has no id")
	}
	// Again, with one that is new, with one that is the newest, and with a sample that is on time.
	next := sampled(w.v4, noon.Add(time.Minute), 2)
	next.Rows = append([]pool.LogRow{first, late(noon), late(noon.Add(-15 * 24 * time.Hour).Truncate(time.Second))}, next.Rows...)
	next.Scores[0].Row = 3
	again := w.keep(w.of(0, next))
	if again[0] != 0 || again[1] != 0 || again[2] <= ids[0] || again[3] <= again[2] {
		t.Errorf("ids %v", again)
	}
	if have := w.pair(0, w.v4); have.Kept.ID != again[3] || have.Score != 2 || pair.Kept.ID == have.Kept.ID {
		t.Errorf("pair %+v", have)
	}
	// And the whole of it once more.
	w.same("ids", []pool.LogID{0, 0, 0, again[3]}, w.keep(w.of(0, next)))
	var lates int
	log := w.log(0)
	for _, entry := range log {
		if entry.Late {
			lates++
		}
	}
	if len(log) != 4 || lates != 2 {
		t.Errorf("%d rows, %d of them late", len(log), lates)
	}
}

func lateRowInBatch(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	c := sampled(w.v4, noon, 1)
	row := sampleRow(w.v4, noon.Add(-time.Minute), 1)
	row.Late = true
	same := c.Rows[0]
	same.Late = true
	c.Rows = append(c.Rows, row, row, same)
	ids := w.keep(w.of(0, c))
	if ids[0] == 0 || ids[1] == 0 || ids[2] != 0 || ids[3] != 0 || len(w.log(0)) != 2 {
		t.Errorf("ids %v, log %v", ids, w.log(0))
	}
}

func lateRowBesideRepetition(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	c := sampled(w.v4, noon, 1)
	c.Rows = append(c.Rows, pool.LogRow{Monitor: w.median, At: noon, Score: 1, Counted: []pool.Ref{{Row: 0}}})
	ids := w.keep(w.of(0, c))
	late := sampleRow(w.v4, noon, 1)
	late.Late = true
	outcomes := w.commit(w.of(0, pool.ServerCommit{Rows: []pool.LogRow{late}}), w.of(0, c))
	w.same("the late row", pool.CommitOutcome{IDs: []pool.LogID{0}}, outcomes[0])
	w.same("the commit", pool.CommitOutcome{IDs: ids}, outcomes[1])
}

func fencedIsLeftOut(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 3)
	stale := w.of(1, sampled(w.v4, noon, 1))
	if _, err := w.Open(t.Context(), "hub-2", []pool.ShardID{stale.Shard}, noon); err != nil {
		t.Fatal(err)
	}
	want := w.server(1)
	stale.Review = &pool.Review{Next: noon}
	stale.Overall = &pool.Overall{Score: 9, At: noon, Known: true}
	stale.Statuses = []pool.PairStatus{{Monitor: w.v6, Status: pool.Active}}
	outcomes := w.commit(w.of(0, sampled(w.v4, noon, 1)), stale, w.of(2, sampled(w.v4, noon, 1)))
	if !outcomes[1].Fenced || outcomes[1].Err != nil || outcomes[0].Fenced || outcomes[2].Fenced {
		t.Errorf("outcomes %+v", outcomes)
	}
	w.same("server", want, w.server(1))
	if len(w.log(0)) != 1 || len(w.log(1)) != 0 || len(w.log(2)) != 1 {
		t.Errorf("rows: %d, %d, %d", len(w.log(0)), len(w.log(1)), len(w.log(2)))
	}
	// An epoch that was never given is no better.
	future := w.of(0, sampled(w.v4, noon.Add(time.Hour), 1))
	future.Epoch += 7
	if outcome := w.commit(future)[0]; !outcome.Fenced {
		t.Errorf("outcome %+v", outcome)
	}
}

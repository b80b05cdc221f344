package scoring

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"truechimer/pool"
)

// sampled is a good sample at a time.
func sampled(monitor pool.MonitorID, sinceNoon time.Duration) Observation {
	return Observation{Monitor: monitor, Sample: with(off(0), func(s *pool.Sample) { s.At = at(sinceNoon) })}
}

// book is one of a server with active monitors and no samples yet.
func book(monitors ...pool.MonitorID) *Book {
	s := Snapshot{RecentMedian: Scorer{ID: medianID}, Every: Scorer{ID: everyID}}
	for _, monitor := range monitors {
		s.Pairs = append(s.Pairs, Pair{Monitor: monitor, Status: pool.Active})
	}
	return NewBook(s)
}

// Ids grow in the order of the entries, and an overall score names rows: so they must come before it.
func TestAMonitorsRowComesBeforeWhatItCaused(t *testing.T) {
	entries, _ := book(1, 2).Record([]Observation{sampled(2, 0), sampled(1, time.Minute)})
	type row struct {
		monitor pool.MonitorID
		from    pool.Ref
		counted []pool.Ref
	}
	var have []row
	for _, e := range entries {
		have = append(have, row{e.Monitor, e.From, e.Counted})
	}
	want := []row{
		{monitor: 2},
		{everyID, pool.Ref{Row: 0}, []pool.Ref{{Row: 0}}},
		{medianID, pool.Ref{Row: 0}, []pool.Ref{{Row: 0}}},
		{monitor: 1},
		{everyID, pool.Ref{Row: 3}, []pool.Ref{{Row: 3}}},
	}
	if diff := cmp.Diff(want, have, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("want -, have +:\n%s", diff)
	}
}

// Rows of earlier batches are named by their ids, those of this one by their place in it.
func TestAnOverallScoreNamesStoredAndUnstoredRows(t *testing.T) {
	b := book(1, 2)
	b.Record([]Observation{sampled(1, 0)})
	b.Stored([]pool.LogID{70, 80, 90})
	entries, _ := b.Record([]Observation{
		{Monitor: 2, Sample: pool.Sample{At: at(20 * time.Minute), NoReply: true}},
	})
	overall := entries[len(entries)-1]
	want := []pool.Ref{{Row: 0}, {ID: 70}}
	if diff := cmp.Diff(want, overall.Counted); overall.Scorer != pool.RecentMedian || diff != "" {
		t.Errorf("want -, have + in %+v:\n%s", overall, diff)
	}
}

// A score whose row has left the log is folded on, but has no vote until there is a row to name again.
func TestAScoreWithoutARowHasNoVote(t *testing.T) {
	b := NewBook(Snapshot{Pairs: []Pair{
		{Monitor: 1, Status: pool.Active, Last: pool.Kept{At: at(-time.Minute), Score: 10}},
	}})
	entries, _ := b.Record([]Observation{{Monitor: 2, Sample: pool.Sample{At: at(0), NoReply: true}}, sampled(1, time.Minute)})
	if have := entries[2]; have.Tier != TierCandidate || have.Score != -5 {
		t.Errorf("want the candidate's −5, have %v by %v", have.Score, have.Tier)
	}
	if have := b.Overall().Score; have != 10.5 {
		t.Errorf("want 10.5, which is 0.95 · 10 + 1, have %v", have)
	}
}

// The store keeps scores beside the log; these are the ones that a batch moved, and no others.
func TestUnstoredIsWhatTheBatchMoved(t *testing.T) {
	b := book(1, 2, 3)
	b.Record([]Observation{sampled(3, 0), sampled(1, time.Minute), sampled(1, 2*time.Minute)})
	scores, overall := b.Unstored()
	wantScores := []pool.PairScore{
		{Monitor: 1, Score: 1.95, At: at(2 * time.Minute), Stratum: 2, Row: 5},
		{Monitor: 3, Score: 1, At: at(0), Stratum: 2, Row: 0},
		{Monitor: everyID, Score: -1.434375, At: at(2 * time.Minute), Row: 6},
		{Monitor: medianID, Score: 1, At: at(2 * time.Minute), Row: 2},
	}
	wantOverall := &pool.Overall{Score: 1, At: at(2 * time.Minute), Known: true, Stratum: 2}
	if diff := cmp.Diff(wantScores, scores, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("scores: want -, have +:\n%s", diff)
	}
	if diff := cmp.Diff(wantOverall, overall); diff != "" {
		t.Errorf("overall: want -, have +:\n%s", diff)
	}
}

// Late samples and repeats move nothing, so there is nothing to store beside their rows.
func TestNothingMovesNothingIsUnstored(t *testing.T) {
	b := book(1)
	b.Record([]Observation{sampled(1, 0)})
	b.Stored([]pool.LogID{1, 2, 3})
	entries, duplicates := b.Record([]Observation{sampled(1, 0), sampled(1, -time.Minute)})
	if len(entries) != 1 || !entries[0].Late || len(duplicates) != 1 {
		t.Errorf("want a late row and a duplicate, have %+v and %+v", entries, duplicates)
	}
	if scores, overall := b.Unstored(); scores != nil || overall != nil {
		t.Errorf("want nothing, have %v and %v", scores, overall)
	}
	b.Stored([]pool.LogID{0}) // it was there already
}

// Of samples of one instant the last one sees all the others: its overall score is the server's.
func TestSamplesOfOneInstantAllCount(t *testing.T) {
	b := book(1, 2, 3)
	b.Record([]Observation{
		{Monitor: 1, Sample: pool.Sample{At: at(0), NoReply: true}},
		{Monitor: 2, Sample: pool.Sample{At: at(0), Kiss: pool.KissRate}},
		sampled(3, 0),
	})
	if have := b.Overall().Score; have != -3.5 {
		t.Errorf("want −3.5, the median of −5, −3.5 and 1, have %v", have)
	}
}

// "every" starts at −5 once, not each time it happens to be at zero.
func TestEveryStartsOnce(t *testing.T) {
	begun := Scorer{ID: everyID, Score: 0, At: at(0)}
	if have := NewBook(Snapshot{Every: begun}).Snapshot().Every; have != begun {
		t.Errorf("want %+v, have %+v", begun, have)
	}
	if have := NewBook(Snapshot{}).Snapshot().Every.Score; have != -5 {
		t.Errorf("want −5, have %v", have)
	}
}

// A change of status needs no pause: selection decides while rows are on their way to the disk.
func TestStatusesChangeWhileABatchIsUnderWay(t *testing.T) {
	b := book(1, 2)
	b.Record([]Observation{sampled(1, 0), sampled(2, 0)})
	b.SetStatus(2, pool.Paused)
	b.Remove(1)
	b.Stored([]pool.LogID{1, 2, 3, 4}) // the last one is monitor 2's: at the same instant no scorer gets a second row
	want := []Pair{{Monitor: 2, Status: pool.Paused, Stratum: 2}}
	have := b.Snapshot().Pairs
	for i := range have {
		if have[i].Last.ID != 4 {
			t.Errorf("monitor %d: want row 4, have %d", have[i].Monitor, have[i].Last.ID)
		}
		have[i].Last = pool.Kept{}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("want -, have +:\n%s", diff)
	}
}

// Each of these is a mistake in the program, and would make scores that nobody can explain.
func TestMisuseOfABookPanics(t *testing.T) {
	underWay := func() *Book {
		b := book(1)
		b.Record([]Observation{sampled(1, 0)}) // three rows: the monitor's, every's, recentmedian's
		return b
	}
	for _, test := range []struct {
		name   string
		misuse func()
	}{
		{"a second batch", func() { underWay().Record([]Observation{sampled(1, time.Minute)}) }},
		{"a snapshot under way", func() { underWay().Snapshot() }},
		{"stored before anything was recorded", func() { book(1).Stored(nil) }},
		{"stored twice", func() {
			b := underWay()
			b.Stored([]pool.LogID{1, 2, 3})
			b.Stored([]pool.LogID{1, 2, 3})
		}},
		{"too few ids", func() { underWay().Stored([]pool.LogID{1, 2}) }},
		{"too many ids", func() { underWay().Stored([]pool.LogID{1, 2, 3, 4}) }},
		{"no id for a row", func() { underWay().Stored([]pool.LogID{0, 1, 2}) }},
		{"ids of samples that don't grow", func() {
			b := book(1)
			b.Record([]Observation{sampled(1, 0), sampled(1, time.Minute)})
			ids := make([]pool.LogID, len(b.underway))
			for i := range ids {
				ids[i] = pool.LogID(len(ids) - i)
			}
			b.Stored(ids)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("want a panic")
				}
			}()
			test.misuse()
		})
	}
}

// A book shares nothing with the snapshots it starts from and gives away.
func TestASnapshotIsACopy(t *testing.T) {
	first := Snapshot{Pairs: []Pair{{Monitor: 2, Status: pool.Active}, {Monitor: 1, Status: pool.Active}}}
	given := slices.Clone(first.Pairs)
	b := NewBook(first)
	second := b.Snapshot()
	b.SetStatus(1, pool.Paused)
	if diff := cmp.Diff(given, first.Pairs); diff != "" {
		t.Errorf("given, before -, after +:\n%s", diff)
	}
	if second.Pairs[0].Monitor != 1 || second.Pairs[0].Status != pool.Active {
		t.Errorf("want monitor 1 first and active, have %+v", second.Pairs)
	}
}

// What a server's actors load is told apart by the scorers' names, and a pair without a row still knows its score.
func TestSnapshotOfTellsScorersFromMonitors(t *testing.T) {
	kept := pool.Kept{ID: 7, At: at(0), Score: 3, Step: 1}
	have := SnapshotOf(pool.ServerImage{
		Server: pool.Server{Score: 3.5, ScoreAt: at(1), Stratum: 2},
		Pairs: []pool.Pair{
			{Monitor: 1, Status: pool.Active, Stratum: 3, Score: 3, ScoreAt: at(0), Kept: kept},
			{Monitor: 2, Status: pool.Testing, Score: 4, ScoreAt: at(2)},
			{Monitor: everyID, Score: 6, ScoreAt: at(1), Kept: kept},
			{Monitor: medianID, Score: 3.5, ScoreAt: at(1), Kept: kept},
		},
	}, scorers)
	want := Snapshot{
		Stratum:      2,
		RecentMedian: Scorer{ID: medianID, Score: 3.5, At: at(1), Kept: kept},
		Every:        Scorer{ID: everyID, Score: 6, At: at(1), Kept: kept},
		Pairs: []Pair{
			{Monitor: 1, Status: pool.Active, Stratum: 3, Last: kept},
			{Monitor: 2, Status: pool.Testing, Last: pool.Kept{At: at(2), Score: 4}},
		},
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("want -, have +:\n%s", diff)
	}
}

// A row says which rule made it; a scorer's has no sample and so no rule of its own, but says what it counted.
func TestAnEntryAsALogRow(t *testing.T) {
	observation := sampled(1, 0)
	entries, _ := book(1).Record([]Observation{observation})
	var have []pool.LogRow
	for _, e := range entries {
		have = append(have, e.LogRow())
	}
	counted := []pool.Ref{{Row: 0}}
	want := []pool.LogRow{
		{Monitor: 1, At: at(0), Score: 1, Step: 1, Sample: &observation.Sample, Rule: "good"},
		{Monitor: everyID, At: at(0), Score: -3.75, Step: 1, Counted: counted},
		{Monitor: medianID, At: at(0), Score: 1, Step: 1, Counted: counted},
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("want -, have +:\n%s", diff)
	}
}

// One sample of one monitor is scored, by itself and into both overall scores: of a server with 7 active monitors and
// 5 testing ones, and of one whose 18 candidates of the day have been heard of too. What is allocated is what it returns.
func BenchmarkRecord(b *testing.B) {
	for _, n := range []pool.MonitorID{12, 30} {
		b.Run(fmt.Sprintf("%d monitors", n), func(b *testing.B) {
			var monitors []pool.MonitorID
			for id := range n {
				monitors = append(monitors, id+1)
			}
			scores := book(monitors...)
			ids := []pool.LogID{1, 2, 3}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				entries, _ := scores.Record([]Observation{sampled(monitors[i%len(monitors)], time.Duration(i)*20*time.Second)})
				scores.Stored(ids[:len(entries)])
			}
		})
	}
}

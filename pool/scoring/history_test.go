package scoring

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// turn is one thing that happens to a server: a monitor's status changes, or a batch of samples comes in.
type turn struct {
	status  pool.Status
	monitor pool.MonitorID
	batch   []Observation
}

// anyHistory draws the life of a server with up to six monitors. Time moves on, mostly by minutes, now and then by
// hours; samples come late, twice, out of order and from monitors that the book doesn't know.
func anyHistory(t *rapid.T) []turn {
	var turns []turn
	for id := range rapid.IntRange(1, 5).Draw(t, "monitors") {
		turns = append(turns, turn{monitor: pool.MonitorID(id + 1), status: anyStatus(t)})
	}
	now := time.Duration(0)
	var past []Observation
	for range rapid.IntRange(1, 25).Draw(t, "turns") {
		if rapid.IntRange(0, 5).Draw(t, "what") == 0 {
			turns = append(turns, turn{monitor: anyMonitor(t), status: anyStatus(t)})
			continue
		}
		var batch []Observation
		for range rapid.IntRange(0, 5).Draw(t, "batch") {
			if len(past) > 0 && rapid.IntRange(0, 7).Draw(t, "again") == 0 {
				batch = append(batch, rapid.SampledFrom(past).Draw(t, "one that was sent before"))
				continue
			}
			now += time.Duration(rapid.SampledFrom([]int{0, 1, 4, 10, 30, 150}).Draw(t, "minutes")) * time.Minute
			taken := now - time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 25}).Draw(t, "minutes ago"))*time.Minute
			batch = append(batch, Observation{Monitor: anyMonitor(t), Sample: anySample(t, at(taken))})
		}
		past = append(past, batch...)
		turns = append(turns, turn{batch: batch})
	}
	return turns
}

func anyMonitor(t *rapid.T) pool.MonitorID {
	return pool.MonitorID(rapid.IntRange(1, 6).Draw(t, "monitor"))
}

// play lets a history happen. Before each turn it may exchange the book.
func play(turns []turn, before func(*store, *Book) *Book) (*store, *Book) {
	s := newStore()
	b := NewBook(s.snapshot())
	for _, turn := range turns {
		b = before(s, b)
		if turn.status != "" {
			s.setStatus(b, turn.monitor, turn.status)
			continue
		}
		entries, _ := b.Record(turn.batch)
		s.keep(b, entries)
	}
	return s, b
}

// same leaves the book as it is.
func same(_ *store, b *Book) *Book { return b }

// exactly compares stores and books to the last bit.
var exactly = cmp.Options{
	cmp.AllowUnexported(store{}, logged{}),
	cmpopts.EquateComparable(netip.AddrPort{}),
	cmpopts.EquateEmpty(),
}

// A hub may stop at any moment. What the next one starts from the store says and does what the first one would have.
func TestARestoredBookGoesOnAsIfNothingHadHappened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turns := anyHistory(t)
		wantStore, want := play(turns, same)
		haveStore, have := play(turns, func(s *store, b *Book) *Book {
			if rapid.Bool().Draw(t, "restart") {
				return NewBook(s.snapshot())
			}
			return b
		})
		if diff := cmp.Diff(wantStore, haveStore, exactly); diff != "" {
			t.Errorf("what is stored: uninterrupted -, restarted +:\n%s", diff)
		}
		if diff := cmp.Diff(want.Snapshot(), have.Snapshot(), exactly); diff != "" {
			t.Errorf("what is known: uninterrupted -, restarted +:\n%s", diff)
		}
	})
}

// What is in memory and what was stored are one and the same, not only in what follows from them.
func TestTheStoreKnowsAllThatTheBookKnows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, b := play(anyHistory(t), same)
		if diff := cmp.Diff(b.Snapshot(), NewBook(s.snapshot()).Snapshot(), exactly); diff != "" {
			t.Errorf("the book -, the store +:\n%s", diff)
		}
	})
}

// How samples are cut into batches is the network's doing; it must not show in what is stored.
func TestBatchesDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turns := anyHistory(t)
		var single []turn
		for _, turn := range turns {
			if turn.status != "" {
				single = append(single, turn)
			}
			for i := range turn.batch {
				one := turn
				one.batch = turn.batch[i : i+1]
				single = append(single, one)
			}
		}
		want, _ := play(single, same)
		have, _ := play(turns, same)
		if diff := cmp.Diff(want, have, exactly); diff != "" {
			t.Errorf("one by one -, in batches +:\n%s", diff)
		}
	})
}

// An agent that never heard the acknowledgement sends everything again: nothing changes, nothing is stored twice.
func TestSendingTwiceCountsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turns := anyHistory(t)
		want, before := play(turns, same)
		rows, known := len(want.log), before.Snapshot()
		for _, turn := range turns {
			entries, duplicates := before.Record(turn.batch)
			if len(entries)+len(duplicates) != len(turn.batch) {
				t.Fatalf("%d samples gave %d rows and %d duplicates", len(turn.batch), len(entries), len(duplicates))
			}
			want.keep(before, entries)
		}
		if len(want.log) != rows {
			t.Errorf("want %d rows, have %d", rows, len(want.log))
		}
		if diff := cmp.Diff(known, before.Snapshot(), exactly); diff != "" {
			t.Errorf("before -, after +:\n%s", diff)
		}
	})
}

// Anyone can compute every score anew from the log: a monitor's from its rows in the order of their ids, those of
// "every" from all of them. An overall score is that of a row it names.
func TestScoresAreTheFoldOfTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, b := play(anyHistory(t), same)
		scores, every := map[pool.MonitorID]float64{}, float64(everyStart)
		rows := map[pool.LogID]pool.LogRow{}
		for _, l := range s.log {
			rows[l.id] = l.row
			switch {
			case l.row.Late:
				if l.row.Score != scores[l.row.Monitor] {
					t.Errorf("late row %d: want the score as it was, %v, have %v", l.id, scores[l.row.Monitor], l.row.Score)
				}
			case l.scorer == pool.Every:
				if l.row.Score != every {
					t.Errorf("every in row %d: want %v, have %v", l.id, every, l.row.Score)
				}
			case l.scorer == pool.RecentMedian:
				if want := rows[l.from].Score; l.row.Score != want || !names(l.row.Counted, l.from) {
					t.Errorf("overall row %d: want %v of row %d, have %v of %v", l.id, want, l.from, l.row.Score, l.row.Counted)
				}
			default:
				step := StepOf(*l.row.Sample)
				scores[l.row.Monitor] = Next(scores[l.row.Monitor], step)
				every = NextEvery(every, step)
				if l.row.Score != scores[l.row.Monitor] || l.row.Step != step.Value {
					t.Errorf("row %d: want %v by %v, have %v by %v", l.id, scores[l.row.Monitor], step, l.row.Score, l.row.Step)
				}
			}
		}
		if have := b.Snapshot().Every.Score; have != every {
			t.Errorf("every: want %v, have %v", every, have)
		}
		for _, p := range b.Snapshot().Pairs {
			if p.Last.Score != scores[p.Monitor] {
				t.Errorf("monitor %d: want %v, have %v", p.Monitor, scores[p.Monitor], p.Last.Score)
			}
		}
	})
}

func names(refs []pool.Ref, id pool.LogID) bool {
	for _, ref := range refs {
		if ref.ID == id {
			return true
		}
	}
	return false
}

// The log is one by monitor and time; rows that are not late, the scorers' included, never meet there.
func TestNoTwoRowsOfAMonitorShareATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := play(anyHistory(t), same)
		rows := map[key]pool.LogID{}
		for _, l := range s.log {
			if other, taken := rows[l.key()]; taken {
				t.Errorf("rows %d and %d are both monitor %d's of %v", other, l.id, l.row.Monitor, l.row.At)
			}
			rows[l.key()] = l.id
		}
	})
}

// A server's own score never goes back in time, nor does that of "every", whatever comes in when.
func TestScorersMoveForwardOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var last Snapshot
		play(anyHistory(t), func(_ *store, b *Book) *Book {
			now := b.Snapshot()
			for _, step := range []struct{ before, after Scorer }{
				{last.RecentMedian, now.RecentMedian},
				{last.Every, now.Every},
			} {
				if step.after.At.Before(step.before.At) {
					t.Errorf("from %+v back to %+v", step.before, step.after)
				}
			}
			last = now
			return b
		})
	})
}

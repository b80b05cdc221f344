package scoring

import (
	"fmt"
	"time"

	"truechimer/pool"
)

// Observation is a sample and the monitor that took it.
type Observation struct {
	Monitor pool.MonitorID
	Sample  pool.Sample
}

// Entry is a row for the log: a monitor's sample and what it did to the monitor's score, or a scorer's new value.
type Entry struct {
	Monitor pool.MonitorID  // the monitor, or the scorer
	Scorer  pool.ScorerName // which scorer; empty in a monitor's row
	At      time.Time       // of the sample that caused the row; in the row of a late sample, its own
	Score   float64         // after it

	// Step is what the sample was worth. In a row of the overall score it is the value of the last step of the
	// monitor that decided, without its rule: that one is told where From points to.
	Step Step

	Sample *pool.Sample // nil in a scorer's row
	Late   bool         // older than the monitor's newest: to be stored if it isn't there yet; changed no score

	From    pool.Ref   // of a scorer's row: the monitor's row that decided its value
	Counted []pool.Ref // of a scorer's row: every monitor's row that counted, lowest score first
	Tier    Tier       // of a row of the overall score
}

// Record scores samples in the order given, and returns the rows to be stored in the order in which they must get
// their ids: for each sample the monitor's row, then, as they say something new, those of "every" and of
// "recentmedian". References by Row count in the entries of this call.
//
// A sample that is as old as its monitor's newest one is that one again: it gets no row and is returned among the
// duplicates. One that is older gets a row marked late, and changes nothing. A monitor that the book doesn't know
// becomes a candidate with score 0: what it saw is evidence, and counts only where nobody better does.
//
// The samples of a batch may be acknowledged once its entries are stored, at once if there are none; the duplicates
// with them, since what they repeat may be in the same batch. Record takes every sample's word for its time: whoever
// lets samples in keeps out those from the future. Entries share memory with the batch.
func (b *Book) Record(batch []Observation) (entries []Entry, duplicates []Observation) {
	b.mustRest("record a batch")
	const rows = 3 // of a sample, at most
	entries = make([]Entry, 0, rows*len(batch))
	for i := range batch {
		monitor, sample := batch[i].Monitor, &batch[i].Sample
		switch age := sample.At.Compare(b.pair(monitor).Last.At); {
		case age == 0:
			duplicates = append(duplicates, batch[i])
		case age < 0:
			entries = append(entries, b.late(monitor, sample))
		default:
			entries = b.score(entries, monitor, sample)
		}
	}
	b.underway = entries
	return entries, duplicates
}

// late is the row of a sample that came after a newer one of the same monitor.
func (b *Book) late(monitor pool.MonitorID, sample *pool.Sample) Entry {
	return Entry{
		Monitor: monitor,
		At:      sample.At,
		Score:   b.pair(monitor).Last.Score,
		Step:    StepOf(*sample),
		Sample:  sample,
		Late:    true,
	}
}

// score appends the rows of a sample that is the newest of its monitor.
func (b *Book) score(entries []Entry, monitor pool.MonitorID, sample *pool.Sample) []Entry {
	step := StepOf(*sample)
	p := b.pair(monitor)
	p.row = len(entries)
	p.Last = pool.Kept{
		At:    sample.At,
		Score: Next(p.Last.Score, step),
		Step:  step.Value,
		RTT:   storedRTT(sample.RTT),
	}
	if sample.Stratum != 0 {
		p.Stratum, b.stratum = sample.Stratum, sample.Stratum
	}
	entries = append(entries, Entry{
		Monitor: monitor, At: sample.At, Score: p.Last.Score, Step: step, Sample: sample,
	})
	entries = b.scoreEvery(entries, step, sample.At)
	return b.scoreMedian(entries, sample.At)
}

// scoreEvery moves the scorer "every" by the sample whose row is the last of the entries.
func (b *Book) scoreEvery(entries []Entry, step Step, at time.Time) []Entry {
	b.every.move(NextEvery(b.every.Score, step), at)
	if !Novel(b.every.Kept, b.every.Score, at) {
		return entries
	}
	cause := pool.Ref{Row: len(entries) - 1}
	return b.every.keep(entries, Entry{
		Scorer:  pool.Every,
		At:      at,
		Score:   b.every.Score,
		Step:    step,
		From:    cause,
		Counted: []pool.Ref{cause},
	})
}

// scoreMedian computes the overall score anew at a time. One for a time that has passed may still be kept in the log,
// but it is no longer what the server is worth.
func (b *Book) scoreMedian(entries []Entry, at time.Time) []Entry {
	overall, known := medianOf(at, b.votes())
	if !known {
		return entries
	}
	if !at.Before(b.median.At) {
		b.median.move(overall.Score, at)
	}
	if !Novel(b.median.Kept, overall.Score, at) {
		return entries
	}
	decider := overall.Counted[overall.Median]
	counted := make([]pool.Ref, len(overall.Counted))
	for i := range overall.Counted {
		counted[i] = overall.Counted[i].Row
	}
	return b.median.keep(entries, Entry{
		Scorer:  pool.RecentMedian,
		At:      at,
		Score:   overall.Score,
		Step:    Step{Value: decider.Step},
		From:    decider.Row,
		Counted: counted,
		Tier:    overall.Tier,
	})
}

// move gives the scorer a new value. Its time only moves forward.
func (s *scorer) move(score float64, at time.Time) {
	s.Score, s.moved = score, true
	if at.After(s.At) {
		s.At = at
	}
}

// keep appends a row of the scorer that says something new.
func (s *scorer) keep(entries []Entry, e Entry) []Entry {
	e.Monitor = s.ID
	s.row = len(entries)
	s.Kept = pool.Kept{At: e.At, Score: e.Score, Step: e.Step.Value}
	return append(entries, e)
}

// storedRTT is an RTT as it comes back from the log, which keeps whole microseconds: a book that was restored
// breaks ties like the one that recorded.
func storedRTT(rtt *time.Duration) *time.Duration {
	if rtt == nil {
		return nil
	}
	whole := rtt.Truncate(time.Microsecond)
	return &whole
}

// Unstored is what the batch under way changed beside the log: every pair whose score moved, by monitor id, the
// scorers' after them; and the server's own score. It is to be stored with the entries. Nothing if no score moved.
func (b *Book) Unstored() ([]pool.PairScore, *pool.Overall) {
	if !b.every.moved {
		return nil, nil
	}
	var scores []pool.PairScore
	for _, p := range b.pairs {
		if p.row != none {
			scores = append(scores, pool.PairScore{
				Monitor: p.Monitor, Score: p.Last.Score, At: p.Last.At, Stratum: p.Stratum, Row: p.row,
			})
		}
	}
	for _, s := range []scorer{b.every, b.median} {
		if s.moved || s.row != none {
			scores = append(scores, pool.PairScore{Monitor: s.ID, Score: s.Score, At: s.At, Row: s.row})
		}
	}
	overall := b.Overall()
	return scores, &overall
}

// Stored ends the batch under way: its entries are in the log under these ids, one for each in their order.
// The id of a late one doesn't matter. A batch without entries needs no Stored. It panics if nothing is under way,
// if the ids don't fit the batch, or if those of the samples don't grow: a score is the fold of its samples in the
// order of their ids.
func (b *Book) Stored(ids []pool.LogID) {
	if len(b.underway) == 0 || len(ids) != len(b.underway) {
		panic(fmt.Sprintf("scoring: %d ids stored for %d rows under way", len(ids), len(b.underway)))
	}
	var last pool.LogID
	for i, e := range b.underway {
		if e.Late || e.Sample == nil {
			continue // the store may give scorers' rows their ids after all samples
		}
		if ids[i] <= last {
			panic(fmt.Sprintf("scoring: id %d of row %d of monitor %d doesn't follow %d", ids[i], i, e.Monitor, last))
		}
		last = ids[i]
	}
	for i := range b.pairs {
		b.pairs[i].row = settle(&b.pairs[i].Last, b.pairs[i].row, ids)
	}
	for _, s := range []*scorer{&b.every, &b.median} {
		s.row, s.moved = settle(&s.Kept, s.row, ids), false
	}
	b.underway = nil
}

// settle writes the id of a row that was stored to what was kept of it. No row remains.
func settle(kept *pool.Kept, row int, ids []pool.LogID) int {
	if row != none {
		kept.ID = ids[row]
	}
	return none
}

package scoring

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"truechimer/pool"
)

// Snapshot is all that a Book knows while nothing of it waits to be stored. The zero Snapshot, but for the scorers'
// ids, is that of a server that was never probed.
type Snapshot struct {
	Stratum      uint8  // the server's: that of its newest sample whose stratum isn't 0
	RecentMedian Scorer // its value and time are the server's own score
	Every        Scorer
	Pairs        []Pair // by monitor id, each monitor once
}

// Scorer is an overall score of the server.
type Scorer struct {
	ID    pool.MonitorID
	Score float64
	At    time.Time // of the newest sample that it reflects; zero: it hasn't begun
	Kept  pool.Kept // its newest row in the log: what Novel compares its next value with
}

// Pair is what one monitor makes of the server.
type Pair struct {
	Monitor pool.MonitorID
	Status  pool.Status // of the monitor for the server
	Stratum uint8       // of its newest sample whose stratum isn't 0
	Last    pool.Kept   // its newest sample: when, the score after it, its step, its RTT in whole µs, and its row
}

// Book keeps the scores of one server. It belongs to one actor and isn't safe for concurrent use.
//
// Record scores a batch and says which rows of the log are to be stored for it, Unstored what else. Once they are,
// Stored takes the ids of the rows. One batch at a time may be under way: until it is stored, Record and Snapshot
// panic. A batch that can't be stored takes the Book with it; a new one starts from what was stored, and goes on
// exactly as this one would have.
type Book struct {
	stratum  uint8
	median   scorer
	every    scorer
	pairs    []pair   // by monitor id
	underway []Entry  // what Record returned and Stored has not yet confirmed
	ballot   []Newest // where the votes of one sample are counted, and their order: they are used again for each
	ranking  []*Newest
}

// scorer and pair know where they stand in the batch under way.
type (
	scorer struct {
		Scorer
		row   int  // index of the newest row; none: it has none there
		moved bool // its value was computed anew
	}
	pair struct {
		Pair
		row int // index of the newest row; none: it has none there
	}
)

// none is the index of no row.
const none = -1

// NewBook starts a book from what was stored.
func NewBook(s Snapshot) *Book {
	b := &Book{
		stratum: s.Stratum,
		median:  scorer{Scorer: s.RecentMedian, row: none},
		every:   scorer{Scorer: s.Every, row: none},
		pairs:   make([]pair, 0, len(s.Pairs)),
	}
	if s.Every.At.IsZero() {
		b.every.Score = everyStart
	}
	for _, p := range s.Pairs {
		b.pairs = append(b.pairs, pair{Pair: p, row: none})
	}
	slices.SortFunc(b.pairs, func(p, q pair) int { return cmp.Compare(p.Monitor, q.Monitor) })
	return b
}

// Snapshot is what NewBook needs to go on from here. It panics while a batch is under way: what isn't stored
// doesn't outlive the book.
func (b *Book) Snapshot() Snapshot {
	b.mustRest("take a snapshot")
	s := Snapshot{
		Stratum:      b.stratum,
		RecentMedian: b.median.Scorer,
		Every:        b.every.Scorer,
		Pairs:        make([]Pair, 0, len(b.pairs)),
	}
	for _, p := range b.pairs {
		s.Pairs = append(s.Pairs, p.Pair)
	}
	return s
}

// SetStatus says what a monitor is for the server from now on. A monitor that the book doesn't know comes in with
// score 0. The overall score follows with the next sample.
func (b *Book) SetStatus(monitor pool.MonitorID, status pool.Status) {
	b.pair(monitor).Status = status
}

// Remove forgets a monitor. The overall score follows with the next sample.
func (b *Book) Remove(monitor pool.MonitorID) {
	if i, known := b.find(monitor); known {
		b.pairs = slices.Delete(b.pairs, i, i+1)
	}
}

// Overall is the server's own score and stratum. It is fit for service with a score of Fit or more.
func (b *Book) Overall() pool.Overall {
	return pool.Overall{
		Score:   b.median.Score,
		At:      b.median.At,
		Known:   !b.median.At.IsZero(),
		Stratum: b.stratum,
	}
}

// pair finds a monitor's pair, or opens one. A pair that nobody gave a status begins as a candidate.
// The pointer is good until the next pair is opened or removed.
func (b *Book) pair(monitor pool.MonitorID) *pair {
	i, known := b.find(monitor)
	if !known {
		fresh := pair{Pair: Pair{Monitor: monitor, Status: pool.Candidate}, row: none}
		b.pairs = slices.Insert(b.pairs, i, fresh)
	}
	return &b.pairs[i]
}

// find is where a monitor's pair is, or where it belongs.
func (b *Book) find(monitor pool.MonitorID) (int, bool) {
	return slices.BinarySearchFunc(b.pairs, monitor, func(p pair, id pool.MonitorID) int {
		return cmp.Compare(p.Monitor, id)
	})
}

// mustRest panics while a batch is under way.
func (b *Book) mustRest(act string) {
	if len(b.underway) > 0 {
		panic(fmt.Sprintf("scoring: %s while %d rows wait to be stored", act, len(b.underway)))
	}
}

// votes are the newest scores of all monitors that have one. A score whose row isn't known is left out until the
// monitor's next sample: an overall score names the samples that it counted.
func (b *Book) votes() []*Newest {
	b.ballot, b.ranking = slices.Grow(b.ballot[:0], len(b.pairs)), b.ranking[:0]
	for i := range b.pairs {
		if row, known := b.pairs[i].ref(); known {
			b.ballot = append(b.ballot, b.pairs[i].vote(row))
			b.ranking = append(b.ranking, &b.ballot[len(b.ballot)-1])
		}
	}
	return b.ranking
}

// ref names the row of the pair's newest sample.
func (p *pair) ref() (pool.Ref, bool) {
	if p.row != none {
		return pool.Ref{Row: p.row}, true
	}
	return pool.Ref{ID: p.Last.ID}, p.Last.ID != 0
}

// vote is the pair's newest score as Median wants it.
func (p *pair) vote(row pool.Ref) Newest {
	n := Newest{
		Monitor: p.Monitor,
		Status:  p.Status,
		Row:     row,
		At:      p.Last.At,
		Score:   p.Last.Score,
		Step:    p.Last.Step,
	}
	if p.Last.RTT != nil {
		n.RTT = *p.Last.RTT
	}
	return n
}

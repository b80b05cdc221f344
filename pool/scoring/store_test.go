package scoring

import (
	"math"
	"slices"
	"time"

	"truechimer/pool"
)

// The scorers of every test.
const (
	medianID pool.MonitorID = 901
	everyID  pool.MonitorID = 902
)

var scorers = []pool.Scorer{{ID: medianID, Name: pool.RecentMedian}, {ID: everyID, Name: pool.Every}}

// store keeps what a book asks for in the form in which a database keeps it: offsets are seconds in a double, RTTs
// whole microseconds, references ids.
type store struct {
	server pool.Server
	pairs  map[pool.MonitorID]pool.Pair
	log    []logged
}

// logged is a row of the log.
type logged struct {
	id     pool.LogID
	row    pool.LogRow
	from   pool.LogID // of a scorer's row: what its From pointed to
	scorer pool.ScorerName
	tier   Tier
}

// key is what a row of the log is one by.
type key struct {
	monitor pool.MonitorID
	at      time.Time
}

func newStore() *store {
	return &store{pairs: map[pool.MonitorID]pool.Pair{}}
}

// keep commits what the book's last Record returned, and confirms it to the book.
func (s *store) keep(b *Book, entries []Entry) {
	scores, overall := b.Unstored()
	ids := make([]pool.LogID, len(entries))
	for i, e := range entries {
		if e.Late && slices.ContainsFunc(s.log, func(l logged) bool { return l.key() == key{e.Monitor, e.At} }) {
			continue // it is there already
		}
		ids[i] = pool.LogID(100 + len(s.log))
		s.log = append(s.log, loggedOf(e, ids, i))
	}
	for _, p := range scores {
		pair, known := s.pairs[p.Monitor]
		if !known {
			pair.Status = pool.Candidate // the column's default
		}
		pair.Monitor, pair.Score, pair.ScoreAt, pair.Stratum = p.Monitor, p.Score, p.At, p.Stratum
		if p.Row >= 0 {
			row := s.log[ids[p.Row]-100].row
			pair.Kept = pool.Kept{ID: ids[p.Row], At: row.At, Score: row.Score, Step: row.Step}
			if row.Sample != nil {
				pair.Kept.RTT = row.Sample.RTT
			}
		}
		s.pairs[p.Monitor] = pair
	}
	if overall != nil {
		s.server.Stratum = overall.Stratum
		if overall.Known {
			s.server.Score, s.server.ScoreAt = overall.Score, overall.At
		}
	}
	if len(entries) > 0 {
		b.Stored(ids)
	}
}

// loggedOf is an entry as stored.
func loggedOf(e Entry, ids []pool.LogID, i int) logged {
	row := e.LogRow()
	row.Counted = nil
	for _, ref := range e.Counted {
		row.Counted = append(row.Counted, pool.Ref{ID: idOf(ref, ids)})
	}
	if row.Sample != nil {
		row.Sample = storedSample(*row.Sample)
	}
	l := logged{id: ids[i], row: row, scorer: e.Scorer, tier: e.Tier}
	if e.Scorer != "" {
		l.from = idOf(e.From, ids)
	}
	return l
}

// idOf is the id of the row that a reference names.
func idOf(ref pool.Ref, ids []pool.LogID) pool.LogID {
	if ref.ID != 0 {
		return ref.ID
	}
	return ids[ref.Row]
}

// storedSample is a sample that went into the log and came back.
func storedSample(s pool.Sample) *pool.Sample {
	if s.Offset != nil {
		seconds := s.Offset.Seconds()
		offset := time.Duration(math.Round(seconds * 1e9))
		s.Offset = &offset
	}
	if s.RTT != nil {
		rtt := time.Duration(s.RTT.Microseconds()) * time.Microsecond
		s.RTT = &rtt
	}
	return &s
}

func (l logged) key() key {
	return key{l.row.Monitor, l.row.At}
}

// setStatus keeps what a monitor is for the server, and tells the book.
func (s *store) setStatus(b *Book, monitor pool.MonitorID, status pool.Status) {
	pair := s.pairs[monitor]
	pair.Monitor, pair.Status = monitor, status
	s.pairs[monitor] = pair
	b.SetStatus(monitor, status)
}

// snapshot is what the next book starts from.
func (s *store) snapshot() Snapshot {
	image := pool.ServerImage{Server: s.server}
	for _, pair := range s.pairs {
		image.Pairs = append(image.Pairs, pair)
	}
	slices.SortFunc(image.Pairs, func(p, q pool.Pair) int { return int(p.Monitor) - int(q.Monitor) })
	return SnapshotOf(image, scorers)
}

package schedule

import (
	"time"

	"truechimer/pool"
)

const (
	// QueryGap is the time from the start of one query to the start of the next.
	// Who asks more often counts as abusive: 2 s is the `discard minimum` of an ntpd that wasn't told otherwise.
	QueryGap = 2 * time.Second

	// QueryTimeout is how long a query waits for its reply. No path on Earth takes as long;
	// a reply that does would be worthless, since its offset may be off by half of its RTT (RFC 5905 section 8).
	QueryTimeout = 3 * time.Second

	// DefaultQueries is how many queries a probe has unless its monitor is told otherwise:
	// one may be lost and one delayed, and the third still tells the time.
	DefaultQueries = 3

	// MaxQueries keeps the longest probe, each of its queries timing out, at 24 s.
	MaxQueries = 8

	// maxStratum is the worst stratum worth a second query. Real servers are at 1 to 4; from 16 on
	// a server is unsynchronised (RFC 5905 section 7.3), and just below it has as good as lost its source.
	maxStratum = 10
)

// Burst is one probe under way: queries go out one by one, and the best reply stands for all.
type Burst struct {
	left int // queries still to go
	best pool.Sample
	some bool // best has been recorded
}

// NewBurst begins a probe of 1 to 8 queries. 0 stands for DefaultQueries;
// what is out of range counts as the nearest number in it.
func NewBurst(queries int) *Burst {
	if queries == 0 {
		queries = DefaultQueries
	}
	return &Burst{left: min(max(queries, 1), MaxQueries)}
}

// Pause is how long to wait between the end of a query and the start of the next, if the query took so long
// from being sent until it was answered or given up.
func Pause(took time.Duration) time.Duration {
	return min(max(QueryGap-took, 0), QueryGap)
}

// Record takes what one query said and tells whether the probe is done.
// What comes after that changes nothing.
//
// A well-formed reply of stratum 0 has no Error: the Error is what tells a malformed reply, whose stratum
// isn't known, from a server that answers and serves no time.
func (b *Burst) Record(s pool.Sample) (done bool) {
	if b.left == 0 {
		return true
	}
	b.left--
	final := isFinal(s)
	if final {
		b.left = 0
	}
	if final || !b.some || better(s, b.best) {
		b.best, b.some = s, true
	}
	return b.left == 0
}

// Best is what the probe says: the sample that ended it, else the best one recorded so far.
// Before the first one it is the zero Sample.
func (b *Burst) Best() pool.Sample {
	return b.best
}

// isFinal tells whether a reply makes further queries pointless or unwelcome:
// the server sends us away (RFC 5905 section 7.4), or it says itself that it has no time to give.
func isFinal(s pool.Sample) bool {
	switch {
	case s.NoReply:
		return false
	case s.Kiss != "" || s.Stratum > maxStratum:
		return true
	default:
		return s.Stratum == 0 && s.Error == ""
	}
}

// better tells whether sample a says more than sample b: time beats an error, an error beats silence,
// and among equals the least RTT has the least error in its offset (RFC 5905 section 8).
// Of two that are equal in all of it, the first stays.
func better(a, b pool.Sample) bool {
	if worthA, worthB := worth(a), worth(b); worthA != worthB {
		return worthA > worthB
	}
	return a.RTT != nil && (b.RTT == nil || *a.RTT < *b.RTT)
}

func worth(s pool.Sample) int {
	switch {
	case s.Valid():
		return 2
	case !s.NoReply:
		return 1
	default:
		return 0
	}
}

package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"truechimer/pool"
)

// Next is the first moment strictly after a time at which a cadence probes, in UTC.
//
// Occurrence n of a cadence starts at n·Interval + Phase since the Unix epoch and probes at one moment of the
// Window after that, which follows from the Seed and the start. So moments never drift, need no memory, come in
// the order of their occurrences, and two of them in a row are Interval-Window to Interval+Window apart.
//
// It works for any time and panics when the cadence is out of the bounds that pool.Cadence names.
func Next(c pool.Cadence, after time.Time) time.Time {
	if c.Interval <= 0 || c.Phase < 0 || c.Phase >= c.Interval || c.Window <= 0 || c.Window > c.Interval {
		panic(fmt.Sprintf("schedule: %+v is not a cadence", c))
	}
	// A window ends before the next one starts: whatever started earlier is past, whatever starts later is later.
	start := startOf(c, after)
	if moment := start.Add(jitter(c, start)); moment.After(after) {
		return moment
	}
	start = start.Add(c.Interval)
	return start.Add(jitter(c, start))
}

// startOf is the start of the occurrence that a time belongs to: the last one not after it.
// Time.Truncate counts from the year 1 and is exact at any distance from it, which nanoseconds since 1970
// in 64 bits are not; so the grid is shifted by what lies between its epoch and ours.
func startOf(c pool.Cadence, t time.Time) time.Time {
	epoch := time.Unix(0, 0)
	shift := epoch.Sub(epoch.Truncate(c.Interval))
	return t.UTC().Add(-shift).Add(-c.Phase).Truncate(c.Interval).Add(c.Phase).Add(shift)
}

// jitterTag keeps these hashes apart from all others that might be made of a seed.
const jitterTag = "truechimer/probe"

// jitter is how long after its start an occurrence probes: a pseudo-random function of Seed and start,
// taken modulo the Window (the bias is below 2^-20 for any window up to 4 h).
//
// It is SHA-256 with the seed in front, so that who doesn't know the seed learns nothing from all the moments
// that he has seen. The message has one length, so nothing can be appended to it, and fits one block: Next takes a
// quarter of a microsecond. A faster keyed hash would be one more thing to trust, to save a thousandth of a core.
func jitter(c pool.Cadence, start time.Time) time.Duration {
	var message [len(jitterTag) + 20]byte
	b := append(message[:0], jitterTag...)
	b = binary.BigEndian.AppendUint64(b, c.Seed)
	b = binary.BigEndian.AppendUint64(b, uint64(start.Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(start.Nanosecond()))
	sum := sha256.Sum256(b)
	return time.Duration(binary.BigEndian.Uint64(sum[:8]) % uint64(c.Window))
}

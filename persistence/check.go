package persistence

import (
	"errors"
	"fmt"
	"math"
	"time"

	"truechimer/pool"
	"truechimer/pool/placement"
)

// Limits of the columns, which both stores hold to, so that what the simulation keeps MySQL would keep.
const (
	maxWords  = 50             // characters of a violation or a reason
	maxMicros = math.MaxInt32  // of an RTT
	maxMillis = math.MaxUint32 // of an interval
)

// checkCommit says why a commit can't be kept as it is, before it comes in the way of others.
func checkCommit(c pool.ServerCommit) error {
	if c.Shard != placement.OfServer(c.Server) {
		return fmt.Errorf("server %d isn't of shard %d", c.Server, c.Shard)
	}
	for i, row := range c.Rows {
		if err := errors.Join(checkRow(c, row), checkOnce(c.Rows[:i], row)); err != nil {
			return fmt.Errorf("row %d of server %d: %w", i, c.Server, err)
		}
	}
	for _, score := range c.Scores {
		if err := checkScore(c, score); err != nil {
			return fmt.Errorf("score of server %d by monitor %d: %w", c.Server, score.Monitor, err)
		}
	}
	for _, status := range c.Statuses {
		if err := checkStatus(status); err != nil {
			return fmt.Errorf("status of server %d and monitor %d: %w", c.Server, status.Monitor, err)
		}
	}
	if o := c.Overall; o != nil && o.Known {
		return errors.Join(checkTime(o.At), checkNumber(o.Score))
	}
	return nil
}

func checkRow(c pool.ServerCommit, row pool.LogRow) error {
	if err := errors.Join(checkTime(row.At), checkNumber(row.Score), checkNumber(row.Step)); err != nil {
		return err
	}
	if row.Sample == nil && row.Late {
		return errors.New("a scorer's row is never late")
	}
	if row.Sample != nil && row.Sample.RTT != nil {
		if rtt := row.Sample.RTT.Microseconds(); rtt < -maxMicros || rtt > maxMicros {
			return fmt.Errorf("an RTT of %s is too long", row.Sample.RTT)
		}
	}
	for _, ref := range row.Counted {
		if ref.ID != 0 {
			continue
		}
		if ref.Row < 0 || ref.Row >= len(c.Rows) || c.Rows[ref.Row].Sample == nil || c.Rows[ref.Row].Late {
			return fmt.Errorf("it counts row %d, which is no sample that counts", ref.Row)
		}
	}
	return nil
}

// checkOnce refuses a second row of one sample. A late one may be the second: it isn't kept again.
func checkOnce(earlier []pool.LogRow, row pool.LogRow) error {
	if row.Late {
		return nil
	}
	for _, other := range earlier {
		if keyOf(0, other) == keyOf(0, row) {
			return fmt.Errorf("monitor %d has another one of the same time", row.Monitor)
		}
	}
	return nil
}

func checkScore(c pool.ServerCommit, score pool.PairScore) error {
	if err := errors.Join(checkTime(score.At), checkNumber(score.Score)); err != nil {
		return err
	}
	if score.Row == -1 {
		return nil
	}
	if score.Row < 0 || score.Row >= len(c.Rows) {
		return fmt.Errorf("there is no row %d", score.Row)
	}
	if row := c.Rows[score.Row]; row.Monitor != score.Monitor || row.Late {
		return fmt.Errorf("row %d is late or another monitor's", score.Row)
	}
	return nil
}

func checkStatus(s pool.PairStatus) error {
	switch s.Status {
	case pool.Active, pool.Testing, pool.Candidate, pool.Paused:
	default:
		return fmt.Errorf("%q is no status", s.Status)
	}
	if c := s.Cadence; c != nil && !isCadence(*c) {
		return fmt.Errorf("interval %s, phase %s, window %s are no cadence in whole milliseconds", c.Interval, c.Phase, c.Window)
	}
	if len(s.Violation) > maxWords || len(s.PauseReason) > maxWords {
		return fmt.Errorf("violation or reason is longer than %d characters", maxWords)
	}
	return nil
}

// isCadence tells whether a cadence is one, and would be the same one after it was stored.
func isCadence(c pool.Cadence) bool {
	if c.Phase < 0 || c.Phase >= c.Interval || c.Window <= 0 || c.Window > c.Interval || c.Interval.Milliseconds() > maxMillis {
		return false
	}
	whole := func(d time.Duration) bool { return d%time.Millisecond == 0 }
	return whole(c.Interval) && whole(c.Phase) && whole(c.Window)
}

func checkNumber(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("%v is no number", f)
	}
	return nil
}

// checkTime takes the years that a database and NTP's eras hold without doubt.
func checkTime(at time.Time) error {
	if year := at.Year(); year < 1970 || year > 9998 {
		return fmt.Errorf("%s is no time of a sample", at)
	}
	return nil
}

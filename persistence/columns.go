package persistence

import (
	"cmp"
	"database/sql"
	"math"
	"slices"
	"time"
)

// Between Go's zero values and SQL's NULL.

// known is a text column; NULL for an empty text.
func known(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

// number is a column of ids; NULL for 0, which stands for none.
func number[T ~uint32](id T) sql.NullInt64 { return sql.NullInt64{Int64: int64(id), Valid: id != 0} }

// moment is a time column; NULL for the zero time, which stands for never.
func moment(at time.Time) sql.NullTime { return sql.NullTime{Time: at, Valid: !at.IsZero()} }

// durationOf is a duration stored as a number of units; nil for NULL.
func durationOf(n sql.NullInt64, unit time.Duration) *time.Duration {
	if !n.Valid {
		return nil
	}
	d := time.Duration(n.Int64) * unit
	return &d
}

// secondsOf is a duration stored as seconds. It gives back to the nanosecond what Duration.Seconds made of anything
// shorter than some days, far beyond any offset that is kept.
func secondsOf(n sql.NullFloat64) *time.Duration {
	if !n.Valid {
		return nil
	}
	d := time.Duration(math.Round(n.Float64 * float64(time.Second)))
	return &d
}

// timeOfMicros is a time given in microseconds since the Unix epoch.
func timeOfMicros(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// dayOf is the day of a time, in UTC.
func dayOf(at time.Time) time.Time { return at.UTC().Truncate(day) }

// sortedSet is a sorted copy without repetitions.
func sortedSet[T cmp.Ordered](all []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

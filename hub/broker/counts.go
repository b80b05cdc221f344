package broker

import "sync/atomic"

// Counts are what the guard has seen since the broker started.
type Counts struct {
	Refused int64 // connections that were not let in, or never asked to be
	Cut     int64 // clients that were cut off: too slow, expired, taken over, or sending nonsense
	Ignored int64 // messages that their publisher had no right to
	Panics  int64 // connections that made mochi panic
}

type counters struct {
	refused, cut, ignored, panics atomic.Int64
}

func (c *counters) read() Counts {
	return Counts{
		Refused: c.refused.Load(), Cut: c.cut.Load(), Ignored: c.ignored.Load(), Panics: c.panics.Load(),
	}
}

package hubside

import (
	"slices"
	"time"

	"truechimer/actors/port"
)

// How the archivist gets over a store that doesn't answer.

const (
	// firstRetry and lastRetry bound the pauses while the database doesn't answer: the first is short,
	// since most faults are a restart or a lost connection; the last keeps a long outage from hammering it.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// finish takes what was under way from the queue if the store did it. If it didn't, a load is put off by itself,
// since it may be the only thing that is wrong; anything else will be asked again after a pause.
func (a *archivist) finish(err error) (done []*asked) {
	done = slices.Clone(a.queue[:a.busy])
	a.busy = 0
	if err != nil && !done[0].isLoad() {
		a.retryLater(err)
		return nil
	}
	a.queue = slices.Delete(a.queue, 0, len(done))
	if err != nil {
		a.putOff(done[0], err)
		return nil
	}
	a.relieve()
	for _, q := range done {
		delete(a.waiting, q.key())
	}
	return done
}

// retryLater asks for the head of the queue again after a growing pause.
func (a *archivist) retryLater(err error) {
	a.trouble(err)
	a.config.Count(port.CountCommits, "failed", 1)
	a.env.After(a.pause(a.retries), archivistRetries{})
	a.retries++
}

// putOff asks for a load again after a growing pause, behind whatever is in the queue by then: later is always right.
func (a *archivist) putOff(q *asked, err error) {
	if q.failures == 0 {
		a.trouble(err)
	}
	a.env.After(a.pause(q.failures), loadAgain{q})
	q.failures++
}

// pause is how long to wait after so many failures in a row: it doubles, with jitter.
func (a *archivist) pause(failures int) time.Duration {
	pause := min(lastRetry, firstRetry<<min(failures, 10))
	return pause/2 + time.Duration(a.env.Rand().Int64N(int64(pause)))
}

// trouble says once that the database doesn't do what it is asked.
func (a *archivist) trouble(err error) {
	a.env.Sometimes("store failed")
	if !a.troubled {
		a.env.Log().Error().Err(err).Msg("the database takes nothing; evidence waits")
	}
	a.troubled = true
}

// relieve notes that it does. Who was told of the trouble is told of its end.
func (a *archivist) relieve() {
	if a.troubled {
		a.env.Log().Warn().Msg("the database takes evidence again")
	}
	a.troubled, a.retries = false, 0
}

package hubside

import (
	"cmp"
	"slices"
	"time"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

// How the archivist records when agents were here.

// seenEvery is how often the times at which agents were seen are written.
// Selection judges them by the hour, so losing that much at a crash is nothing.
const seenEvery = 10 * time.Second

// onSeen keeps the newest times; they are written now and then, apart from the commits, which nothing shall delay.
func (a *archivist) onSeen(msg *messages.Seen) {
	for _, m := range msg.Monitors {
		seen := messages.ToAgentSeen(m)
		if earlier := a.seen[seen.Monitor]; seen.Submitted.IsZero() {
			seen.Submitted = earlier.Submitted
		}
		a.seen[seen.Monitor] = seen
	}
}

func (a *archivist) onWriteSeen() {
	a.env.After(seenEvery, writeSeen{})
	if len(a.seen) == 0 {
		return
	}
	seen := make([]pool.AgentSeen, 0, len(a.seen))
	for _, s := range a.seen {
		seen = append(seen, s)
	}
	slices.SortFunc(seen, func(x, y pool.AgentSeen) int { return cmp.Compare(x.Monitor, y.Monitor) })
	clear(a.seen)
	answer := port.Answer[seenWritten](a.env)
	a.config.Store.Seen(seen, func(err error) { answer(seenWritten{err}) })
}

// onSeenWritten leaves a failure at that: the agents will be seen again. The log is told once.
func (a *archivist) onSeenWritten(msg seenWritten) {
	if msg.err != nil && !a.unheard {
		a.env.Log().Warn().Err(msg.err).Msg("when agents were seen is not recorded")
	}
	a.unheard = msg.err != nil
}

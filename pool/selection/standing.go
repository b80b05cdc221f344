package selection

import (
	"fmt"
	"time"

	"truechimer/pool"
)

// Verdict is what a monitor should do.
type Verdict string

// The verdicts.
const (
	Blocked Verdict = "blocked" // the pool as a whole has stopped it, or doesn't know it: it leaves at once
	Out     Verdict = "out"     // it leaves when it can be spared
	Hold    Verdict = "hold"    // it stays testing: it isn't globally active
	In      Verdict = "in"      // it may stay and rise
)

// Standing is what a round held a monitor to be before it changed anything, and why.
type Standing struct {
	Monitor pool.MonitorID
	Verdict Verdict
	Why     string
}

// seenWithin is how long an agent may be silent before its monitors are out: an active one has missed six probes then.
const seenWithin = 60 * time.Minute

// blocked tells whether the pool as a whole has stopped a monitor, or doesn't know what it is.
func blocked(global pool.GlobalStatus) bool {
	return global != pool.GlobalActive && global != pool.GlobalTesting && global != pool.GlobalPending
}

// seen tells whether a monitor's agent was there in the last 60 minutes, or whether nobody recorded it.
func (d *draft) seen(m *member) bool {
	return m.LastSeen.IsZero() || d.now.Sub(m.LastSeen) <= seenWithin
}

// fit tells whether a monitor may be promoted as far as it goes by its own doings.
func (d *draft) fit(m *member) bool {
	return m.grade == healthy && d.seen(m)
}

// judge says what a monitor should do, and why.
func (d *draft) judge(m *member) (verdict Verdict, why string) {
	switch {
	case blocked(m.Global):
		return Blocked, fmt.Sprintf("globally %s", orNone(string(m.Global)))
	case m.Global == pool.GlobalPending:
		return Out, "globally pending"
	case m.violation != "":
		return Out, "breaks " + string(m.violation)
	case m.grade == unhealthy:
		return Out, fmt.Sprintf("unhealthy, mean step %.3f", m.Figures.Step)
	case m.grade == untimed:
		return Out, m.grade.String()
	case !d.seen(m):
		return Out, fmt.Sprintf("agent not seen for %s", inWords(d.now.Sub(m.LastSeen)))
	case m.status == pool.Testing && m.Global != pool.GlobalActive:
		return Hold, fmt.Sprintf("globally %s", m.Global)
	}
	return In, m.grade.String()
}

// mustLeave tells whether a monitor is out for what it is, and not for how it does: by violation or globally pending.
func (m *member) mustLeave() bool {
	return m.verdict == Out && (m.violation != "" || m.Global == pool.GlobalPending)
}

// orNone gives an empty word a name.
func orNone(word string) string {
	if word == "" {
		return "nothing"
	}
	return word
}

// inWords says a length of time in hours and minutes.
func inWords(d time.Duration) string {
	minutes := int64(d.Round(time.Minute) / time.Minute)
	if minutes < 60 {
		return fmt.Sprintf("%d min", minutes)
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("%d h", minutes/60)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}

package links

import "time"

// pace keeps an agent to a rate: what comes faster is read later, and so stays with the agent.
type pace struct {
	rate  int           // bytes a second
	ahead time.Duration // silence that is saved up for later
	paid  time.Time     // until then the time is spent on what has come
}

// take is how long to wait once so many bytes have come; not at all if it isn't positive.
func (p *pace) take(now time.Time, bytes int) time.Duration {
	if earliest := now.Add(-p.ahead); p.paid.Before(earliest) {
		p.paid = earliest
	}
	p.paid = p.paid.Add(time.Duration(bytes) * time.Second / time.Duration(p.rate))
	return p.paid.Sub(now)
}

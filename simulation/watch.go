package simulation

import (
	"net/netip"
	"time"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

// watch looks at every query that agents send, and holds them to what was promised to those who run servers.
type watch struct {
	pool    *Pool
	spacing time.Duration
	last    map[netip.Addr]seen
}

// seen is the newest probe of a server.
type seen struct {
	agent string
	began time.Time // its first query
	query time.Time // its newest one
}

func newWatch(p *Pool) *watch {
	spacing := p.config.Settings.Spacing
	if p.config.Settings == (pool.Settings{}) {
		spacing = pool.DefaultSettings().Spacing
	}
	return &watch{pool: p, spacing: spacing, last: make(map[netip.Addr]seen)}
}

// longestGap is the longest between two queries of one burst: the next goes at the latest when the wait for
// the one before is over, and the simulated machine may take its time.
const longestGap = schedule.QueryTimeout + time.Second

// saw notes a query, and ends the simulation if its server is probed too often. References are the agents' own affair.
func (w *watch) saw(agent string, server netip.Addr) {
	if w.pool.servers[server] == nil || w.pool.servers[server].Reference {
		return
	}
	now := w.pool.Now()
	last, known := w.last[server]
	if known && last.agent == agent && now.Sub(last.query) <= longestGap {
		last.query = now
		w.last[server] = last
		return
	}
	if gap := now.Sub(last.began); known && gap < w.spacing {
		w.pool.Violate("two probes of a server are at least the spacing apart",
			"%s was probed by %s %s after %s", server, agent, gap, last.agent)
	}
	w.last[server] = seen{agent: agent, began: now, query: now}
}

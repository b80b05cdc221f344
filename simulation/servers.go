package simulation

import (
	"net/netip"
	"time"

	"truechimer/actors/port"
	"truechimer/pool"
	"truechimer/pool/schedule"
	"truechimer/simulation/world"
)

// Server is a simulated NTP server. Its fields may be changed at any time.
type Server struct {
	Name      string
	Addr      netip.AddrPort
	Reference bool // agents check their clocks by it; the pool doesn't watch it

	Ahead  time.Duration // of true time
	Silent bool          // it doesn't answer
	Kiss   pool.Kiss     // it answers with this code instead of time
	Leap   pool.Leap
}

const (
	// leastWay and mostWay bound the time that a packet takes, each way.
	// Their difference bounds how far a path that is asymmetric can put an offset wrong: by half of it, 7 ms.
	leastWay = time.Millisecond
	mostWay  = 15 * time.Millisecond

	stratum = 2
)

// prober is the network as one agent reaches servers over it. It implements port.Prober.
type prober struct {
	pool  *Pool
	node  *world.Node
	agent string
}

// Query asks a simulated server. Query and reply each take their own time, and either may be lost.
func (p *prober) Query(to netip.AddrPort, _ netip.Addr, answer func(pool.Sample)) {
	w := p.pool.World
	p.pool.watch.saw(p.node.Name(), to.Addr())
	sent := p.node.Now()
	answered := false
	reply := func(s pool.Sample) {
		if !answered {
			answered = true
			s.At = sent.Truncate(time.Microsecond)
			answer(s)
		}
	}
	p.node.Later(schedule.QueryTimeout, func() { reply(pool.Sample{NoReply: true}) })
	server := p.pool.servers[to.Addr()]
	if server == nil || server.Silent {
		return
	}
	there, back := way(w), way(w)
	left := p.node.Elapsed()
	w.After(there, func() {
		received := w.Now().Add(server.Ahead)
		if !server.Reference {
			received = received.Add(p.pool.Skew[p.agent])
		}
		p.node.Later(back, func() {
			rtt := p.node.Elapsed() - left
			// The server's time when it got the query, less the middle of the agent's sending and receiving:
			// theta of RFC 5905 section 8 for a server that answers at once.
			offset := received.Sub(sent.Add(rtt / 2))
			reply(server.sample(offset, rtt))
		})
	})
}

// sample is what the server's reply says.
func (s *Server) sample(offset, rtt time.Duration) pool.Sample {
	sample := pool.Sample{RTT: &rtt, Leap: s.Leap, Stratum: stratum, RootDelay: time.Millisecond, RootDispersion: time.Millisecond}
	if s.Kiss != "" {
		sample.Kiss, sample.Stratum = s.Kiss, 0
		return sample
	}
	sample.Offset = &offset
	return sample
}

func way(w *world.World) time.Duration {
	return leastWay + time.Duration(w.Load.Int64N(int64(mostWay-leastWay)))
}

// resolver knows addresses only. It implements port.Resolver.
type resolver struct{ node *world.Node }

// Resolve answers with an address as it is.
func (r resolver) Resolve(host string, answer func(port.Resolved)) {
	addr, err := netip.ParseAddr(host)
	r.node.Later(time.Millisecond, func() {
		if err != nil {
			answer(port.Resolved{Err: err})
			return
		}
		answer(port.Resolved{Addrs: []netip.Addr{addr}})
	})
}

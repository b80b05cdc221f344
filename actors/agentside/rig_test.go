package agentside_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/agentside"
	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/ticket"
	"truechimer/simulation/world"
)

// rig is an agent in a world of its own, with NTP servers to probe and a hub that does as the test says.
type rig struct {
	testing.TB
	*world.World
	agent, hub *world.Node
	root       *actor.PID
	keys       ticket.Keyring

	// The agent's side.
	wire     *wire
	presence presence
	servers  map[netip.AddrPort]*ntpServer
	names    map[string][]netip.Addr
	slow     map[string]time.Duration // look-ups of these names take so long
	queries  []query

	// faulty says that actors of the agent panic: then they may forget which batch is in flight.
	faulty bool

	// The hub's side.
	closed   bool // no link comes about
	mute     bool // batches aren't answered
	live     *messages.LiveAccess
	decide   func(*messages.Evidence) (messages.Verdict_Outcome, string)
	onLink   func(*session) // gives the orders of a new link
	sessions []*session
	stored   map[sampleKey]int    // how often each sample was stored
	contents map[uint64]sampleKey // the first sample of each batch, by its number
	orders   map[pool.IPVersion][]*messages.Assignment
	terms    map[pool.IPVersion]*messages.Terms
}

// query is one that left.
type query struct {
	at     time.Time // true time
	server netip.AddrPort
	local  netip.Addr
}

// sampleKey is what makes a sample that sample.
type sampleKey struct {
	monitor, server uint32
	atUS            int64
}

// ntpServer answers at once, or not.
type ntpServer struct {
	offset  time.Duration
	silent  bool
	stratum uint8
}

const (
	agentName = "paris"
	rtt       = 20 * time.Millisecond
)

// newRig starts an agent whose only reference, called ref, is right.
func newRig(t testing.TB, config world.Config) *rig {
	keys, err := ticket.NewKeyring(ticket.Key{ID: 1, Secret: make([]byte, ticket.SecretSize)})
	if err != nil {
		t.Fatal(err)
	}
	w := world.New(config)
	r := &rig{
		TB: t, World: w, keys: keys,
		agent:   w.NewNode(messages.AgentAddress(agentName)),
		hub:     w.NewNode(messages.HubAddress),
		servers: make(map[netip.AddrPort]*ntpServer),
		names:   make(map[string][]netip.Addr),
		decide: func(*messages.Evidence) (messages.Verdict_Outcome, string) {
			return messages.Verdict_STORED, ""
		},
		stored:   make(map[sampleKey]int),
		contents: make(map[uint64]sampleKey),
		orders:   make(map[pool.IPVersion][]*messages.Assignment),
		terms:    make(map[pool.IPVersion]*messages.Terms),
	}
	ref := netip.MustParseAddr("198.51.100.1")
	r.names["ref"] = []netip.Addr{ref}
	r.servers[netip.AddrPortFrom(ref, 123)] = &ntpServer{stratum: 1}
	r.terms[pool.IPv4] = &messages.Terms{Status: "active", BaseChecks: []string{"ref"}, SpacingMs: 20_000}
	r.onLink = func(s *session) {
		for _, version := range []pool.IPVersion{pool.IPv4, pool.IPv6} {
			if r.terms[version] != nil {
				s.assign(version, true, r.orders[version]...)
			}
		}
	}
	r.wire = &wire{rig: r}
	r.agent.System.ProcessRegistry.RegisterAddressResolver(func(*actor.PID) (actor.Process, bool) { return r.wire, true })
	r.hub.Listen("link", r.accept)
	return r
}

// start starts the agent's actors.
func (r *rig) start(change ...func(*agentside.Config)) {
	r.Helper()
	config := agentside.Config{
		Node: &r.agent.Node, Prober: r, Resolver: r, Link: r.wire, Presence: &r.presence, Version: "1.2.3",
	}
	for _, f := range change {
		f(&config)
	}
	var err error
	if r.root, err = agentside.Spawn(config); err != nil {
		r.Fatal(err)
	}
}

// run lets time pass.
func (r *rig) run(d time.Duration) {
	r.Helper()
	if err := r.RunFor(d); err != nil {
		r.Fatal(err.(*world.Violation).Report())
	}
}

// Query implements port.Prober: servers answer after the RTT, or the query times out.
func (r *rig) Query(to netip.AddrPort, local netip.Addr, answer func(pool.Sample)) {
	r.queries = append(r.queries, query{at: r.Now(), server: to, local: local})
	at := r.agent.Now().Truncate(time.Microsecond)
	s := r.servers[to]
	if s == nil || s.silent {
		r.agent.Later(3*time.Second, func() { answer(pool.Sample{At: at, NoReply: true}) })
		return
	}
	r.agent.Later(rtt, func() {
		offset, trip := s.offset-r.agent.ClockError(), rtt
		answer(pool.Sample{At: at, Offset: &offset, RTT: &trip, Stratum: s.stratum})
	})
}

// Resolve implements port.Resolver.
func (r *rig) Resolve(host string, answer func(port.Resolved)) {
	found := port.Resolved{Addrs: r.names[host]}
	if addr, err := netip.ParseAddr(host); err == nil {
		found.Addrs = []netip.Addr{addr}
	}
	if len(found.Addrs) == 0 {
		found.Err = fmt.Errorf("no such host: %s", host)
	}
	r.agent.Later(max(time.Millisecond, r.slow[host]), func() { answer(found) })
}

// probesOf are the bursts that went to a server: queries less than 4 s apart belong to one.
func (r *rig) probesOf(server netip.AddrPort) (starts []time.Time) {
	last := time.Time{}
	for _, q := range r.queries {
		if q.server != server {
			continue
		}
		if q.at.Sub(last) >= 4*time.Second {
			starts = append(starts, q.at)
		}
		last = q.at
	}
	return starts
}

// presence implements port.Presence.
type presence struct {
	announced []*messages.LiveAgent
	withdrawn bool
}

func (p *presence) Announce(_ *messages.LiveAccess, status *messages.LiveAgent) {
	p.announced = append(p.announced, status)
}

func (p *presence) Withdraw() { p.withdrawn = true }

func monitorOf(version pool.IPVersion) uint32 { return uint32(version) * 10 }

// addr is the address of a server by its id: each is right, unless the test changes it.
func (r *rig) server(id uint32) netip.AddrPort {
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(id >> 8), byte(id)}), 123)
	if r.servers[at] == nil {
		r.servers[at] = &ntpServer{stratum: 2}
	}
	return at
}

// cadence is one with windows in which nobody else has to be.
func cadence(id uint32, interval, window time.Duration) pool.Cadence {
	return pool.Cadence{
		Interval: interval, Phase: time.Duration(id) * 7 * time.Second % interval, Window: window, Seed: uint64(id) * 977,
	}
}

// order is the order to probe a server from now on, for as long as a real hub would give it.
func (r *rig) order(id uint32, c pool.Cadence, change ...func(*pool.Assignment)) *messages.Assignment {
	a := pool.Assignment{
		Server: pool.ServerID(id), Addr: r.server(id), Monitor: pool.MonitorID(monitorOf(pool.IPv4)),
		Status: pool.Active, Cadence: c,
	}
	for _, f := range change {
		f(&a)
	}
	now := r.Now().Truncate(time.Second)
	grant := ticket.Grant{
		Agent: agentName, Monitor: a.Monitor, Server: a.Server, Interval: c.Interval, From: now, Until: now.Add(ticket.Lifetime),
	}
	proof := r.keys.Issue(grant)
	return messages.FromAssignment(a, grant, slices.Clone(proof[:]))
}

// give makes these the orders that the hub gives with each link, and gives them at once if there is one.
func (r *rig) give(orders ...*messages.Assignment) {
	r.orders[pool.IPv4] = orders
	if r.wire.conn != nil {
		r.now().assign(pool.IPv4, true, orders...)
	}
}

// atOnce has the first probe of an order go at once.
func atOnce(a *pool.Assignment) { a.AtOnce = true }

package agentside

import (
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/clockcheck"
)

// checkWithin bounds a check: 10 s for a look-up, 24 s for the longest probe, and some for waiting.
// A reference that hasn't answered by then has no valid reply.
const checkWithin = time.Minute

// clockguard tells whether the agent's own clock is fit to judge others. For each IP version it asks the reference
// servers when the probe of that version names them, and again when its verdict expires.
//
// When it fails it has forgotten the references. The probes miss its verdict, and name them again.
type clockguard struct {
	env    *port.Environment
	config *Config
	bursts *actor.PID

	lastBurst uint64 // begins anywhere: what an earlier incarnation ordered must not be taken for ours
	watches   map[pool.IPVersion]*watch
}

// watch is what the guard knows of one IP version.
type watch struct {
	version pool.IPVersion
	asked   *messages.CheckClock
	probe   *actor.PID        // wants to know
	verdict *messages.Fitness // the last one; nil: none yet
	clock   clock             // at the begin of the check that gave it
	check   *check            // under way; nil: none
	stop    func()            // of the timer for the next check
}

// check is one round of questions to the references.
type check struct {
	watch   *watch
	begun   clock
	left    int                     // look-ups and probes that aren't answered yet
	asked   map[netip.AddrPort]bool // no server is asked twice, whatever it is called
	bursts  map[uint64]int          // which reference a probe is for, by the probe's number
	samples []pool.Sample           // one of each reference that has an address of the IP version
	stop    func()                  // of the timer that ends it
}

// private messages of the clock guard.
type (
	checkDue  struct{ watch *watch }
	checkEnds struct{ check *check }
	lookedUp  struct {
		check *check
		port  uint16
		found port.Resolved
	}
)

func newClockguard(env *port.Environment, config *Config, bursts *actor.PID) *clockguard {
	return &clockguard{env: env, config: config, bursts: bursts, watches: make(map[pool.IPVersion]*watch)}
}

func (a *clockguard) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.lastBurst = a.env.Rand().Uint64()
	case *messages.CheckClock:
		a.onCheckClock(ctx, msg)
	case checkDue:
		a.begin(ctx, msg.watch)
	case lookedUp:
		a.onLookedUp(ctx, msg)
	case *messages.Measured:
		a.onMeasured(ctx, msg)
	case checkEnds:
		a.onCheckEnds(ctx, msg.check)
	}
}

// onCheckClock answers with the verdict that holds, or checks anew where there is none.
func (a *clockguard) onCheckClock(ctx actor.Context, msg *messages.CheckClock) {
	version := pool.IPVersion(msg.IpVersion)
	w := a.watches[version]
	if w == nil {
		w = &watch{version: version, stop: func() {}}
		a.watches[version] = w
	}
	same := proto.Equal(w.asked, msg)
	w.asked, w.probe = msg, ctx.Sender()
	switch {
	case !same:
		a.begin(ctx, w)
	case w.check != nil:
	case w.verdict == nil, w.clock.hasJumped(clockOf(a.env)):
		a.begin(ctx, w)
	default:
		ctx.Send(w.probe, w.verdict)
	}
}

// begin looks all references up. The verdict before it holds until there is a new one.
func (a *clockguard) begin(ctx actor.Context, w *watch) {
	if w.check != nil {
		w.check.stop()
	}
	w.stop()
	w.stop = a.env.After(clockcheck.Lasting, checkDue{w})
	c := &check{watch: w, begun: clockOf(a.env), asked: make(map[netip.AddrPort]bool), bursts: make(map[uint64]int)}
	c.stop = a.env.After(checkWithin, checkEnds{c})
	w.check = c
	for _, text := range w.asked.References {
		reference, err := clockcheck.ParseReference(text)
		if err != nil {
			a.env.Log().Warn().Err(err).Msg("a reference server was left out")
			continue
		}
		a.lookUp(c, reference)
	}
	if c.left == 0 {
		a.conclude(ctx, c)
	}
}

func (a *clockguard) lookUp(c *check, reference clockcheck.Reference) {
	c.left++
	answer := port.Answer[lookedUp](a.env)
	a.config.Resolver.Resolve(reference.Host, func(found port.Resolved) {
		answer(lookedUp{check: c, port: reference.Port, found: found})
	})
}

// onLookedUp asks the first of a reference's addresses that are of the IP version. One without any doesn't count.
func (a *clockguard) onLookedUp(ctx actor.Context, msg lookedUp) {
	c := msg.check
	if c != c.watch.check {
		return // the references have changed, or it took too long
	}
	if msg.found.Err != nil {
		a.env.Log().Warn().Err(msg.found.Err).Msg("a reference server could not be looked up")
	}
	c.left--
	for _, addr := range msg.found.Addrs {
		if addr.IsValid() && pool.VersionOf(addr) == c.watch.version {
			a.ask(ctx, c, netip.AddrPortFrom(addr.Unmap(), msg.port))
			break
		}
	}
	if c.left == 0 {
		a.conclude(ctx, c)
	}
}

// ask probes a reference. It may have any address: whoever runs the agent has named it.
func (a *clockguard) ask(ctx actor.Context, c *check, server netip.AddrPort) {
	if c.asked[server] {
		return
	}
	c.asked[server] = true
	c.left++
	a.lastBurst++
	c.bursts[a.lastBurst] = len(c.samples)
	c.samples = append(c.samples, pool.Sample{NoReply: true})
	ctx.Request(a.bursts, &messages.Burst{
		Id:      a.lastBurst,
		Ip:      server.Addr().AsSlice(),
		Port:    uint32(server.Port()),
		Samples: c.watch.asked.Samples,
		NatIp:   c.watch.asked.NatIp,
	})
}

func (a *clockguard) onMeasured(ctx actor.Context, msg *messages.Measured) {
	for _, version := range versions {
		w := a.watches[version]
		if w == nil || w.check == nil {
			continue
		}
		if index, is := w.check.bursts[msg.Id]; is {
			a.note(ctx, w.check, index, msg)
			return
		}
	}
}

// note takes what a reference said. What makes no sense counts as no reply.
func (a *clockguard) note(ctx actor.Context, c *check, index int, msg *messages.Measured) {
	delete(c.bursts, msg.Id)
	if s, err := messages.ToSample(msg.Sample); err == nil {
		c.samples[index] = s
	}
	if c.left--; c.left == 0 {
		a.conclude(ctx, c)
	}
}

// onCheckEnds judges by those that have answered.
func (a *clockguard) onCheckEnds(ctx actor.Context, c *check) {
	if c == c.watch.check {
		a.env.Sometimes("clock check incomplete")
		a.conclude(ctx, c)
	}
}

// conclude gives the verdict, unless the clock was set during the check: then it is done again.
func (a *clockguard) conclude(ctx actor.Context, c *check) {
	c.stop()
	w := c.watch
	if c.begun.hasJumped(clockOf(a.env)) {
		a.begin(ctx, w)
		return
	}
	w.check, w.clock = nil, c.begun
	fit, reason := clockcheck.Verdict(c.samples)
	before := w.verdict
	w.verdict = &messages.Fitness{IpVersion: uint32(w.version), Fit: fit, Reason: messages.Legible(reason)}
	if before == nil || before.Fit != fit {
		a.tellLog(w)
	}
	ctx.Send(w.probe, w.verdict)
}

func (a *clockguard) tellLog(w *watch) {
	if w.verdict.Fit {
		a.env.Log().Info().Stringer("ip_version", w.version).Msg("our clock is fit to judge others")
		return
	}
	a.env.Sometimes("clock unfit")
	a.env.Log().Warn().Stringer("ip_version", w.version).Str("reason", w.verdict.Reason).
		Msg("our clock is not fit to judge others, no samples are taken")
}

package agentside

import (
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/schedule"
)

// burst is one probe: it asks a server several times, tells who ordered it what the best reply says, and ends.
// When it fails its probe is lost.
type burst struct {
	env     *port.Environment
	prober  port.Prober
	ordered orderedBurst

	queries *schedule.Burst
	server  netip.AddrPort
	local   netip.Addr    // where queries leave from; invalid: wherever the system likes
	asked   time.Duration // when the last query left, by Elapsed
}

// stale is how long after a query the next one may go: the time that it may take, and as late as a probe may be.
// If the process stood still for longer, the server is left in peace: its time belongs to another monitor by now.
const stale = schedule.QueryTimeout + schedule.QueryGap + tooLate

// queryDue is the timer for the next query.
type queryDue struct{}

func newBurst(env *port.Environment, prober port.Prober, ordered orderedBurst) *burst {
	order := ordered.order
	addr, _ := netip.AddrFromSlice(order.Ip)
	local, _ := netip.ParseAddr(order.NatIp)
	return &burst{
		env:     env,
		prober:  prober,
		ordered: ordered,
		queries: schedule.NewBurst(int(order.Samples)),
		server:  netip.AddrPortFrom(addr.Unmap(), uint16(order.Port)),
		local:   local,
	}
}

func (a *burst) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.query()
	case queryDue:
		a.onQueryDue(ctx)
	case pool.Sample:
		a.onSample(ctx, msg)
	}
}

func (a *burst) query() {
	a.asked = a.env.Elapsed()
	a.prober.Query(a.server, a.local, port.Answer[pool.Sample](a.env))
}

func (a *burst) onQueryDue(ctx actor.Context) {
	if a.env.Elapsed()-a.asked > stale {
		a.env.Sometimes("burst cut short")
		a.end(ctx)
		return
	}
	a.query()
}

// onSample notes what one query said, and asks again or ends.
func (a *burst) onSample(ctx actor.Context, s pool.Sample) {
	if a.queries.Record(s) {
		a.end(ctx)
		return
	}
	a.env.After(schedule.Pause(a.env.Elapsed()-a.asked), queryDue{})
}

// end tells what was found.
func (a *burst) end(ctx actor.Context) {
	if a.ordered.measured != nil {
		ctx.Send(a.ordered.measured, &messages.Measured{
			Id: a.ordered.order.Id, Sample: messages.FromSample(a.queries.Best()),
		})
	}
	ctx.Stop(ctx.Self())
}

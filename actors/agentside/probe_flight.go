package agentside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
)

// How a probe has a server measured, and what it makes of that.

// lostAfter is when a probe that was ordered will say nothing any more: its place was waited for,
// and its burst has failed.
const lostAfter = time.Minute

// flight is a probe under way, with the grant under which it was ordered.
type flight struct {
	order   *order
	granted messages.Granted
	asked   time.Duration // when it was ordered, by Elapsed
}

// measure has a server probed.
func (a *probe) measure(ctx actor.Context, o *order) {
	a.lastBurst++
	o.burst, o.rested, o.hurry = a.lastBurst, a.clock.elapsed+a.terms.Spacing, time.Time{}
	a.underway[o.burst] = flight{order: o, granted: o.Granted, asked: a.clock.elapsed}
	addr := o.Assignment.Addr
	ctx.Request(a.neighbours.bursts, &messages.Burst{
		Id:      o.burst,
		Ip:      addr.Addr().AsSlice(),
		Port:    uint32(addr.Port()),
		Samples: uint32(a.terms.Config.Samples),
		NatIp:   a.terms.Config.NatIP,
	})
}

// onMeasured makes evidence of what a probe found.
func (a *probe) onMeasured(ctx actor.Context, msg *messages.Measured) {
	f, is := a.underway[msg.Id]
	if !is {
		return // given up, or ordered by an earlier incarnation
	}
	a.land(msg.Id, f)
	sample, err := messages.ToSample(msg.Sample)
	if err != nil {
		a.env.Log().Warn().Err(err).Uint32("server", uint32(f.granted.Grant.Server)).Msg("a sample makes no sense and was dropped")
		return
	}
	ctx.Send(a.neighbours.spool, &messages.Spool{
		IpVersion: uint32(a.version),
		Evidence:  []*messages.Evidence{messages.FromEvidence(f.granted.Grant, f.granted.Ticket, sample)},
	})
}

// land ends a flight.
func (a *probe) land(id uint64, f flight) {
	delete(a.underway, id)
	if f.order.burst == id {
		f.order.burst = 0
	}
}

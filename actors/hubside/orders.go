package hubside

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/messages"
	"truechimer/pool/ticket"
)

// What a probe tells its agent.

// assignmentsAtOnce bounds one message of assignments: some 60 kB.
const assignmentsAtOnce = 500

// sendAll tells the agent all its orders; the last message says that these were all.
func (a *probe) sendAll(ctx actor.Context) {
	if !a.loaded || a.session == nil || a.monitor == nil {
		return
	}
	var orders []*assignment
	for _, server := range sortedKeys(a.assigned) {
		orders = append(orders, a.assigned[server])
	}
	for len(orders) > assignmentsAtOnce {
		a.send(ctx, orders[:assignmentsAtOnce], nil, false)
		orders = orders[assignmentsAtOnce:]
	}
	a.send(ctx, orders, nil, true)
	a.said = true
	a.sayRevoked(ctx)
}

// sayRevoked tells the agent which orders were taken back, once it was told those that hold.
func (a *probe) sayRevoked(ctx actor.Context) {
	if !a.said || a.monitor == nil {
		return
	}
	for some := range slices.Chunk(sortedKeys(a.revoked), assignmentsAtOnce) {
		dropped := make([]uint32, len(some))
		for i, server := range some {
			dropped[i] = uint32(server)
		}
		a.send(ctx, nil, dropped, false)
	}
	clear(a.revoked)
}

// tellTerms tells the agent terms that it doesn't know yet.
func (a *probe) tellTerms(ctx actor.Context) {
	if a.monitor != nil && !proto.Equal(a.terms, messages.FromTerms(*a.monitor, a.settings)) {
		a.send(ctx, nil, nil, false)
	}
}

// send tells the agent orders, each with a new ticket, and the terms. Without a link it does nothing:
// the next session will be told everything.
func (a *probe) send(ctx actor.Context, orders []*assignment, dropped []uint32, whole bool) {
	if a.session == nil || a.monitor == nil {
		return
	}
	a.terms = messages.FromTerms(*a.monitor, a.settings)
	now := a.env.Now().Truncate(time.Second)
	msg := &messages.Assignments{
		IpVersion: uint32(a.version),
		MonitorId: uint32(a.monitor.ID),
		Whole:     whole,
		Dropped:   dropped,
		Terms:     a.terms,
	}
	for _, x := range orders {
		grant := a.grant(x, now)
		proof := a.config.Keys.Issue(grant)
		order := x.Assignment
		order.AtOnce = x.mayHurry(a.env.Now(), a.settings.Spacing)
		msg.Set = append(msg.Set, messages.FromAssignment(order, grant, proof[:]))
		x.until, x.hurry = grant.Until, time.Time{} // once is enough
	}
	ctx.Send(a.session, msg)
}

// grant is the life of an assignment from now on.
func (a *probe) grant(x *assignment, now time.Time) ticket.Grant {
	return ticket.Grant{
		Agent: a.agent, Monitor: x.Monitor, Server: x.Server,
		Interval: x.Cadence.Interval.Truncate(time.Millisecond), From: now, Until: now.Add(ticket.Lifetime),
	}
}

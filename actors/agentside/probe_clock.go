package agentside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool/clockcheck"
)

// How a probe follows its clock: what time it is, and whether that is known to be right.

// verdictWithin is how long a verdict of the clock guard holds at most: its own life, and that of a check.
const verdictWithin = clockcheck.Lasting + checkWithin

// onFitness takes the clock guard's verdict, which comes every few minutes.
func (a *probe) onFitness(ctx actor.Context, msg *messages.Fitness) {
	now := a.look(ctx)
	for id, f := range a.underway {
		if a.clock.elapsed-f.asked > lostAfter {
			a.land(id, f)
		}
	}
	a.expectVerdict()
	a.fit, a.unfit = msg.Fit, msg.Reason
	a.tellStanding(ctx)
	a.goOn(now)
}

// doubt takes the last verdict back and asks for another one.
func (a *probe) doubt(ctx actor.Context, reason string) {
	a.env.Sometimes("clock doubted")
	a.env.Log().Warn().Stringer("ip_version", a.version).Str("reason", reason).Msg("no samples are taken until our clock is checked")
	a.fit, a.unfit = false, reason
	a.tellStanding(ctx)
	a.checkClock(ctx)
}

// checkClock asks the clock guard for a verdict.
func (a *probe) checkClock(ctx actor.Context) {
	a.expectVerdict()
	ctx.Request(a.neighbours.clockguard, a.check)
}

// expectVerdict has the present verdict end if there is no new one in time: the clock guard has failed.
func (a *probe) expectVerdict() {
	a.forgetFit()
	a.forgetFit = a.env.After(verdictWithin, verdictExpired{})
}

// look notes what time it is. When the wall clock was set meanwhile all moments are others, and the last verdict says
// nothing of the time that it shows now.
func (a *probe) look(ctx actor.Context) time.Time {
	before := a.clock
	a.clock = clockOf(a.env)
	if before.hasJumped(a.clock) {
		a.agenda.replan(a.clock.wall)
		a.wakeAt = time.Time{}
		if a.check != nil {
			a.doubt(ctx, "the clock was set")
		}
	}
	return a.clock.wall
}

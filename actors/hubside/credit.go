package hubside

import (
	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
)

// How a shard bounds what waits in it.

// shardCredit bounds how many samples of one shard wait for their verdict at a time: ten full batches.
// What exceeds it stays in the agents' spools. So a database that is slow or away costs bounded memory here.
const shardCredit = 10 * messages.MaxBatch

// onSamples passes samples on to their server, as far as the credit goes.
func (a *shard) onSamples(ctx actor.Context, msg *messages.Samples) {
	s := a.servers[pool.ServerID(msg.ServerId)]
	switch {
	case ctx.Sender() == nil:
		return // nobody would hear the verdict
	case a.epoch == 0:
		decideAll(ctx, msg, messages.Verdict_UNDECIDED, "the shard isn't open yet")
	case s == nil:
		decideAll(ctx, msg, messages.Verdict_REFUSED, "no such server")
	case len(msg.Samples) > a.credit:
		a.env.Sometimes("shard out of credit")
		decideAll(ctx, msg, messages.Verdict_UNDECIDED, "too many samples wait")
	default:
		a.credit -= len(msg.Samples)
		s.unsettled += len(msg.Samples)
		ctx.Forward(s.pid)
	}
}

func (a *shard) onSettled(msg *messages.Settled) {
	s := a.servers[pool.ServerID(msg.ServerId)]
	switch {
	case s == nil:
	case msg.All:
		a.settle(s, s.unsettled)
	default:
		a.settle(s, int(msg.Samples))
	}
}

// settle gives credit back, but never more than was taken: what is settled may have been forgiven already.
func (a *shard) settle(s *shardServer, samples int) {
	samples = min(samples, s.unsettled)
	s.unsettled -= samples
	a.credit += samples
}

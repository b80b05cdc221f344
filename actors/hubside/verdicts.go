package hubside

import (
	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool/scoring"
)

// How those who wait for a verdict on their samples get one.

// evidence is a sample and who waits for the verdict on it.
type evidence struct {
	session   *actor.PID
	batch     uint64
	ipVersion uint32
	index     uint32
	observed  scoring.Observation
}

// malformed is why a sample is refused that says nothing that a sample can say.
const malformed = "malformed sample"

// decide tells the sessions what became of their samples, each in one message, and the shard that they are settled.
func (a *score) decide(ctx actor.Context, all []evidence, outcome messages.Verdict_Outcome, reason string) {
	settled := &messages.Settled{ServerId: uint32(a.id), Samples: uint32(len(all))}
	ctx.Send(Shard(ctx.ActorSystem(), a.shard), settled)
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].batch == all[0].batch && all[n].session.Equal(all[0].session) {
			n++
		}
		verdicts := &messages.Verdicts{BatchId: all[0].batch, IpVersion: all[0].ipVersion}
		for _, e := range all[:n] {
			verdicts.Verdicts = append(verdicts.Verdicts, messages.NewVerdict(e.index, outcome, reason))
		}
		ctx.Send(all[0].session, verdicts)
		all = all[n:]
	}
}

// decideAll gives all samples of a message the same verdict.
func decideAll(ctx actor.Context, msg *messages.Samples, outcome messages.Verdict_Outcome, reason string) {
	verdicts := &messages.Verdicts{BatchId: msg.BatchId, IpVersion: msg.IpVersion}
	for _, s := range msg.Samples {
		verdicts.Verdicts = append(verdicts.Verdicts, messages.NewVerdict(s.Index, outcome, reason))
	}
	ctx.Send(ctx.Sender(), verdicts)
}

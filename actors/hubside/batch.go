package hubside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// What a session does with evidence.

// answerWithin bounds how long a batch waits for the verdicts on all its samples. Then it is answered with
// those that are there, so that one shard that is stuck holds up nobody; a commit takes a few ms.
const answerWithin = 5 * time.Second

// batch is evidence that waits for its verdicts.
type batch struct {
	id       uint64 // the agent's
	serial   uint64 // ours, by which servers know it: the same id may come again, also with other samples
	uplink   *actor.PID
	verdicts []*messages.Verdict
	left     int    // how many are undecided
	relax    func() // stops the timer by which it is answered in any case
}

// onBatch checks each sample and passes what holds on to the shard of its server. A batch takes the place of the
// one before it, whose verdicts nobody waits for any more.
func (a *session) onBatch(ctx actor.Context, msg *messages.Batch) {
	version := pool.IPVersion(msg.IpVersion)
	if version != pool.IPv4 && version != pool.IPv6 || len(msg.Evidence) > messages.MaxBatch || ctx.Sender() == nil {
		a.config.Count(port.CountRefused, "malformed batch", 1)
		return
	}
	if earlier := a.batches[version]; earlier != nil {
		earlier.relax()
	}
	a.serial++
	b := &batch{
		id: msg.Id, serial: a.serial, uplink: ctx.Sender(),
		left: len(msg.Evidence), verdicts: make([]*messages.Verdict, len(msg.Evidence)),
	}
	a.batches[version] = b
	for _, samples := range a.sort(b, msg) {
		ctx.Request(a.config.Directory.Shard(placement.OfServer(pool.ServerID(samples.ServerId))), samples)
	}
	if b.left == 0 {
		a.answer(ctx, version, b)
		return
	}
	b.relax = a.env.After(answerWithin, answerBatch{b})
}

// sort gives each sample that can't count its verdict, and sorts the others by server, in the order of the batch.
func (a *session) sort(b *batch, msg *messages.Batch) []*messages.Samples {
	type pair struct{ monitor, server uint32 }
	var order []*messages.Samples
	of := make(map[pair]*messages.Samples)
	for i, e := range msg.Evidence {
		index := uint32(i)
		if reason := a.check(e); reason != "" {
			a.config.Count(port.CountRefused, reason, 1)
			b.decide(messages.NewVerdict(index, messages.Verdict_REFUSED, reason))
			continue
		}
		key := pair{e.MonitorId, e.ServerId}
		if of[key] == nil {
			of[key] = &messages.Samples{
				ServerId: e.ServerId, MonitorId: e.MonitorId, BatchId: b.serial, IpVersion: msg.IpVersion,
			}
			order = append(order, of[key])
		}
		of[key].Samples = append(of[key].Samples, &messages.IndexedSample{Index: index, Sample: e.Sample})
		a.submitted[e.MonitorId] = true
	}
	return order
}

// check tells why a sample can't count, in one of a few phrases; empty if it can.
func (a *session) check(e *messages.Evidence) string {
	claim, err := messages.ToEvidence(e)
	if err != nil {
		return malformed
	}
	claim.Grant.Agent = a.opened.Agent
	if err := a.config.Keys.Check(claim.Grant, claim.Ticket, claim.Sample.At, a.env.Now()); err != nil {
		return err.Error()
	}
	return ""
}

// onVerdicts notes what a server says of its part of a batch.
func (a *session) onVerdicts(ctx actor.Context, msg *messages.Verdicts) {
	version := pool.IPVersion(msg.IpVersion)
	b := a.batches[version]
	if b == nil || b.serial != msg.BatchId {
		return // answered already, or sent again since
	}
	for _, v := range msg.Verdicts {
		b.decide(v)
	}
	if b.left == 0 {
		a.answer(ctx, version, b)
	}
}

// decide notes the verdict on one sample; the first one holds.
func (b *batch) decide(v *messages.Verdict) {
	if int(v.Index) < len(b.verdicts) && b.verdicts[v.Index] == nil {
		b.verdicts[v.Index] = v
		b.left--
	}
}

// onAnswerBatch answers a batch that has waited long enough.
func (a *session) onAnswerBatch(ctx actor.Context, b *batch) {
	for version, open := range a.batches {
		if open == b {
			a.env.Sometimes("batch answered in part")
			a.answer(ctx, version, b)
			return
		}
	}
}

// answer sends the verdicts to the agent's uplink. A sample without one is undecided.
func (a *session) answer(ctx actor.Context, version pool.IPVersion, b *batch) {
	delete(a.batches, version)
	if b.relax != nil {
		b.relax()
	}
	for i, v := range b.verdicts {
		if v == nil {
			b.verdicts[i] = messages.NewVerdict(uint32(i), messages.Verdict_UNDECIDED, "no answer in time")
		}
	}
	a.countVerdicts(b)
	ctx.Send(b.uplink, &messages.Verdicts{BatchId: b.id, IpVersion: uint32(version), Verdicts: b.verdicts})
}

func (a *session) countVerdicts(b *batch) {
	stored, undecided := 0, 0
	for _, v := range b.verdicts {
		switch v.Outcome {
		case messages.Verdict_STORED:
			stored++
		case messages.Verdict_UNDECIDED:
			undecided++
		}
	}
	a.config.Count(port.CountStored, "", stored)
	a.config.Count(port.CountLater, "", undecided)
}

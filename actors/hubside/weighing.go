package hubside

import (
	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
)

// What a score knows of the monitors themselves.

// enter has samples that are on disk counted for selection. One without an id was there already.
func (a *score) enter(rows []*messages.LogRow, ids []uint64) {
	for i, row := range rows {
		if sample := row.Sample; sample != nil && ids[i] != 0 {
			entry := messages.ToLogRow(row)
			a.ledger.Add(a.env.Now(), entry.Monitor, entry.At, entry.Step, entry.Sample.RTT)
		}
	}
}

// onWeigh says what the monitors' samples come to; while the image is on its way the question waits.
func (a *score) onWeigh(ctx actor.Context, msg *messages.Weigh) {
	a.weigher, a.weighing = ctx.Sender(), msg.Question
	a.answerWeigher(ctx)
}

func (a *score) answerWeigher(ctx actor.Context) {
	if a.weigher == nil || a.book == nil {
		return
	}
	weighed := &messages.Weighed{Question: a.weighing}
	a.ledger.Each(a.env.Now(), func(monitor pool.MonitorID, tally pool.Tally) {
		weighed.Tallies = append(weighed.Tallies, messages.FromPairTally(monitor, tally))
	})
	ctx.Send(a.weigher, weighed)
	a.weigher = nil
}

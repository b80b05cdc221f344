package agentside_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// spoolSome puts samples of a server into the agent's spool, a second apart, as if they had been taken.
func (r *rig) spoolSome(server uint32, n int) {
	now := r.Now().Truncate(time.Second)
	o := r.order(server, cadence(server, time.Minute, time.Second))
	m := &messages.Spool{IpVersion: uint32(pool.IPv4)}
	for i := range n {
		m.Evidence = append(m.Evidence, &messages.Evidence{
			ServerId: server, MonitorId: o.MonitorId, IntervalMs: o.IntervalMs, FromS: o.FromS, UntilS: o.UntilS,
			Ticket: o.Ticket, Sample: &messages.Sample{AtUs: now.UnixMicro() + int64(i), NoReply: true},
		})
	}
	r.agent.System.Root.Send(r.agent.System.NewLocalPID("agent/spool"), m)
}

// batches are all that came over any link.
func (r *rig) batches() (all []*messages.Batch) {
	for _, s := range r.sessions {
		all = append(all, s.batches...)
	}
	return all
}

// Samples go in batches of 500 at most, one after the other as fast as they are answered, in their order.
func TestBatchesAreFullWhileThereIsABacklog(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.spoolSome(1, 2600)
	r.run(3 * time.Second)

	if have := r.storedOf(1); have != 2600 {
		t.Errorf("want 2600 samples stored within 3 s, have %d", have)
	}
	var last int64
	for i, b := range r.batches() {
		if n := len(b.Evidence); n > messages.MaxBatch || i < 5 && n != messages.MaxBatch {
			t.Errorf("batch %d has %d samples", i, n)
		}
		for _, e := range b.Evidence {
			if e.Sample.AtUs <= last {
				t.Fatalf("batch %d isn't in order", i)
			}
			last = e.Sample.AtUs
		}
	}
}

// A lone sample goes at once; those that come within a second after it go together.
func TestSamplesAreGatheredForASecond(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.spoolSome(1, 1)
	r.run(100 * time.Millisecond)
	if have := r.storedOf(1); have != 1 {
		t.Errorf("want it stored within 100 ms, have %d", have)
	}
	for id := range uint32(8) {
		r.spoolSome(id+2, 1)
		r.run(100 * time.Millisecond)
	}
	r.run(time.Second)
	if n := len(r.batches()); n != 2 {
		t.Errorf("want two batches, have %d", n)
	}
	for id := range uint32(8) {
		if have := r.storedOf(id + 2); have != 1 {
			t.Errorf("want the sample of server %d stored, have %d", id+2, have)
		}
	}
}

// A batch that isn't answered is sent again every 30 s, the same; nothing else is sent meanwhile.
func TestUnansweredBatchIsSentAgain(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.mute = true
	r.spoolSome(1, 3)
	r.run(time.Second)
	r.spoolSome(2, 3)
	r.run(100 * time.Second)
	batches := r.batches()
	if len(batches) != 4 {
		t.Fatalf("want it sent 4 times within 100 s, have %d", len(batches))
	}
	for _, b := range batches {
		if b.Id != batches[0].Id || len(b.Evidence) != 3 {
			t.Errorf("want the same batch again, have %v", b)
		}
	}
	r.mute = false
	r.run(time.Minute)
	if one, two := r.storedOf(1), r.storedOf(2); one != 3 || two != 3 {
		t.Errorf("want all stored in the end, have %d and %d", one, two)
	}
}

// A batch that was under way when the link was lost goes over the next link, with the same number.
func TestBatchSurvivesTheLink(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.mute = true
	r.spoolSome(1, 3)
	r.run(5 * time.Second)
	r.now().hang(nil)
	r.mute = false
	r.run(5 * time.Second)
	first, second := r.sessions[0].batches, r.sessions[1].batches
	if len(first) != 1 || len(second) != 1 || first[0].Id != second[0].Id {
		t.Errorf("want one batch over both links, have %v, %v", first, second)
	}
	if have := r.storedOf(1); have != 3 {
		t.Errorf("want 3 samples stored, have %d", have)
	}
}

// What the spool says twice makes no second batch beside the one under way.
func TestOneBatchIsInFlight(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.mute = true
	r.spoolSome(1, 3)
	r.run(time.Second)
	sent := r.batches()[0]
	again := &messages.Collected{IpVersion: 4, Spooled: []*messages.Spooled{{Number: 1, Evidence: sent.Evidence[0]}}}
	r.agent.System.Root.Send(r.agent.System.NewLocalPID("agent/uplink"), again)
	r.run(5 * time.Second)
	if n := len(r.batches()); n != 1 {
		t.Errorf("want one batch, have %d", n)
	}
}

// Verdicts on a batch that isn't under way change nothing.
func TestForeignVerdictsAreIgnored(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.mute = true
	r.spoolSome(1, 3)
	r.run(time.Second)
	id := r.batches()[0].Id
	forged := []*messages.Verdict{{Index: 0, Outcome: messages.Verdict_STORED}, {Index: 1, Outcome: messages.Verdict_REFUSED}}
	r.now().tell("agent/uplink", &messages.Verdicts{BatchId: id + 1, IpVersion: 4, Verdicts: forged})
	r.now().tell("agent/uplink", &messages.Verdicts{BatchId: id, IpVersion: 6, Verdicts: forged})
	r.run(time.Second)
	r.mute = false
	r.run(time.Minute)
	if have := r.storedOf(1); have != 3 {
		t.Errorf("want all 3 samples stored, have %d", have)
	}
}

// What the hub couldn't decide comes again with what is new; the pauses grow while it can decide nothing.
func TestUndecidedSamplesComeAgain(t *testing.T) {
	r := newRig(t, world.Config{Seed: 3})
	stored := r.decide
	r.decide = func(*messages.Evidence) (messages.Verdict_Outcome, string) {
		return messages.Verdict_UNDECIDED, "the shard isn't open yet"
	}
	r.start()
	r.run(10 * time.Second)
	r.spoolSome(1, 3)
	r.run(10 * time.Minute)
	if n := len(r.batches()); n < 9 || n > 22 {
		t.Errorf("want pauses of 2, 4, ... 60 s, half more or less: 9 to 22 batches in 10 min, have %d", n)
	}

	r.decide = func(e *messages.Evidence) (messages.Verdict_Outcome, string) {
		if e.ServerId == 1 {
			return messages.Verdict_UNDECIDED, "too many samples wait"
		}
		return stored(e)
	}
	r.spoolSome(2, 2)
	r.run(2 * time.Minute)
	if have := r.storedOf(2); have != 2 {
		t.Errorf("want what came later stored, have %d", have)
	}
	r.decide = stored
	r.run(2 * time.Minute)
	if have := r.storedOf(1); have != 3 {
		t.Errorf("want all stored in the end, have %d", have)
	}
	for key, n := range r.stored {
		if n != 1 {
			t.Errorf("%v was stored %d times", key, n)
		}
	}
}

// A server whose samples are never decided holds up no other, however many of them there are.
func TestStuckServerHoldsUpNobody(t *testing.T) {
	r := newRig(t, world.Config{})
	stored := r.decide
	r.decide = func(e *messages.Evidence) (messages.Verdict_Outcome, string) {
		if e.ServerId == 1 {
			return messages.Verdict_UNDECIDED, "no answer in time"
		}
		return stored(e)
	}
	r.start()
	r.run(10 * time.Second)
	r.spoolSome(1, 1500)
	r.run(10 * time.Second)
	r.spoolSome(2, 1500)
	r.run(90 * time.Second)
	if have := r.storedOf(2); have != 1500 {
		t.Errorf("want all 1500 samples of server 2 stored, have %d", have)
	}
	id, before := uint32(3), 0
	for range 100 {
		r.spoolSome(id, 1)
		id++
		r.run(time.Second)
	}
	before = len(r.batches())
	for range 500 {
		r.spoolSome(id, 1)
		id++
		r.run(20 * time.Millisecond)
	}
	if n := len(r.batches()) - before; n < 5 || n > 12 {
		t.Errorf("want a batch a second while others come, have %d in 10 s", n)
	}
	r.decide = stored
	r.run(5 * time.Minute)
	if have := r.storedOf(1); have != 1500 {
		t.Errorf("want those of server 1 stored in the end, have %d", have)
	}
}

// What the hub refuses isn't sent again, and the log is told each reason with how many there were, not each sample.
func TestRefusedSamplesAreForgotten(t *testing.T) {
	var log strings.Builder
	r := newRig(t, world.Config{Log: &log})
	r.decide = func(e *messages.Evidence) (messages.Verdict_Outcome, string) {
		return messages.Verdict_REFUSED, fmt.Sprintf("reason %d", e.ServerId)
	}
	r.start()
	r.run(10 * time.Second)
	r.spoolSome(1, 300)
	r.spoolSome(2, 200)
	r.run(time.Second)
	for range 40 {
		r.spoolSome(1, 1)
		r.run(1200 * time.Millisecond)
	}
	r.run(5 * time.Minute)

	if n := len(r.batches()); n > 44 {
		t.Errorf("want nothing sent again, have %d batches", n)
	}
	for _, want := range []string{`"reason":"reason 1","samples":300`, `"reason":"reason 2","samples":200`, `"reason":"reason 1","samples":40`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("want a line with %s", want)
		}
	}
	if have := strings.Count(log.String(), "the hub refused samples"); have > 4 {
		t.Errorf("want a line for each reason and minute, have %d", have)
	}
	if n := r.standing().Spooled; n != 0 {
		t.Errorf("want nothing spooled any more, have %d", n)
	}
}

// Both IP versions have a way of their own: one that waits doesn't hold up the other.
func TestIPVersionsDontWaitForEachOther(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.mute = true
	r.spoolSome(1, 3)
	r.run(time.Second)
	r.mute = false
	m := &messages.Spool{IpVersion: uint32(pool.IPv6)}
	o := r.order(9, cadence(9, time.Minute, time.Second))
	m.Evidence = []*messages.Evidence{{
		ServerId: 9, MonitorId: o.MonitorId, IntervalMs: o.IntervalMs, FromS: o.FromS, UntilS: o.UntilS,
		Ticket: o.Ticket, Sample: &messages.Sample{AtUs: r.Now().UnixMicro(), NoReply: true},
	}}
	r.agent.System.Root.Send(r.agent.System.NewLocalPID("agent/spool"), m)
	r.run(time.Second)
	if have := r.storedOf(9); have != 1 {
		t.Errorf("want the other version's sample stored, have %d", have)
	}
	if have := r.storedOf(1); have != 0 {
		t.Errorf("want this one's still waiting, have %d", have)
	}
}

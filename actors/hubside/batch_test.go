package hubside_test

import (
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/ticket"
)

// What no agent sends is counted and left alone.
func TestMalformedBatchesAreLeftAlone(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*messages.Batch)
	}{
		{"too many samples", func(b *messages.Batch) {
			for len(b.Evidence) <= messages.MaxBatch {
				b.Evidence = append(b.Evidence, b.Evidence[0])
			}
		}},
		{"no IP version", func(b *messages.Batch) { b.IpVersion = 5 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, paris, _ := newPool(t, 1)
			batch := &messages.Batch{Id: 1, IpVersion: 4, Evidence: []*messages.Evidence{paris.evidence(1, paris.sample(0))}}
			test.spoil(batch)
			paris.say(batch)
			r.run(10 * time.Second)
			paris.wantAnswers(1)
			r.wantStored(1, 0)
			r.wantCount("samples_refused/malformed batch", 1)
		})
	}
	t.Run("no sender", func(t *testing.T) {
		r, paris, _ := newPool(t, 1)
		batch := &messages.Batch{Id: 1, IpVersion: 4, Evidence: []*messages.Evidence{paris.evidence(1, paris.sample(0))}}
		r.hub.System.Root.Send(paris.session, batch)
		r.run(10 * time.Second)
		r.wantStored(1, 0)
		r.wantCount("samples_refused/malformed batch", 1)
	})
}

// A full batch is a good one, and so is an empty one.
func TestBatchesOfAnySizeAreAnswered(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	empty := paris.submit()
	r.run(soon)
	paris.wantAnswers(empty, "")
	full := make([]*messages.Evidence, messages.MaxBatch)
	for i := range full {
		full[i] = paris.evidence(1, paris.sample(time.Second-time.Duration(i)*time.Millisecond))
	}
	paris.submit(full...)
	r.run(soon)
	r.wantStored(1, messages.MaxBatch)
	r.wantCount("samples_stored/", messages.MaxBatch)
}

// Each sample of a batch gets its own verdict, and a bad one takes no other with it.
func TestVerdictsAreSampleBySample(t *testing.T) {
	r, paris, oslo := newPool(t, 2)
	foreign := paris.evidence(2, paris.sample(0))
	foreign.Ticket = oslo.order(2).Ticket
	unknown := r.genuine("paris", 99, paris.sample(0))
	batch := paris.submit(paris.evidence(2, paris.sample(3*time.Second)), foreign, paris.evidence(1, paris.sample(0)),
		unknown, paris.evidence(2, paris.sample(2*time.Second)))
	r.run(soon)
	paris.wantAnswers(batch, "stored, refused: ticket doesn't fit the assignment, stored, refused: no such server, stored")
	r.wantStored(1, 1)
	r.wantStored(2, 2)
	r.wantCount("samples_stored/", 3)
	r.wantCount("samples_refused/ticket doesn't fit the assignment", 1)
}

// genuine is evidence with a ticket that this database's hubs have issued, for whichever server.
func (r *rig) genuine(agent string, server int, s pool.Sample) *messages.Evidence {
	r.Helper()
	from := r.Now().Truncate(time.Second)
	grant := ticket.Grant{
		Agent: agent, Monitor: r.monitor(agent).ID, Server: pool.ServerID(server), Interval: 9 * time.Minute,
		From: from, Until: from.Add(ticket.Lifetime),
	}
	proof := r.keys.Issue(grant)
	return messages.FromEvidence(grant, proof[:], s)
}

// A server that was deleted takes no samples any more, though their tickets still live.
func TestDeletedServersTakeNoSamples(t *testing.T) {
	r, paris, _ := newPool(t, 2)
	r.store.purge[1] = true
	r.changed(1)
	r.run(soon)
	batch := paris.submit(paris.evidence(1, paris.sample(0)), paris.evidence(2, paris.sample(0)))
	r.run(soon)
	paris.wantAnswers(batch, "refused: no such server, stored")
	if r.lives(serverPath(1)) {
		t.Error("its actor still lives")
	}
}

// An agent that heard no answer sends its batch again: each time it is answered, and its samples are stored once.
func TestBatchSentTwiceIsStoredOnce(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	batch := &messages.Batch{Id: 7, IpVersion: 4, Evidence: []*messages.Evidence{
		paris.evidence(1, paris.sample(time.Second)), paris.evidence(1, paris.sample(0)),
	}}
	paris.say(batch)
	r.run(soon)
	paris.say(batch)
	r.run(soon)
	paris.wantAnswers(7, "stored, stored", "stored, stored")
	r.wantStored(1, 2)
	r.audit(1)
}

// While the first is under way, a repetition takes its place, and is answered once.
func TestBatchRepeatedMeanwhileIsAnsweredOnce(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = evidenceCommit(1)
	batch := &messages.Batch{Id: 7, IpVersion: 4, Evidence: []*messages.Evidence{paris.evidence(1, paris.sample(0))}}
	paris.say(batch)
	r.run(3 * time.Second)
	paris.say(batch)
	r.run(3 * time.Second) // the first would have been answered in part by now
	paris.wantAnswers(7)
	r.store.release()
	r.run(soon)
	paris.wantAnswers(7, "stored")
	r.wantStored(1, 1)
}

// The verdicts on a batch never answer another one of the same id: an agent that starts anew counts from one again.
func TestSameIdWithOtherSamplesIsAnotherBatch(t *testing.T) {
	r, paris, _ := newPool(t, 2)
	r.store.fails = is("load server 2")
	r.fail(scorePath(2)) // it takes samples, and can't judge them
	r.run(soon)
	paris.say(&messages.Batch{Id: 7, IpVersion: 4, Evidence: []*messages.Evidence{paris.evidence(1, paris.sample(0))}})
	paris.say(&messages.Batch{Id: 7, IpVersion: 4, Evidence: []*messages.Evidence{paris.evidence(2, paris.sample(0))}})
	r.run(4 * time.Second)
	r.wantStored(1, 1)
	paris.wantAnswers(7)
	r.run(2 * time.Second)
	paris.wantAnswers(7, "undecided: no answer in time")
}

// The two IP versions of an agent have a batch each.
func TestIPVersionsDontMix(t *testing.T) {
	r, paris, _ := newPool(t, 2)
	r.store.hold = evidenceCommit(1)
	say := func(version uint32, server int) {
		paris.say(&messages.Batch{Id: 7, IpVersion: version, Evidence: []*messages.Evidence{paris.evidence(server, paris.sample(0))}})
	}
	say(4, 1)
	say(6, 2)
	r.run(soon)
	r.store.release()
	r.run(soon)
	paris.wantAnswers(7, "stored", "stored")
	if a, b := paris.verdicts[0].IpVersion, paris.verdicts[1].IpVersion; a+b != 10 {
		t.Errorf("answered are the batches of versions %d and %d", a, b)
	}
}

// A batch is answered after 5 s with the verdicts that are there, so that a server that is stuck holds up nobody.
// What it makes of its sample later is told when the sample is sent again.
func TestBatchIsAnsweredInPartAfterFiveSeconds(t *testing.T) {
	r, paris, _ := newPool(t, 2)
	r.store.fails = is("load server 1")
	r.fail(scorePath(1))
	r.run(soon)
	stuck := paris.evidence(1, paris.sample(0))
	batch := paris.submit(stuck, paris.evidence(2, paris.sample(0)))
	r.run(4900 * time.Millisecond)
	paris.wantAnswers(batch)
	r.run(200 * time.Millisecond)
	paris.wantAnswers(batch, "undecided: no answer in time, stored")
	r.wantCount("samples_undecided/", 1)

	r.store.fails = is("nothing")
	r.run(10 * time.Second)
	paris.wantAnswers(batch, "undecided: no answer in time, stored")
	r.wantStored(1, 1)
	again := paris.submit(stuck)
	r.run(soon)
	paris.wantAnswers(again, "stored")
	r.wantStored(1, 1)
	r.audit(1)
}

// The first verdict on a sample holds, and one on a sample that isn't there is nobody's: a batch is answered when all
// of its own are decided.
func TestFirstVerdictHolds(t *testing.T) {
	r, paris, _ := newPool(t, 2)
	r.store.hold = evidenceCommit(1)
	var serial uint64
	r.hub.PanicOn(scorePath(1), func(message any) bool {
		if samples, is := message.(*messages.Samples); is {
			serial = samples.BatchId
		}
		return false
	})
	batch := paris.submit(paris.evidence(1, paris.sample(0)), paris.evidence(1, paris.sample(time.Second)))
	r.run(soon)
	for _, v := range []*messages.Verdict{
		messages.NewVerdict(0, messages.Verdict_STORED, ""), messages.NewVerdict(0, messages.Verdict_REFUSED, "why"),
		messages.NewVerdict(2, messages.Verdict_STORED, ""),
	} {
		r.hub.System.Root.Send(paris.session, &messages.Verdicts{BatchId: serial, IpVersion: 4, Verdicts: []*messages.Verdict{v}})
	}
	r.run(soon)
	paris.wantAnswers(batch)
	r.run(5 * time.Second)
	paris.wantAnswers(batch, "stored, undecided: no answer in time")
}

// A sample that is older than the newest of its pair is stored, marked late, and changes no score.
func TestLateSamplesAreStoredButChangeNoScore(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	paris.watch(1)
	r.run(soon)
	before := r.pair(1, "paris")
	late := paris.evidence(1, paris.sample(30*time.Second))
	for range 2 {
		batch := paris.submit(late)
		r.run(soon)
		paris.wantAnswers(batch, "stored")
	}
	samples := r.samples(1)
	if len(samples) != 2 || samples[0].Late || !samples[1].Late {
		t.Errorf("stored are %+v, want one sample and one late one", samples)
	}
	if after := r.pair(1, "paris"); after.Score != before.Score || !after.ScoreAt.Equal(before.ScoreAt) {
		t.Errorf("score %v at %s became %v at %s", before.Score, before.ScoreAt, after.Score, after.ScoreAt)
	}
	r.audit(1)
}

// A sample that is twice in a batch counts once, and both are acknowledged.
func TestDoubledSamplesCountOnce(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	e := paris.evidence(1, paris.sample(0))
	batch := paris.submit(e, e)
	r.run(soon)
	paris.wantAnswers(batch, "stored, stored")
	r.wantStored(1, 1)
	if have, want := r.pair(1, "paris").Score, 1.0; have != want {
		t.Errorf("score %v, want %v", have, want)
	}
}

// Samples of two monitors are two, though they are of the same microsecond.
func TestMonitorsCountApart(t *testing.T) {
	r, paris, oslo := newPool(t, 1)
	s := paris.sample(0)
	first, second := paris.submit(paris.evidence(1, s)), oslo.submit(oslo.evidence(1, s))
	r.run(soon)
	paris.wantAnswers(first, "stored")
	oslo.wantAnswers(second, "stored")
	r.wantStored(1, 2)
	r.audit(1)
	if log := r.samples(1); log[0].Monitor == log[1].Monitor {
		t.Errorf("both are monitor %d's", log[0].Monitor)
	}
}

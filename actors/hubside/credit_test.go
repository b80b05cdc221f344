package hubside_test

import (
	"errors"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
)

// fill has samples of server 1 wait for their commit, as many as a shard takes, and wants it to take no more.
func fill(r *rig, a *agent) {
	r.Helper()
	r.store.hold = evidenceCommit(1)
	l := r.listen()
	first := a.sample(time.Second)
	monitor := uint32(r.monitor(a.name).ID)
	for n := range 10 {
		samples := &messages.Samples{ServerId: 1, MonitorId: monitor, BatchId: uint64(n), IpVersion: 4}
		for i := range messages.MaxBatch {
			s := first
			s.At = s.At.Add(time.Duration(n*messages.MaxBatch+i) * time.Microsecond)
			samples.Samples = append(samples.Samples, &messages.IndexedSample{Index: uint32(i), Sample: messages.FromSample(s)})
		}
		l.ask(shardPath(1), samples)
	}
	r.run(soon)
	if len(l.heard) > 0 {
		r.Errorf("not all samples were taken: %v", l.heard[0].(*messages.Verdicts).Verdicts[0])
	}
	beyond := a.watch(1)
	r.run(soon)
	a.wantAnswers(beyond, "undecided: too many samples wait")
}

// What a shard can't take is left to the agent; and whatever becomes of the samples that it has taken, it can take
// as many again, and not one more.
func TestCreditComesBack(t *testing.T) {
	for _, test := range []struct {
		name   string
		happen func(r *rig)
	}{
		{"kept", func(*rig) {}},
		{"refused", func(r *rig) {
			left := 20
			r.store.spoil = func(pool.ServerCommit) error {
				if left--; left < 0 {
					return nil
				}
				return errors.New("no")
			}
		}},
		{"settled before", func(r *rig) { r.send(shardPath(1), &messages.Settled{ServerId: 1, Samples: 500}) }},
		{"score fails", func(r *rig) { r.fail(scorePath(1)) }},
		{"server fails", func(r *rig) { r.fail(serverPath(1)) }},
		{"shard fails", func(r *rig) { r.fail(shardPath(1)) }},
		{"archivist fails", func(r *rig) { r.fail(archivistPath) }},
		{"server is deleted", func(r *rig) {
			r.store.purge[1] = true
			r.changed(1)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, paris, _ := newPool(t, 1)
			fill(r, paris)
			test.happen(r)
			r.store.release()
			r.run(time.Minute)
			r.store.spoil = func(pool.ServerCommit) error { return nil }
			clear(r.store.purge)
			r.changed(1)
			r.run(time.Second)
			fill(r, paris)
		})
	}
}

// A sample beyond the credit is stored when it is sent again later.
func TestSamplesBeyondTheCreditAreNotLost(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	beyond := paris.evidence(1, paris.sample(0))
	fill(r, paris)
	r.store.release()
	r.run(soon)
	batch := paris.submit(beyond)
	r.run(soon)
	paris.wantAnswers(batch, "stored")
}

// While its shard is on the way, a sample is nobody's to judge.
func TestSamplesOfAShardThatIsntOpenAreUndecided(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.fails = is("open 1")
	r.fail(shardPath(1))
	batch := paris.watch(1)
	r.run(soon)
	paris.wantAnswers(batch, "undecided: the shard isn't open yet")
}

// Samples that nobody would hear the verdict on aren't taken.
func TestSamplesFromNobodyAreLeft(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	e := paris.evidence(1, paris.sample(0))
	r.send(shardPath(1), &messages.Samples{
		ServerId: 1, MonitorId: e.MonitorId, IpVersion: 4, Samples: []*messages.IndexedSample{{Sample: e.Sample}},
	})
	r.run(soon)
	r.wantStored(1, 0)
}

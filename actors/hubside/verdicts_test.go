package hubside_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// Neither the agent nor watchers hear of a sample before it is on disk.
func TestNobodyHearsOfASampleBeforeItIsKept(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = evidenceCommit(1)
	r.live.topics = nil
	batch := paris.watch(1)
	r.run(time.Second)
	paris.wantAnswers(batch)
	if len(r.live.topics) > 0 {
		t.Errorf("published before the commit: %v", r.live.topics)
	}
	r.store.release()
	r.run(soon)
	paris.wantAnswers(batch, "stored")
	if len(r.live.topics) != 2 {
		t.Errorf("published after it: %v, want a sample and a score", r.live.topics)
	}
}

// spoilStratum refuses the samples of a stratum for good, as a broken constraint does.
func (s *store) spoilStratum(stratum uint8) {
	s.spoil = func(c pool.ServerCommit) error {
		for _, row := range c.Rows {
			if row.Sample != nil && row.Sample.Stratum == stratum {
				return errors.New("stratum can't be stored")
			}
		}
		return nil
	}
}

// Of several samples that can't be kept together each is tried by itself, once: the one that can't be kept at all
// is refused, and takes no other with it.
func TestRefusedSamplesAreTriedOneByOne(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.spoilStratum(13)
	evidence := make([]*messages.Evidence, 5)
	for i := range evidence {
		s := paris.sample(time.Duration(5-i) * time.Second)
		if i == 2 {
			s.Stratum = 13
		}
		evidence[i] = paris.evidence(1, s)
	}
	r.store.asked = nil
	batch := paris.submit(evidence...)
	r.run(2 * time.Second)
	paris.wantAnswers(batch, "stored, stored, refused: it can't be stored, stored, stored")
	r.wantStored(1, 4)
	r.audit(1)
	if commits := r.store.questions(evidenceCommit(1)); len(commits) != 1+5 {
		t.Errorf("asked for %d commits, want one for all and one for each", len(commits))
	}
	r.wantLogged("a commit can't be kept", 2)
	r.wantCount("commits/refused", 2)

	r.store.asked = nil
	whole := paris.submit(paris.evidence(1, paris.sample(time.Second)), paris.evidence(1, paris.sample(0)))
	r.run(soon)
	paris.wantAnswers(whole, "stored, stored")
	if commits := r.store.questions(evidenceCommit(1)); len(commits) != 1 {
		t.Errorf("the next ones took %d commits, want one", len(commits))
	}
}

// What comes while a refused commit is looked into waits behind it: it stays the newer one.
func TestSamplesBehindARefusedOneAreKept(t *testing.T) {
	r, paris, oslo := newPool(t, 1)
	r.store.spoilStratum(13)
	r.store.hold = evidenceCommit(1)
	bad := paris.sample(2 * time.Second)
	bad.Stratum = 13
	paris.submit(paris.evidence(1, bad), paris.evidence(1, paris.sample(time.Second)))
	r.run(soon)
	behind, others := paris.watch(1), oslo.watch(1)
	r.run(soon)
	r.store.release()
	r.run(soon)
	paris.wantAnswers(behind, "stored")
	oslo.wantAnswers(others, "stored")
	r.wantStored(1, 3)
	for _, row := range r.samples(1) {
		if row.Late {
			t.Errorf("the sample of %s by monitor %d came late", row.At, row.Monitor)
		}
	}
	r.audit(1)
}

// An answer that was lost leaves open whether the commit was kept: it is asked for again, and counts once.
func TestCommitWhoseAnswerWasLostCountsOnce(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.mute = true
	batch := paris.watch(1)
	r.run(time.Second)
	paris.wantAnswers(batch)
	r.wantStored(1, 1)
	r.store.mute = false
	r.run(3 * time.Second)
	paris.wantAnswers(batch, "stored")
	r.wantStored(1, 1)
	r.audit(1)
}

// takeShard has another hub take the shard of a server.
func (r *rig) takeShard(server int) {
	r.Helper()
	_, err := r.db.Open(context.Background(), "another hub", []pool.ShardID{placement.OfServer(pool.ServerID(server))}, r.Now())
	r.must(err)
}

// A hub whose shard another one has taken keeps nothing more of it, says so, and leaves the samples to the other.
func TestFencedSamplesAreUndecidedAndTheHubHalts(t *testing.T) {
	r, paris, oslo := newPool(t, 2)
	r.takeShard(1)
	r.store.hold = evidenceCommit(1)
	first := paris.submit(paris.evidence(1, paris.sample(0)), paris.evidence(2, paris.sample(0)))
	r.run(soon)
	second := oslo.watch(1) // waits behind the first
	r.run(soon)
	r.store.release()
	r.run(6 * time.Second) // the shard may have been stopped before it could say why
	for _, have := range []string{strings.Join(paris.answers(first), "; "), strings.Join(oslo.answers(second), "; ")} {
		if !strings.HasPrefix(have, "undecided: ") {
			t.Errorf("answered %q, want it undecided", have)
		}
	}
	r.wantStored(2, 1)
	if want := "another hub has taken shard 1 of this database"; len(r.halted) != 1 || r.halted[0] != want {
		t.Errorf("halted for %q, want %q", r.halted, want)
	}
	r.wantCount("commits/fenced", 1)
	r.wantStored(1, 0)
	if r.lives(shardPath(1)) {
		t.Error("the shard still serves")
	}
}

// An arrangement that is fenced isn't told, and the server arranges nothing more.
func TestFencedArrangementsAreNotTold(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.takeShard(1)
	before := paris.order(1).Assignment.Cadence
	r.setStatus("oslo", pool.GlobalPaused)
	r.setStatus("paris", pool.GlobalTesting)
	r.run(time.Minute)
	if have := paris.order(1).Assignment.Cadence; have != before {
		t.Errorf("paris was told %v, had %v", have, before)
	}
	if len(r.halted) == 0 {
		t.Error("the hub goes on")
	}
}

// A shard that was opened twice by this very hub has fenced itself: it starts again, and the hub goes on.
func TestShardOpenedTwiceStartsAgain(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = is("open 1")
	r.hub.System.Root.RequestWithCustomSender(r.pid(archivistPath), &messages.OpenShard{Shard: 1}, r.pid(shardPath(1)))
	r.run(soon)
	e := paris.evidence(1, paris.sample(0))
	fenced := paris.submit(e) // its commit is queued behind the second opening
	r.run(soon)
	r.store.release()
	r.run(6 * time.Second)
	if have := paris.answers(fenced); len(have) != 1 || !strings.HasPrefix(have[0], "undecided") {
		t.Errorf("have %q, want it undecided", have)
	}
	r.wantCount("commits/fenced", 1)
	again := paris.submit(e)
	r.run(soon)
	paris.wantAnswers(again, "stored")
	if len(r.halted) > 0 {
		t.Errorf("halted: %v", r.halted)
	}
	r.audit(1)
}

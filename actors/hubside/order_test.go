package hubside_test

import (
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
)

// What a server says while its image is on the way is newer than the image.
func TestOrdersThatComeBeforeTheImageHold(t *testing.T) {
	r, _, _ := newPool(t, 2)
	r.store.hold = is("load agent paris")
	r.fail(probePath("paris"))
	r.run(soon)
	r.assign("paris", 77, time.Hour)
	r.assign("paris", 2, 0)
	r.run(soon)
	r.store.release()
	r.run(soon)
	again := r.joined("paris")
	again.wantServers(1, 77)
	again.wantInterval(77, time.Hour)
}

// The end of a link may be told after the beginning of the next one, whose agent goes on being told its orders.
func TestEndOfAnEarlierLinkIsNotTheEndOfThisOne(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	gone := func(session string) {
		r.send(agentShardPath("paris"), &messages.ForAgent{Agent: "paris", Message: &messages.ForAgent_Gone{
			Gone: &messages.AgentGone{SessionId: session},
		}})
		r.run(time.Millisecond)
	}
	gone("an earlier one")
	r.assign("paris", 77, time.Hour)
	r.run(soon)
	paris.wantInterval(77, time.Hour)

	gone(paris.welcomes[0].SessionId)
	r.assign("paris", 77, 2*time.Hour)
	r.run(soon)
	paris.wantInterval(77, time.Hour)
	r.run(16 * time.Second) // it wasn't true
	paris.wantInterval(77, 2*time.Hour)
}

// An answer to a commit that was asked for by an earlier incarnation, or by nobody, tells nothing about another one.
func TestAnswersToOtherCommitsAreNotHeard(t *testing.T) {
	r, paris, oslo := newPool(t, 2)
	r.store.hold = evidenceCommit(1)
	batch := paris.watch(1)
	r.run(soon)
	r.send(scorePath(1), &messages.Committed{Id: 1, LogIds: []uint64{1, 2, 3}})
	r.run(soon)
	paris.wantAnswers(batch)
	r.wantLogged("actor panicked", 0)

	r.fail(scorePath(1))
	r.run(soon)
	after := oslo.watch(1)
	r.run(soon)
	r.store.release() // what the failed one asked is kept now, and answered
	r.run(soon)
	paris.wantAnswers(batch)
	oslo.wantAnswers(after, "stored")
	r.wantStored(1, 2)
	r.audit(1)
}

// The same for an arrangement: it isn't told on the answer to another one.
func TestAnswersToOtherArrangementsAreNotHeard(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = arrangement(1)
	r.setStatus("paris", pool.GlobalPaused)
	r.run(time.Second)
	r.send(serverPath(1), &messages.Committed{Id: 1})
	r.run(soon)
	paris.wantServers(1)
	r.store.release()
	r.run(soon)
	paris.wantServers()
}

// An answer to an earlier question may lack what was kept since, and may say that there is no such server.
func TestAnswersToEarlierQuestionsAreNotHeard(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = is("load server 1", "load agent paris")
	r.changed(1)
	r.send(agentShardPath("paris"), &messages.Changed{Kind: string(pool.ChangedMonitor), Key: "paris"})
	r.run(soon)
	for _, question := range []uint64{0, 1} {
		r.send(serverPath(1), &messages.ServerLoaded{ServerId: 1, Question: question})
		r.send(monitorPath("paris"), &messages.AgentLoaded{Name: "paris", Question: question})
	}
	r.run(soon)
	if !r.lives(serverPath(1)) || !r.lives(monitorPath("paris")) {
		t.Error("an actor ended on the answer to another question")
	}
	r.store.release()
	r.run(soon)
	batch := paris.watch(1)
	r.run(soon)
	paris.wantAnswers(batch, "stored")
}

// A score that starts again waits for the answer to its own question: news that come before it may be older than
// what the one before had kept.
func TestScoreStartsFromItsOwnImage(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	old := messages.FromServerImage(r.image(1))
	paris.watch(1)
	r.run(soon)
	r.store.hold = is("load server 1")
	r.fail(scorePath(1))
	r.run(soon)
	for _, question := range []uint64{0, 1} {
		r.send(scorePath(1), &messages.ServerLoaded{ServerId: 1, Question: question, Image: old})
	}
	batch := paris.watch(1)
	r.run(soon)
	paris.wantAnswers(batch)
	r.store.release()
	r.run(soon)
	paris.wantAnswers(batch, "stored")
	r.audit(1)
}

// So does a probe: an older image could bring back an order that was dropped.
func TestProbeStartsFromItsOwnImage(t *testing.T) {
	r, paris, _ := newPool(t, 2)
	image, _, err := r.db.LoadAgent(t.Context(), "paris")
	r.must(err)
	image.Assignments = image.Assignments[:1]
	r.store.hold = is("load agent paris")
	r.fail(probePath("paris"))
	r.run(soon)
	for _, question := range []uint64{0, 1} {
		r.send(probePath("paris"), &messages.AgentLoaded{Name: "paris", Question: question, Image: messages.FromAgentImage(image)})
	}
	r.run(soon)
	r.store.release()
	r.run(16 * time.Second)
	if whole := paris.whole(); len(whole.Set) != 2 {
		t.Errorf("told as all: %v", whole)
	}
}

// An actor that starts while its parent waits for an image has the roster all the same: without it a score doesn't
// know the scorers, a selector takes all monitors for deleted, and a probe works by settings that don't hold.
func TestWhoStartsInTheMiddleHasTheRoster(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	settings := pool.DefaultSettings()
	settings.Spacing = 33 * time.Second
	r.must(r.db.SetSettings(t.Context(), "test", settings))
	r.run(time.Second)
	r.store.hold = is("load server 1", "load agent paris")
	r.fail(serverPath(1))
	r.fail(monitorPath("paris"))
	r.run(soon)
	for _, path := range []string{scorePath(1), selectorPath(1), probePath("paris")} {
		r.fail(path)
	}
	r.run(soon)
	r.store.release()
	r.run(30 * time.Second)
	paris.wantServers(1)
	if have := paris.told[len(paris.told)-1].Terms.SpacingMs; have != 33_000 {
		t.Errorf("paris is told a spacing of %d ms", have)
	}
	if have := r.pair(1, "paris").Status; have != pool.Active {
		t.Errorf("paris is %s now", have)
	}
	batch := paris.watch(1)
	r.run(soon)
	paris.wantAnswers(batch, "stored")
	if r.image(1).Server.ScoreAt.IsZero() {
		t.Error("there is no overall score")
	}
	r.audit(1)
}

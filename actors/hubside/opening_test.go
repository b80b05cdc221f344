package hubside_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// What is changed while a shard is being opened isn't missed: the image that is on its way may be older.
func TestChangesWhileAShardOpensAreNotMissed(t *testing.T) {
	r, paris, oslo := newPool(t, 1)
	r.store.late = is("open 1")
	r.fail(shardPath(1))
	r.run(soon)
	r.addServers(257)
	r.setStatus("oslo", pool.GlobalPaused)
	r.run(10 * time.Second)
	oslo.wantServers()
	if have := len(paris.servers()); have != 257 {
		t.Errorf("paris watches %d servers", have)
	}
	if !r.lives(serverPath(257)) {
		t.Error("what was changed meanwhile was missed")
	}
}

// What the archivist was asked when it failed is lost, and is asked again within 15 s, whoever asked.
func TestLostQuestionsAreAskedAgain(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = is("load roster")
	l := r.listen()
	l.ask(archivistPath, &messages.LoadRoster{})
	r.run(soon)
	r.addServers(2)
	r.addAgent("rome", pool.GlobalActive)
	r.send(agentShardPath("paris"), &messages.Changed{Kind: string(pool.ChangedMonitor), Key: "paris"})
	r.run(time.Second)
	r.fail(archivistPath)
	r.store.release()
	r.run(time.Second)
	paris.wantServers(1)
	r.run(16 * time.Second)
	paris.wantServers(1, 2)
	r.joined("rome").wantServers(1, 2)
	if loads := r.store.questions(is("load agent paris")); len(loads) != 1 {
		t.Errorf("paris was loaded %d times, want once", len(loads))
	}
}

// A score that starts late isn't given the image that the others began with: statuses have changed since.
func TestLateStarterGetsAFreshImage(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	r.preset(1, pool.PairStatus{Monitor: r.addAgent("paris", pool.GlobalActive).ID, Status: pool.Active})
	for range 4 { // so often that it has to pause
		r.hub.PanicOn(scorePath(1), func(message any) bool {
			_, is := message.(*actor.Started)
			return is
		})
	}
	r.start()
	paris := r.joined("paris")
	r.run(3 * time.Second)
	paris.watch(1)
	r.run(soon)
	state, err := messages.DecodeLiveScore(r.live.retained["/test/servers/198.18.0.1/score"])
	r.must(err)
	if state.Active != 1 {
		t.Errorf("state: %v", state)
	}
}

// A server that is on the way to its image learns from that who has given it up, and drops what it is told before.
func TestCondemnedBeforeTheImageIsLeftToTheImage(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = is("load server 1")
	r.fail(serverPath(1))
	r.run(soon)
	r.send(serverPath(1), &messages.Condemned{MonitorId: uint32(r.monitor("paris").ID), Condemned: true})
	r.run(soon)
	r.store.release()
	r.run(time.Second)
	paris.wantInterval(1, 9*time.Minute)
	r.wantLogged("actor panicked", 1)
}

// A sample that another hub's session has let through is checked all the same.
func TestMalformedSamplesAreRefusedByTheirServer(t *testing.T) {
	r, _, _ := newPool(t, 1)
	l := r.listen()
	l.ask(shardPath(1), &messages.Samples{ServerId: 1, MonitorId: 3, BatchId: 5, IpVersion: 4, Samples: []*messages.IndexedSample{
		{Index: 7}, {Index: 8, Sample: messages.FromSample(pool.Sample{At: r.Now(), NoReply: true})},
	}})
	r.run(soon)
	words := make(map[string]bool)
	for _, m := range l.heard {
		words[inWords(m.(*messages.Verdicts))] = true
	}
	if len(words) != 2 || !words["refused: malformed sample"] || !words["stored"] {
		t.Errorf("heard %v", words)
	}
	r.wantStored(1, 1)
}

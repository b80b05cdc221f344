package hubside_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// weighed asks a server for the figures of its monitors.
func (r *rig) weighed(server int) map[pool.MonitorID]pool.Tally {
	r.Helper()
	l := r.listen()
	l.ask(serverPath(server), &messages.Weigh{Question: 5})
	r.run(5 * time.Second)
	if len(l.heard) != 1 {
		r.Fatalf("asked for figures, and heard %v", l.heard)
	}
	said := l.heard[0].(*messages.Weighed)
	if said.Question != 5 {
		r.Errorf("the figures answer question %d", said.Question)
	}
	tallies := make(map[pool.MonitorID]pool.Tally)
	for _, t := range said.Tallies {
		id, tally := messages.ToPairTally(t)
		tallies[id] = tally
	}
	return tallies
}

// figuresOfLog are the same figures as the log has them.
func (r *rig) figuresOfLog(server int) map[pool.MonitorID]pool.Tally {
	r.Helper()
	tallies := make(map[pool.MonitorID]pool.Tally)
	for _, p := range r.image(server).Pairs {
		var tally pool.Tally
		for _, hour := range p.Hours {
			tally = tally.Plus(hour.Tally)
		}
		if tally.Count > 0 {
			tallies[p.Monitor] = tally
		}
	}
	return tallies
}

// What a score weighs is what the log of these hours says, to the last digit: after whatever was sent late or twice,
// and whatever has started again.
func TestFiguresAreWhatTheLogSays(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(outer, world.Config{Start: time.Date(2026, 3, 1, 22, 30, 0, 0, time.UTC)})
		r.addServers(1)
		r.preset(1, r.crowd(3, pool.Active)...)
		r.start()
		first := r.monitor("m0").ID
		sessions := r.listen()
		var sent []*messages.Samples
		for range rapid.IntRange(1, 40).Draw(t, "acts") {
			switch rapid.IntRange(0, 9).Draw(t, "act") {
			case 0, 1: // it may be down already
				path := rapid.SampledFrom([]string{scorePath(1), serverPath(1)}).Draw(t, "fails")
				r.hub.PanicNext(path)
				r.send(path, &messages.Goodbye{})
			case 2:
				r.hub.Crash()
				r.boot()
				r.start()
				sessions = r.listen()
			case 3:
				r.run(time.Duration(rapid.IntRange(1, 5*3600).Draw(t, "pause")) * time.Second)
			case 4:
				if len(sent) > 0 {
					sessions.ask(shardPath(1), sent[rapid.IntRange(0, len(sent)-1).Draw(t, "again")])
				}
			default:
				sent = append(sent, drawSamples(t, first, r.Now()))
				sessions.ask(shardPath(1), sent[len(sent)-1])
			}
			r.run(time.Duration(rapid.IntRange(0, 20).Draw(t, "wait")) * time.Millisecond)
		}
		for _, path := range []string{serverPath(1), scorePath(1)} { // what still waits for a message fails now
			r.run(2 * time.Minute)
			r.send(path, &messages.Goodbye{})
		}
		r.run(2 * time.Minute)
		if diff := cmp.Diff(r.figuresOfLog(1), r.weighed(1)); diff != "" {
			t.Fatalf("figures (-log +score):\n%s", diff)
		}
	})
}

// drawSamples are samples of one of three monitors, taken up to 30 h ago, some of them of one time.
func drawSamples(t *rapid.T, first pool.MonitorID, now time.Time) *messages.Samples {
	m := &messages.Samples{ServerId: 1, MonitorId: uint32(first) + rapid.Uint32Range(0, 2).Draw(t, "monitor"), IpVersion: 4}
	for i := range rapid.IntRange(1, 4).Draw(t, "samples") {
		age := time.Duration(rapid.SampledFrom([]int{0, 1, 2, 90, 1800, 1801, 3600, 40000, 86400, 108000}).Draw(t, "age")) * time.Second
		offset := time.Duration(rapid.IntRange(-4000, 4000).Draw(t, "offset")) * time.Millisecond
		rtt := time.Duration(rapid.IntRange(1, 300_000).Draw(t, "rtt")) * time.Microsecond
		s := pool.Sample{At: now.Add(-age).Truncate(time.Microsecond), Offset: &offset, RTT: &rtt, Stratum: 2}
		if rapid.IntRange(0, 4).Draw(t, "silent") == 0 {
			s = pool.Sample{At: s.At, NoReply: true}
		}
		m.Samples = append(m.Samples, &messages.IndexedSample{Index: uint32(i), Sample: messages.FromSample(s)})
	}
	return m
}

// A sample counts when it is on disk, not before; the question for figures waits for a score that isn't there yet.
func TestFiguresAreOfWhatIsKept(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = evidenceCommit(1)
	paris.watch(1)
	r.run(soon)
	if have := r.weighed(1); len(have) > 0 {
		t.Errorf("before it is kept the figures are %v", have)
	}
	r.store.release()
	r.run(soon)
	r.store.hold = is("load server 1")
	r.fail(scorePath(1))
	r.run(soon)
	l := r.listen()
	l.ask(serverPath(1), &messages.Weigh{Question: 6})
	r.run(time.Second)
	if len(l.heard) > 0 {
		t.Errorf("without an image the figures are %v", l.heard)
	}
	r.store.release()
	r.run(soon)
	if len(l.heard) != 1 || len(l.heard[0].(*messages.Weighed).Tallies) != 1 {
		t.Errorf("with it they are %v", l.heard)
	}
}

// A question for figures that is lost with the score that had it is asked again, when the image comes that the score
// starts from: what was begun before it the server wouldn't take.
func TestLostWeighingsAreAskedAgain(t *testing.T) {
	for seed := range uint64(4) { // it may have answered before it fails
		r := newRig(t, world.Config{Seed: seed})
		r.addServers(1)
		r.preset(1, r.crowd(2, pool.Active)...)
		r.start()
		injection := r.hub.PanicOn(scorePath(1), func(message any) bool {
			_, is := message.(*messages.Weigh)
			return is
		})
		r.addAgent("rome", pool.GlobalActive)
		r.run(time.Second)
		if !injection.Fired() {
			t.Error("the score wasn't asked")
		}
		r.wantStatuses(1, "testing", "rome")
	}
}

// goodSamples are n samples of server 1 by a monitor, taken in the last seconds.
func goodSamples(monitor pool.MonitorID, now time.Time, n int) *messages.Samples {
	m := &messages.Samples{ServerId: 1, MonitorId: uint32(monitor), IpVersion: 4}
	for i := range n {
		offset, rtt := time.Millisecond, 20*time.Millisecond
		at := now.Add(time.Duration(i-n) * time.Millisecond).Truncate(time.Microsecond)
		m.Samples = append(m.Samples, &messages.IndexedSample{
			Index: uint32(i), Sample: messages.FromSample(pool.Sample{At: at, Offset: &offset, RTT: &rtt, Stratum: 2}),
		})
	}
	return m
}

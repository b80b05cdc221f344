package agentside_test

import (
	"fmt"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// Whichever actor of an agent panics, at whatever message: the others go on, and within ten minutes
// all servers are probed and their samples arrive again.
func TestAnyActorMayFail(t *testing.T) {
	actors := []string{
		"agent", "agent/bursts", "agent/clockguard", "agent/spool", "agent/uplink", "agent/probe/v4", "agent/probe/v6",
	}
	for _, path := range actors {
		t.Run(path, func(t *testing.T) {
			for seed := range uint64(10) {
				r := newRig(t, world.Config{Seed: seed})
				r.faulty = true
				r.terms[pool.IPv6] = r.terms[pool.IPv4]
				var orders []*messages.Assignment
				for id := range uint32(10) {
					orders = append(orders, r.order(id+1, cadence(id+1, time.Minute, 10*time.Second)))
				}
				r.give(orders...)
				r.start()
				r.run(time.Duration(r.Faults.IntN(300)) * time.Second)
				panics := []*world.Injection{r.agent.PanicNext(path), r.agent.PanicNext(path)}
				r.run(10 * time.Minute)
				since := make(map[uint32]int)
				for id := range uint32(10) {
					since[id+1] = r.storedOf(id + 1)
				}
				r.run(10 * time.Minute)
				if !panics[0].Fired() {
					t.Fatalf("seed %d: %s got no message to panic at", seed, path)
				}
				for id := range uint32(10) {
					if n := r.storedOf(id+1) - since[id+1]; n < 8 {
						t.Errorf("seed %d: want 10 samples of server %d in 10 min, have %d", seed, id+1, n)
					}
				}
			}
		})
	}
}

// An agent that fails while the news of its link's end waits for it doesn't take that for the end of the next one.
func TestLeftOverEndIsNoNews(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(time.Minute)
	r.agent.PanicOn("agent", func(message any) bool { _, is := message.(*messages.Dismissal); return is })
	r.agent.System.Root.Send(r.root, &messages.Dismissal{})
	r.wire.end(nil)
	r.Network.Isolate("hub") // so that the next dial takes its time; the rig sees to it that there is no other beside it
	r.run(10 * time.Minute)
	if n := len(r.wire.dials); n < 10 {
		t.Errorf("want the hub dialled all the time, have %d", n)
	}
}

// A probe that failed is told its orders and the verdict on the clock within seconds.
func TestRestartedProbeGoesOn(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, 10*time.Second, 2*time.Second)))
	r.terms[pool.IPv4].SpacingMs = 1000
	r.start()
	r.run(time.Minute)
	r.agent.PanicNext("agent/probe/v4")
	r.run(20 * time.Second)
	before := len(r.sessions)
	samples := r.storedOf(1)
	r.run(30 * time.Second)
	if n := r.storedOf(1) - samples; n < 2 || before != 2 {
		t.Errorf("want 3 samples in 30 s over the second link, have %d over %d", n, before)
	}
}

// The verdicts on samples of a spool that has failed make it forget none of those that came since.
func TestRestartedSpoolKeepsWhatIsNew(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(10 * time.Second)
	r.mute = true
	r.spoolSome(1, 3)
	r.run(5 * time.Second)
	r.agent.PanicOn("agent/spool", func(message any) bool { _, is := message.(*messages.Collect); return is })
	r.agent.System.Root.Send(r.agent.System.NewLocalPID("agent/spool"), &messages.Collect{IpVersion: 6, Limit: 1})
	r.run(5 * time.Second)
	r.spoolSome(2, 3)
	r.mute = false
	r.run(5 * time.Minute)
	if one, two := r.storedOf(1), r.storedOf(2); one != 3 || two != 3 {
		t.Errorf("want 3 samples of each server, have %d and %d", one, two)
	}
}

// The same seed gives the same run, event for event, whatever goes wrong in it.
func TestSameSeedGivesTheSameRun(t *testing.T) {
	run := func() (hash, steps uint64) {
		r := newRig(t, world.Config{Seed: 42, StepTime: time.Millisecond})
		r.faulty = true
		var orders []*messages.Assignment
		for id := range uint32(20) {
			orders = append(orders, r.order(id+1, cadence(id+1, time.Minute, 10*time.Second)))
		}
		r.give(orders...)
		r.start()
		for range 40 {
			r.harm()
			r.run(time.Duration(r.Faults.IntN(60_000)) * time.Millisecond)
			r.heal()
		}
		return r.Hash(), r.Steps()
	}
	hash, steps := run()
	for range 3 {
		if again, more := run(); again != hash || more != steps {
			t.Fatalf("want %x after %d steps, have %x after %d", hash, steps, again, more)
		}
	}
}

// Whatever happens to the link, to the hub's answers, to the process and to all actors but the spool and its parent:
// in the end every sample that was taken has been stored, and each counts once.
func TestNoSampleIsLost(t *testing.T) {
	for _, policy := range []world.Policy{world.Random, world.FIFO, world.PCT} {
		for seed := range uint64(8) {
			t.Run(fmt.Sprintf("policy %d seed %d", policy, seed), func(t *testing.T) {
				r := newRig(t, world.Config{Seed: seed, Policy: policy, StepTime: time.Millisecond})
				r.faulty = true
				var orders []*messages.Assignment
				for id := range uint32(20) {
					orders = append(orders, r.order(id+1, cadence(id+1, time.Minute, 10*time.Second)))
				}
				r.give(orders...)
				spooled := r.watchSpool()
				r.start()
				trouble := true
				r.decide = func(*messages.Evidence) (messages.Verdict_Outcome, string) {
					if trouble && r.Faults.IntN(3) == 0 {
						return messages.Verdict_UNDECIDED, "not now"
					}
					return messages.Verdict_STORED, ""
				}
				for range 120 {
					r.harm()
					r.run(time.Duration(r.Faults.IntN(60_000)) * time.Millisecond)
					r.heal()
				}
				trouble = false
				r.run(10 * time.Minute)
				if len(spooled) < 100 {
					t.Fatalf("want hundreds of samples, have %d", len(spooled))
				}
				lost := 0
				for key, at := range spooled {
					if r.stored[key] == 0 && r.Now().Sub(at) > 5*time.Minute {
						lost++
					}
				}
				if lost > 0 {
					t.Errorf("%d of %d samples were lost", lost, len(spooled))
				}
			})
		}
	}
}

// watchSpool notes every sample that reaches the spool, and when.
func (r *rig) watchSpool() map[sampleKey]time.Time {
	spooled := make(map[sampleKey]time.Time)
	r.agent.PanicOn("agent/spool", func(message any) bool {
		if m, is := message.(*messages.Spool); is {
			for _, e := range m.Evidence {
				spooled[keyOf(e)] = r.Now()
			}
		}
		return false // it only looks
	})
	return spooled
}

// harm does something bad.
func (r *rig) harm() {
	switch r.Faults.IntN(7) {
	case 0:
		if r.wire.conn != nil {
			r.wire.conn.Break()
		}
	case 1:
		if r.wire.conn != nil {
			r.now().hang(nil)
		}
	case 2:
		r.Network.Isolate(r.agent.Name())
	case 3:
		r.mute = true
	case 4:
		r.closed = true
	case 5:
		paths := []string{"agent/uplink", "agent/probe/v4", "agent/bursts", "agent/clockguard"}
		r.agent.PanicNext(paths[r.Faults.IntN(len(paths))])
	case 6:
		r.agent.Pause()
	}
}

// heal ends all that harm does for good.
func (r *rig) heal() {
	r.Network.Rejoin(r.agent.Name())
	r.mute, r.closed = false, false
	r.agent.Resume()
}

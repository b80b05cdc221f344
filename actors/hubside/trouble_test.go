package hubside_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/scoring"
	"truechimer/simulation/world"
)

// spool is an agent's memory of samples that aren't acknowledged yet, as a real one has it.
type spool struct {
	agent    string
	waiting  []*messages.Evidence
	batch    uint64 // under way; 0: none
	sent     []*messages.Evidence
	sentAt   time.Time
	answered int // how many of the agent's answers were read
	link     uint64
	taken    int
	refused  []string
}

// step takes samples of all servers that the agent has orders for, and sends what waits.
func (s *spool) step(r *rig, take bool) {
	a := r.links.agents[s.agent]
	if a.link != s.link {
		s.link, s.answered, s.batch = a.link, 0, 0
	}
	for ; s.answered < len(a.verdicts); s.answered++ {
		s.hear(a.verdicts[s.answered])
	}
	if take {
		for _, server := range a.servers() {
			s.taken++
			s.waiting = append(s.waiting, a.evidence(server, a.sample(0)))
		}
	}
	if s.batch != 0 && r.Now().Sub(s.sentAt) < 30*time.Second || len(s.waiting) == 0 {
		return
	}
	s.sent = slices.Clone(s.waiting[:min(len(s.waiting), 40)])
	s.batch, s.sentAt = a.submit(s.sent...), r.Now()
}

func (s *spool) hear(v *messages.Verdicts) {
	if v.BatchId != s.batch {
		return
	}
	s.batch = 0
	for _, one := range v.Verdicts {
		if one.Outcome == messages.Verdict_REFUSED {
			s.refused = append(s.refused, one.Reason)
		}
		if one.Outcome != messages.Verdict_UNDECIDED {
			done := s.sent[one.Index]
			s.waiting = slices.DeleteFunc(s.waiting, func(e *messages.Evidence) bool { return e == done })
		}
	}
}

// audit holds what is stored of a server to what it must be: each sample once, each score the fold of the samples
// in the order of their ids, late ones left out.
func (r *rig) audit(server int) {
	r.Helper()
	type key struct {
		monitor pool.MonitorID
		at      time.Time
	}
	there := make(map[key]bool)
	scores := make(map[pool.MonitorID]float64)
	for _, row := range r.samples(server) {
		k := key{row.Monitor, row.At}
		if there[k] {
			r.Errorf("server %d: the sample of monitor %d at %s is there twice", server, row.Monitor, row.At)
		}
		there[k] = true
		if row.Late {
			continue
		}
		scores[row.Monitor] = scoring.Next(scores[row.Monitor], scoring.StepOf(*row.Sample))
		if row.Score != scores[row.Monitor] {
			r.Errorf("server %d, row %d: score %v isn't the fold %v", server, row.ID, row.Score, scores[row.Monitor])
			return
		}
	}
	for _, p := range r.image(server).Pairs {
		if want, is := scores[p.Monitor]; is && p.Score != want {
			r.Errorf("server %d: monitor %d has score %v, the fold is %v", server, p.Monitor, p.Score, want)
		}
	}
}

// trouble is a pool under faults.
type trouble struct {
	*rig
	servers int
	spools  []*spool
	paths   []string // of the hub's actors
}

func newTrouble(t testing.TB, config world.Config) *trouble {
	r := newRig(t, config)
	r.addServers(4)
	x := &trouble{rig: r, servers: 4}
	for i, name := range []string{"paris", "oslo", "rome"} {
		r.addAgent(name, []pool.GlobalStatus{pool.GlobalActive, pool.GlobalActive, pool.GlobalTesting}[i])
		x.spools = append(x.spools, &spool{agent: name})
	}
	x.start()
	x.paths = []string{"hub", "hub/archivist", "hub/announcer", "hub/follower", "hub/gateway"}
	for id := 1; id <= x.servers; id++ {
		server := fmt.Sprintf("hub/shard/%d", id)
		x.paths = append(x.paths, server, server+fmt.Sprintf("/server/%d", id))
		for _, child := range []string{"score", "selector"} {
			x.paths = append(x.paths, server+fmt.Sprintf("/server/%d/", id)+child)
		}
	}
	for _, s := range x.spools {
		r.connect(s.agent)
	}
	r.run(2 * time.Second)
	return x
}

// harm does something bad; heal ends what doesn't end by itself.
func (x *trouble) harm() {
	switch x.Faults.IntN(9) {
	case 0, 1, 2:
		x.hub.PanicNext(x.paths[x.Faults.IntN(len(x.paths))])
	case 3:
		x.store.away = true
	case 4:
		x.store.mute = true
	case 5:
		x.store.wait = time.Duration(x.Faults.IntN(20)) * time.Second
	case 6:
		x.send(fmt.Sprintf("hub/shard/%d", 1+x.Faults.IntN(x.servers)), &messages.Changed{
			Kind: string(pool.ChangedServer), Key: fmt.Sprint(1 + x.Faults.IntN(x.servers)),
		})
	case 7:
		x.connect(x.spools[x.Faults.IntN(len(x.spools))].agent)
	case 8:
		x.boot()
		x.spawn()
		for _, s := range x.spools {
			x.connect(s.agent)
		}
	}
}

func (x *trouble) heal() { x.store.away, x.store.mute, x.store.wait = false, false, 2*time.Millisecond }

// rejoin gives agents new links, as they dial: where a gateway that failed has ended their link, or has never welcomed them.
func (x *trouble) rejoin() {
	for _, s := range x.spools {
		if a := x.links.agents[s.agent]; len(a.welcomes) == 0 && x.Now().Sub(a.since) > 10*time.Second {
			x.connect(s.agent)
		}
	}
	for _, h := range x.links.hung {
		for _, s := range x.spools {
			if x.links.agents[s.agent].link == h.link {
				x.connect(s.agent)
			}
		}
	}
	x.links.hung = nil
}

// go on for a while, a step a second.
func (x *trouble) goOn(steps int, take bool) {
	for i := range steps {
		x.run(time.Second)
		x.rejoin()
		for _, s := range x.spools {
			s.step(x.rig, take && i%3 == 0)
		}
	}
}

// Whichever actor of the hub fails, whatever becomes of the database, of links and of the process itself, at whatever
// moment: every sample is stored once in the end, and every score is the fold of its samples.
func TestWhateverFailsEverySampleCountsOnce(t *testing.T) {
	for _, policy := range []world.Policy{world.Random, world.FIFO, world.PCT} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("policy %d seed %d", policy, seed), func(t *testing.T) {
				t.Parallel()
				x := newTrouble(t, world.Config{Seed: seed, Policy: policy, StepTime: 100 * time.Microsecond})
				for range 30 {
					x.harm()
					x.goOn(1+x.Faults.IntN(20), true)
					x.heal()
				}
				x.goOn(150, false)
				for _, s := range x.spools {
					x.wantNothingLost(s)
				}
				for id := 1; id <= x.servers; id++ {
					x.audit(id)
				}
				if len(x.halted) > 0 {
					t.Errorf("the hub halted: %v", x.halted)
				}
			})
		}
	}
}

func (x *trouble) wantNothingLost(s *spool) {
	x.Helper()
	if len(s.waiting) > 0 || len(s.refused) > 0 || s.taken < 100 {
		x.Errorf("%s: of %d samples %d still wait, refused are %v", s.agent, s.taken, len(s.waiting), s.refused)
	}
	stored := 0
	for id := 1; id <= x.servers; id++ {
		stored += len(slices.DeleteFunc(x.samples(id), func(e persistence.LogEntry) bool {
			return e.Monitor != x.monitor(s.agent).ID
		}))
	}
	if stored != s.taken {
		x.Errorf("%s: %d samples were taken, %d are stored", s.agent, s.taken, stored)
	}
}

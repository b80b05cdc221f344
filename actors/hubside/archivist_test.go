package hubside_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// newArchive is a running hub without agents, whose store holds what the test says.
func newArchive(t testing.TB, servers int) *rig {
	t.Helper()
	r := newRig(t, world.Config{})
	r.addServers(servers)
	r.start()
	r.run(time.Minute)
	r.store.asked = nil
	return r
}

// commitOf is a commit of a server that writes so many rows in all, its own and that of the server included.
func commitOf(id uint64, server uint32, rows int) *messages.Commit {
	m := &messages.Commit{Id: id, Shard: server, Epoch: 1, ServerId: server}
	for range rows - 1 {
		m.Scores = append(m.Scores, &messages.PairScore{MonitorId: 1, Row: -1})
	}
	return m
}

// work matches all questions but those that are asked by the clock.
func work(what string) bool { return what != "changes" && what != "seen" }

// What is loaded has all in it that was asked to be kept before, and nothing is asked while the store is at something.
func TestLoadsSeeWhatWasAskedToBeKeptBefore(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	l := r.listen()
	r.store.hold = evidenceCommit(1)
	r.store.asked = nil
	paris.watch(1)
	r.run(soon)
	l.ask(archivistPath, &messages.LoadServer{ServerId: 1, Question: 5})
	r.run(10 * time.Second)
	if have := r.store.questions(work); len(have) != 1 {
		t.Errorf("asked %q while the first was under way", have)
	}
	r.store.release()
	r.run(soon)
	if len(l.heard) != 1 {
		t.Fatalf("heard %v", l.heard)
	}
	for _, pair := range messages.ToServerImage(l.heard[0].(*messages.ServerLoaded).Image).Pairs {
		if pair.Monitor == r.monitor("paris").ID && pair.Kept.ID == 0 {
			t.Error("the image lacks the sample")
		}
	}
}

// While one transaction runs the next one gathers, up to 5000 rows, in order, and only what is next to each other.
func TestCommitsGatherUpToABound(t *testing.T) {
	for _, test := range []struct {
		name  string
		asked []any
		want  []string
	}{
		{"all in one", []any{commitOf(1, 1, 100), commitOf(2, 2, 100), commitOf(3, 3, 100)}, []string{"commit 1* 2* 3*"}},
		{"just within", []any{commitOf(1, 1, 2500), commitOf(2, 2, 2500)}, []string{"commit 1* 2*"}},
		{"one row too many", []any{commitOf(1, 1, 2500), commitOf(2, 2, 2501)}, []string{"commit 1*", "commit 2*"}},
		{"one that is too large goes alone", []any{commitOf(1, 1, 6000), commitOf(2, 2, 1)}, []string{"commit 1*", "commit 2*"}},
		{"a load parts them", []any{
			commitOf(1, 1, 1), &messages.LoadServer{ServerId: 2}, commitOf(2, 2, 1), commitOf(3, 3, 1),
		}, []string{"commit 1*", "load server 2", "commit 2* 3*"}},
		{"the same one twice is one", []any{commitOf(1, 1, 1), commitOf(1, 1, 1)}, []string{"commit 1*"}},
		{"shards are opened together", []any{
			&messages.OpenShard{Shard: 4}, &messages.OpenShard{Shard: 5}, &messages.OpenShard{Shard: 4}, commitOf(1, 1, 1),
		}, []string{"open 2", "commit 1*"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newArchive(t, 3)
			l := r.listen()
			r.store.hold = is("load roster")
			l.ask(archivistPath, &messages.LoadRoster{}) // the store is busy
			r.run(soon)
			for _, m := range test.asked {
				l.ask(archivistPath, m)
			}
			r.run(soon)
			r.store.release()
			r.run(soon)
			if diff := cmp.Diff(test.want, r.store.questions(work)[1:]); diff != "" {
				t.Errorf("asked of the store (-want +have):\n%s", diff)
			}
		})
	}
}

// gaps are the times between the questions that match.
func (s *store) gaps(matches func(string) bool) (gaps []time.Duration) {
	var last time.Time
	for _, a := range s.asked {
		if !matches(a.what) {
			continue
		}
		if !last.IsZero() {
			gaps = append(gaps, a.at.Sub(last))
		}
		last = a.at
	}
	return gaps
}

// wantGrowing wants pauses that double from 100 ms to 5 s, each with up to half of it more or less.
func wantGrowing(t *testing.T, gaps []time.Duration) {
	t.Helper()
	if len(gaps) < 15 {
		t.Fatalf("only %d pauses", len(gaps))
	}
	pause, odd := 100*time.Millisecond, 0
	for i, gap := range gaps {
		if gap < pause/2 || gap > pause*3/2+10*time.Millisecond {
			t.Errorf("pause %d is %s, want %s more or less", i, gap, pause)
		}
		if off := gap - pause; off < -pause/20 || off > pause/20 {
			odd++
		}
		pause = min(2*pause, 5*time.Second)
	}
	if odd < len(gaps)/2 {
		t.Errorf("the pauses have no jitter: %v", gaps)
	}
}

// A database that is away is asked again after growing pauses, and what waited is kept once it is back.
// The log says once that it is away, and once that it is back.
func TestOutageIsWaitedOut(t *testing.T) {
	r, paris, oslo := newPool(t, 2)
	const gone, back = "the database takes nothing; evidence waits", "the database takes evidence again"
	for outage := 1; outage <= 2; outage++ {
		r.store.away = true
		r.store.asked = nil
		r.changed(2) // a load is put off meanwhile
		paris.watch(1)
		r.run(90 * time.Second)
		oslo.watch(2)
		r.run(time.Second)
		wantGrowing(t, r.store.gaps(evidenceCommit(1)))
		r.wantLogged(gone, outage)
		r.wantLogged(back, outage-1)
		r.store.away = false
		r.run(10 * time.Second)
		r.wantLogged(gone, outage)
		r.wantLogged(back, outage)
		r.wantStored(1, outage)
		r.wantStored(2, outage)
	}
	if r.counts["commits/failed"] < 30 {
		t.Errorf("counted %d failed commits", r.counts["commits/failed"])
	}
}

// Commits don't wait for a load that fails: it is put off by itself, after growing pauses.
func TestLoadThatFailsHoldsNobodyUp(t *testing.T) {
	r, paris, _ := newPool(t, 2)
	r.store.asked = nil
	r.store.fails = is("load server 2")
	r.changed(2)
	for i := range 80 {
		r.run(time.Second)
		batch := paris.watch(1)
		r.run(50 * time.Millisecond)
		if i == 0 {
			paris.wantAnswers(batch, "stored")
		}
	}
	r.wantStored(1, 80)
	wantGrowing(t, r.store.gaps(is("load server 2")))
	r.wantLogged("the database takes nothing; evidence waits", 1)
	r.wantCount("commits/failed", 0)
}

// An archivist that starts again while the store is busy waits for the end of that. Its askers ask again.
func TestArchivistThatFailsWaitsForItsPredecessorsQuestion(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = evidenceCommit(1)
	paris.watch(1)
	r.run(soon)
	r.store.asked = nil
	r.fail(archivistPath)
	l := r.listen()
	l.ask(archivistPath, &messages.LoadServer{ServerId: 1})
	r.run(time.Minute)
	if have := r.store.questions(work); len(have) != 0 {
		t.Errorf("asked %q while the store was busy", have)
	}
	r.store.release()
	r.run(soon)
	if want, have := []string{"load server 1", "commit 1"}, r.store.questions(work); !slices.Equal(want, have) {
		t.Errorf("asked %q, want %q", have, want)
	}
	again := paris.watch(1)
	r.run(soon)
	paris.wantAnswers(again, "stored")
	r.wantStored(1, 2)
	r.audit(1)
}

// However long the store takes, each question is put to it once, and what comes due again and again doesn't gather.
func TestSlowStoreIsAskedOnce(t *testing.T) {
	r, paris, _ := newPool(t, 2)
	r.store.hold = evidenceCommit(1)
	paris.watch(1)
	r.run(soon)
	r.store.asked = nil
	r.changed(2)
	r.run(16 * time.Minute) // three looks at who was seen are due
	r.store.release()
	r.run(soon)
	if want, have := []string{"load server 2", "load roster"}, r.store.questions(work); !slices.Equal(want, have) {
		t.Errorf("asked %q, want %q", have, want)
	}
	r.wantStored(1, 1)
}

// What of the roster can't be read is said once, as long as it stays so, with what it is.
func TestUnreadableRosterIsSaidOnce(t *testing.T) {
	const line = "what is stored can't be read, its default holds"
	r := newArchive(t, 1)
	l := r.listen()
	load := func(want int, warnings ...string) {
		t.Helper()
		r.store.judge = func(roster *pool.Roster) { roster.Warnings = warnings }
		for question := range uint64(2) {
			l.ask(archivistPath, &messages.LoadRoster{Question: question})
			l.ask(archivistPath, &messages.OpenShard{Shard: 9})
			r.run(soon)
		}
		r.wantLogged(line, want)
	}
	load(1, "settings are odd")
	load(2, "settings are odd", "flags are none")
	load(2, "flags are none")
	load(2)
	load(3, "flags are none")
	if said := strings.Count(r.log.String(), `"reason":"flags are none"`); said != 2 {
		t.Errorf("the log says %d times that flags are none", said)
	}
}

// Each commit of a transaction has its own outcome, and whoever asked for it hears that one.
func TestEachCommitHasItsOwnOutcome(t *testing.T) {
	r := newArchive(t, 3)
	l := r.listen()
	r.store.spoil = func(c pool.ServerCommit) error {
		if c.Server == 2 {
			return errors.New("no")
		}
		return nil
	}
	for server := range uint32(3) {
		l.ask(archivistPath, commitOf(uint64(server), server+1, 1))
	}
	r.run(soon)
	var have []string
	for _, m := range l.heard {
		c := m.(*messages.Committed)
		have = append(have, fmt.Sprintf("%d %s %s", c.Id, c.Outcome, c.Reason))
	}
	if diff := cmp.Diff([]string{"0 KEPT ", "1 REFUSED no", "2 KEPT "}, have); diff != "" {
		t.Errorf("outcomes (-want +have):\n%s", diff)
	}
}

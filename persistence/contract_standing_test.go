package persistence_test

import (
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
)

// standingRules say what a commit writes of pairs and servers, and what it leaves alone.
func standingRules() []rule {
	return []rule{
		{"scores leave the status of a pair alone", scoresLeaveStatus},
		{"statuses leave the score of a pair alone", statusesLeaveScore},
		{"a score without a row leaves the newest row as it was", scoreWithoutRow},
		{"a scorer's pair is active from its first value", scorersAreActive},
		{"the overall score only moves forward", overallMovesForward},
		{"the stratum stays where a sample has none", stratumStays},
	}
}

func scoresLeaveStatus(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	w.keep(w.of(0, sampled(w.v4, noon, 1)))
	if have := w.pair(0, w.v4).Status; have != pool.Candidate {
		t.Errorf("a new pair is %s", have)
	}
	status := pool.PairStatus{
		Monitor: w.v4, Status: pool.Testing, Violation: "account", ViolationSince: noon, LastCheck: noon,
		Cadence: &pool.Cadence{Interval: time.Hour, Phase: time.Minute, Window: time.Second}, PauseReason: "x",
	}
	w.keep(w.of(0, pool.ServerCommit{Statuses: []pool.PairStatus{status}}))
	before := w.pair(0, w.v4)
	at := noon.Add(time.Minute)
	ids := w.keep(w.of(0, sampled(w.v4, at, 2)))
	want := before
	want.Score, want.ScoreAt = 2, at
	want.Kept.ID, want.Kept.At, want.Kept.Score = ids[0], at, 2
	w.same("pair", want, w.pair(0, w.v4))
}

func statusesLeaveScore(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	w.keep(w.of(0, sampled(w.v4, noon, 1)))
	want := w.pair(0, w.v4)
	w.keep(w.of(0, pool.ServerCommit{Statuses: []pool.PairStatus{{Monitor: w.v4, Status: pool.Paused, PauseReason: "constraint"}}}))
	want.Status, want.PauseReason = pool.Paused, "constraint"
	w.same("paused pair", want, w.pair(0, w.v4))
	w.keep(w.of(0, pool.ServerCommit{Statuses: []pool.PairStatus{{Monitor: w.v4, Status: pool.Candidate}}}))
	want.Status, want.PauseReason = pool.Candidate, ""
	w.same("resumed pair", want, w.pair(0, w.v4))
}

func scoreWithoutRow(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	w.keep(w.of(0, sampled(w.v4, noon, 1)))
	want := w.pair(0, w.v4)
	at := noon.Add(time.Minute)
	w.keep(w.of(0, pool.ServerCommit{Scores: []pool.PairScore{{Monitor: w.v4, Score: 5, At: at, Row: -1}}}))
	want.Score, want.ScoreAt = 5, at
	w.same("pair", want, w.pair(0, w.v4))
}

func scorersAreActive(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	w.keep(w.of(0, pool.ServerCommit{Scores: []pool.PairScore{{Monitor: w.every, Score: -5, At: noon, Row: -1}}}))
	w.same("pair", pool.Pair{Monitor: w.every, Server: w.servers[0], Score: -5, ScoreAt: noon, Status: pool.Active}, w.pair(0, w.every))
}

func overallMovesForward(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	for _, step := range []struct {
		name    string
		overall pool.Overall
		want    float64
		wantAt  time.Time
	}{
		{"the first", pool.Overall{Score: 10, At: noon, Known: true}, 10, noon},
		{"an older one is passed over", pool.Overall{Score: 11, At: noon.Add(-time.Microsecond), Known: true}, 10, noon},
		{"one of the same time counts", pool.Overall{Score: 12, At: noon, Known: true}, 12, noon},
		{"none leaves the last", pool.Overall{}, 12, noon},
		{"a newer one counts", pool.Overall{Score: -3, At: noon.Add(time.Microsecond), Known: true}, -3, noon.Add(time.Microsecond)},
	} {
		w.keep(w.of(0, pool.ServerCommit{Overall: &step.overall}))
		if have := w.server(0).Server; have.Score != step.want || !have.ScoreAt.Equal(step.wantAt) {
			t.Errorf("%s: %v at %s, want %v at %s", step.name, have.Score, have.ScoreAt, step.want, step.wantAt)
		}
	}
	// In one batch too, whatever the order.
	later, earlier := noon.Add(time.Hour), noon.Add(time.Minute)
	w.commit(
		w.of(0, pool.ServerCommit{Overall: &pool.Overall{Score: 7, At: later, Known: true, Stratum: 1}}),
		w.of(0, pool.ServerCommit{Overall: &pool.Overall{Score: 8, At: earlier, Known: true, Stratum: 3}}),
		w.of(0, pool.ServerCommit{Overall: &pool.Overall{}}),
	)
	if have := w.server(0).Server; have.Score != 7 || !have.ScoreAt.Equal(later) || have.Stratum != 3 {
		t.Errorf("after a batch: %v at %s, stratum %d", have.Score, have.ScoreAt, have.Stratum)
	}
}

func stratumStays(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	c := sampled(w.v4, noon, 1)
	c.Overall = &pool.Overall{Stratum: 4}
	w.keep(w.of(0, c))
	silent := sampled(w.v4, noon.Add(time.Minute), -4)
	silent.Scores[0].Stratum = 0
	silent.Overall = &pool.Overall{}
	w.keep(w.of(0, silent))
	if pair := w.pair(0, w.v4); pair.Stratum != 2 || pair.Score != -4 {
		t.Errorf("pair has stratum %d and score %v", pair.Stratum, pair.Score)
	}
	if server := w.server(0).Server; server.Stratum != 4 || !server.ScoreAt.IsZero() {
		t.Errorf("server has stratum %d, score at %s", server.Stratum, server.ScoreAt)
	}
}

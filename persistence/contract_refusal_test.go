package persistence_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// refusalRules say that a commit which can't be kept holds up nobody else.
func refusalRules() []rule {
	return []rule{
		{"a bad commit is refused and the others are kept", badCommits},
		{"later commits of a server stand and fall with a refused one", followersOfBad},
		{"a text of any length is cut off", textsAreCutOff},
		{"no commits are no error", noCommits},
	}
}

func badCommits(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 8)
	const nobody = pool.MonitorID(4_000_000)
	for _, bad := range []struct {
		name  string
		spoil func(*pool.ServerCommit)
	}{
		{"a server that isn't there", func(c *pool.ServerCommit) {
			c.Server = 1_000_000
			c.Shard = placement.OfServer(c.Server)
			c.Epoch = w.epochs[c.Shard]
		}},
		{"a server of another shard", func(c *pool.ServerCommit) { c.Shard++ }},
		{"a score of a monitor that isn't there", func(c *pool.ServerCommit) {
			c.Rows[0].Monitor, c.Scores[0].Monitor = nobody, nobody
		}},
		{"a status of a monitor that isn't there", func(c *pool.ServerCommit) {
			c.Statuses = []pool.PairStatus{{Monitor: nobody, Status: pool.Active}}
		}},
		{"a status that isn't one", func(c *pool.ServerCommit) {
			c.Statuses = []pool.PairStatus{{Monitor: w.v4, Status: "new"}}
		}},
		{"a reason that is too long", func(c *pool.ServerCommit) {
			c.Statuses = []pool.PairStatus{{Monitor: w.v4, Status: pool.Paused, PauseReason: strings.Repeat("x", 51)}}
		}},
		{"a cadence that isn't one", func(c *pool.ServerCommit) {
			c.Statuses = []pool.PairStatus{{Monitor: w.v4, Status: pool.Active, Cadence: &pool.Cadence{Interval: time.Second}}}
		}},
		{"a cadence finer than a millisecond", func(c *pool.ServerCommit) {
			c.Statuses = []pool.PairStatus{{
				Monitor: w.v4, Status: pool.Active,
				Cadence: &pool.Cadence{Interval: time.Second, Phase: time.Microsecond, Window: time.Second},
			}}
		}},
		{"a score that is no number", func(c *pool.ServerCommit) { c.Scores[0].Score = math.NaN() }},
		{"a step without end", func(c *pool.ServerCommit) { c.Rows[0].Step = math.Inf(-1) }},
		{"an overall score that is no number", func(c *pool.ServerCommit) {
			c.Overall = &pool.Overall{Known: true, At: noon, Score: math.NaN()}
		}},
		{"a sample without a time", func(c *pool.ServerCommit) { c.Rows[0].At = time.Time{} }},
		{"an RTT of an hour", func(c *pool.ServerCommit) { c.Rows[0].Sample.RTT = ptr(time.Hour) }},
		{"a scorer's late row", func(c *pool.ServerCommit) { c.Rows[0].Sample, c.Rows[0].Late = nil, true }},
		{"a score of another monitor's row", func(c *pool.ServerCommit) { c.Scores[0].Monitor = w.v6 }},
		{"a score of a row that isn't there", func(c *pool.ServerCommit) { c.Scores[0].Row = 1 }},
		{"two rows of one sample", func(c *pool.ServerCommit) { c.Rows = append(c.Rows, c.Rows[0]) }},
		{"a value that counts a row that isn't there", func(c *pool.ServerCommit) {
			c.Rows = append(c.Rows, pool.LogRow{Monitor: w.every, At: noon, Counted: []pool.Ref{{Row: 2}}})
		}},
		{"a value that counts a value", func(c *pool.ServerCommit) {
			c.Rows = append(c.Rows, pool.LogRow{Monitor: w.every, At: noon, Counted: []pool.Ref{{Row: 1}}})
		}},
	} {
		t.Run(bad.name, func(t *testing.T) {
			before := len(w.log(3))
			at := noon.Add(time.Duration(before) * time.Minute)
			var batch []pool.ServerCommit
			for i := range w.servers {
				batch = append(batch, w.of(i, sampled(w.v4, at, 1)))
			}
			bad.spoil(&batch[5])
			for i, outcome := range w.commit(batch...) {
				if (outcome.Err != nil) != (i == 5) || outcome.Fenced {
					t.Errorf("commit %d: %+v", i, outcome)
				}
			}
			for i := range w.servers {
				have := len(w.log(i))
				if want := before + 1; i != 5 && have != want {
					t.Errorf("server %d has %d rows, want %d", i, have, want)
				}
				if i == 5 && have != 0 {
					t.Errorf("%d rows of the refused one", have)
				}
			}
			w.same("the refused one", pool.ServerImage{Server: pool.Server{ID: w.servers[5], Addr: serverAddr(5), Hostname: "ntp.example.net"}}, w.server(5))
		})
	}
}

func followersOfBad(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 6)
	for n, bad := range []struct {
		name  string
		spoil func(*pool.ServerCommit)
	}{
		{"refused at sight", func(c *pool.ServerCommit) { c.Scores[0].Score = math.NaN() }},
		{"refused by the database", func(c *pool.ServerCommit) {
			c.Scores = append(c.Scores, pool.PairScore{Monitor: 4_000_000, Score: 1, At: noon, Row: -1})
		}},
		{"partly there", func(c *pool.ServerCommit) { c.Rows = append(c.Rows, sampleRow(w.v6, noon, 1)) }},
	} {
		good, spoilt := 2*n, 2*n+1
		first := w.of(spoilt, sampled(w.v6, noon, 1))
		w.keep(first)
		c := sampled(w.v4, noon.Add(time.Minute), 1)
		bad.spoil(&c)
		outcomes := w.commit(
			first, // a repetition has the whole batch looked at for others
			w.of(spoilt, sampled(w.v4, noon, 1)),
			w.of(good, sampled(w.v4, noon, 1)),
			w.of(spoilt, c),
			w.of(spoilt, sampled(w.v4, noon.Add(2*time.Minute), 2)),
			w.of(good, sampled(w.v4, noon.Add(time.Minute), 2)),
			w.of(spoilt, sampled(w.v4, noon.Add(3*time.Minute), 3)),
		)
		for i, outcome := range outcomes {
			if want := i == 3 || i == 4 || i == 6; (outcome.Err != nil) != want {
				t.Errorf("%s: commit %d: %+v", bad.name, i, outcome)
			}
		}
		if len(w.log(good)) != 2 || len(w.log(spoilt)) != 2 {
			t.Errorf("%s: %d and %d rows", bad.name, len(w.log(good)), len(w.log(spoilt)))
		}
	}
}

func noCommits(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	w.commit()
}

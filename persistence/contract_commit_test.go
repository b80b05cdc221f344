package persistence_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
)

// commitRules say what a commit keeps.
func commitRules() []rule {
	return []rule{
		{"a commit keeps samples, scores, statuses, review and overall score", commitKeepsAll},
		{"every kind of sample comes back from the log as it was", samplesComeBack},
		{"numbers come back to the last digit", numbersComeBack},
		{"ids of a server grow in the order of its samples", idsGrow},
		{"an overall score names the rows that it counted", countedAreNamed},
		{"several commits of one server count in their order", commitsOfOneServer},
		{"a batch of many servers keeps each", manyServers},
	}
}

func commitKeepsAll(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	place := &pool.Cadence{Interval: 9 * time.Minute, Phase: 41_500 * time.Millisecond, Window: 30 * time.Second}
	row := sampleRow(w.v4, noon, 0.95)
	ids := w.keep(w.of(0, pool.ServerCommit{
		Rows: []pool.LogRow{
			row,
			{Monitor: w.median, At: noon, Score: 0.95, Step: 1, Counted: []pool.Ref{{Row: 0}}},
		},
		Scores: []pool.PairScore{
			{Monitor: w.v4, Score: 0.95, At: noon, Stratum: 2, Row: 0},
			{Monitor: w.median, Score: 0.95, At: noon, Row: 1},
			{Monitor: w.every, Score: -3.75, At: noon, Row: -1},
		},
		Overall: &pool.Overall{Score: 0.95, At: noon, Known: true, Stratum: 2},
		Statuses: []pool.PairStatus{{
			Monitor: w.v4, Status: pool.Active, Cadence: withSeed(place), Violation: "limit",
			ViolationSince: noon.Add(-time.Hour), LastCheck: noon.Add(-time.Minute), PauseReason: "constraint",
		}},
		Review: &pool.Review{Last: noon, Next: noon.Add(time.Hour), Change: noon},
	}))
	if ids[0] == 0 || ids[1] == 0 {
		t.Fatalf("ids are %v", ids)
	}
	image := w.server(0)
	w.same("server", pool.Server{
		ID: w.servers[0], Addr: serverAddr(0), Hostname: "ntp.example.net",
		Score: 0.95, ScoreAt: noon, Stratum: 2,
	}, image.Server)
	w.same("review", pool.Review{Last: noon, Next: noon.Add(time.Hour), Change: noon}, image.Review)
	w.same("pairs", []pool.Pair{
		{
			Monitor: w.median, Server: w.servers[0], Score: 0.95, ScoreAt: noon, Status: pool.Active,
			Kept: pool.Kept{ID: ids[1], At: noon, Score: 0.95, Step: 1},
		},
		{Monitor: w.every, Server: w.servers[0], Score: -3.75, ScoreAt: noon, Status: pool.Active},
		{
			Monitor: w.v4, Server: w.servers[0], Score: 0.95, ScoreAt: noon, Stratum: 2, Status: pool.Active, Cadence: place,
			Kept:      pool.Kept{ID: ids[0], At: noon, Score: 0.95, Step: 1, RTT: row.Sample.RTT},
			Violation: "limit", ViolationSince: noon.Add(-time.Hour), LastCheck: noon.Add(-time.Minute), PauseReason: "constraint",
			Hours: []pool.HourTally{{Hour: noon.Truncate(time.Hour), Tally: pool.Tally{Count: 1, Timed: 1, RTT: *row.Sample.RTT, Step: pool.StepUnits}}},
		},
	}, image.Pairs)
	w.same("log", []persistence.LogEntry{
		{ID: ids[0], LogRow: row},
		{ID: ids[1], LogRow: pool.LogRow{Monitor: w.median, At: noon, Score: 0.95, Step: 1, Counted: []pool.Ref{{ID: ids[0]}}}},
	}, w.log(0))
}

// withSeed is a cadence as an actor has it: its seed must not be stored.
func withSeed(c *pool.Cadence) *pool.Cadence {
	secret := *c
	secret.Seed = 0xdecafbad
	return &secret
}

func samplesComeBack(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	samples := []pool.Sample{
		{Offset: ptr(-3 * time.Second), RTT: ptr(250 * time.Millisecond), Stratum: 1},
		{Offset: ptr(time.Duration(0)), RTT: ptr(time.Duration(0)), Stratum: 16, Leap: pool.LeapUnknown},
		{NoReply: true},
		{Kiss: pool.KissRate, RTT: ptr(time.Millisecond)},
		{Kiss: "\x00'\"\\", RTT: ptr(time.Millisecond)},
		{Error: `malformed: it's "12" of 48 bytes\`, RTT: ptr(time.Millisecond)},
		{Error: "Zeitüberschreitung \U0001f570\n\t\x00\x7f -- ; /* */"},
		{Offset: ptr(time.Microsecond), RTT: ptr(9 * time.Millisecond), Stratum: 3, Warning: "root distance 1.2 s"},
	}
	var want []persistence.LogEntry
	for i, sample := range samples {
		at := noon.Add(time.Duration(i) * time.Minute)
		sample.At = at
		c := sampled(w.v4, at, 1)
		c.Rows[0].Sample, c.Rows[0].Rule = &sample, "rule's \"name\""
		want = append(want, persistence.LogEntry{ID: w.keep(w.of(0, c))[0], LogRow: c.Rows[0]})
	}
	w.same("log", want, w.log(0))
}

// A text of unbounded length is an agent's to send, so it is cut off instead of being refused.
func textsAreCutOff(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	c := sampled(w.v4, noon, 1)
	c.Rows[0].Sample.Error = strings.Repeat("ü", 100_000)
	w.keep(w.of(0, c))
	have := w.log(0)[0].Sample.Error
	if have == "" || len(have) > 2000 || strings.Trim(have, "ü") != "" {
		t.Errorf("kept %d bytes: %.20q...", len(have), have)
	}
}

func numbersComeBack(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	numbers := []float64{
		0, 20, -100, 1.0 / 3, 0.1 + 0.2, math.Nextafter(20, 0), -19.999999999999996, 1e-300, 123456.78901234567,
		math.MaxFloat64, math.SmallestNonzeroFloat64 * (1 << 52), 0.00012345678901234567,
	}
	for i, number := range numbers {
		at := noon.Add(time.Duration(i) * time.Microsecond)
		c := sampled(w.v4, at, number)
		c.Rows[0].Step = -number
		c.Rows[0].Sample.Offset = ptr(time.Duration(i)*time.Hour + 1)
		c.Overall = &pool.Overall{Score: number, At: at, Known: true}
		w.keep(w.of(0, c))
		entry := w.log(0)[i]
		if entry.Score != number || entry.Step != -number || *entry.Sample.Offset != *c.Rows[0].Sample.Offset || !entry.At.Equal(at) {
			t.Errorf("%v: log holds %v, %v, %s at %s", number, entry.Score, entry.Step, entry.Sample.Offset, entry.At)
		}
		pair := w.pair(0, w.v4)
		if pair.Score != number || pair.Kept.Score != number || pair.Kept.Step != -number {
			t.Errorf("%v: pair holds %v, %+v", number, pair.Score, pair.Kept)
		}
		if have := w.server(0).Server.Score; have != number {
			t.Errorf("%v: server has %v", number, have)
		}
	}
}

func idsGrow(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 2)
	var batch []pool.ServerCommit
	for i := range 6 {
		at := noon.Add(time.Duration(i) * time.Second)
		c := pool.ServerCommit{Rows: []pool.LogRow{
			sampleRow(w.v4, at, 1), {Monitor: w.every, At: at, Score: 1}, sampleRow(w.v6, at, 1),
		}}
		batch = append(batch, w.of(i%2, c))
	}
	last := make(map[pool.ServerID]pool.LogID)
	for i, outcome := range w.commit(batch...) {
		server := batch[i].Server
		first, second := outcome.IDs[0], outcome.IDs[2]
		if first <= last[server] || second <= first || outcome.IDs[1] <= first {
			t.Errorf("server %d: ids %v after %d", server, outcome.IDs, last[server])
		}
		last[server] = second
	}
}

func countedAreNamed(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 2)
	earlier := w.keep(w.of(1, sampled(w.v6, noon, 1)))
	at := noon.Add(time.Minute)
	c := pool.ServerCommit{Rows: []pool.LogRow{
		sampleRow(w.v4, at, 2),
		{Monitor: w.median, At: at, Score: 2, Counted: []pool.Ref{{ID: earlier[0]}, {Row: 0}}},
		sampleRow(w.v6, at, 3),
		{Monitor: w.every, At: at, Score: 3, Counted: []pool.Ref{{Row: 2}, {Row: 0}}},
	}}
	// Another server's commit in front moves the rows, but not what they count.
	outcomes := w.commit(w.of(0, sampled(w.v4, noon, 1)), w.of(1, c))
	ids := outcomes[1].IDs
	for _, entry := range w.log(1) {
		switch entry.Monitor {
		case w.median:
			w.same("counted by recentmedian", []pool.Ref{{ID: earlier[0]}, {ID: ids[0]}}, entry.Counted)
		case w.every:
			w.same("counted by every", []pool.Ref{{ID: ids[2]}, {ID: ids[0]}}, entry.Counted)
		}
	}
}

func commitsOfOneServer(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	next := noon.Add(time.Minute)
	second := sampled(w.v4, next, 2)
	second.Statuses = []pool.PairStatus{{Monitor: w.v4, Status: pool.Active}}
	second.Scores[0].Stratum = 0
	third := pool.ServerCommit{
		Scores:   []pool.PairScore{{Monitor: w.v4, Score: 3, At: next.Add(time.Minute), Row: -1}},
		Statuses: []pool.PairStatus{{Monitor: w.v4, Status: pool.Testing}},
		Review:   &pool.Review{Next: next},
	}
	outcomes := w.commit(w.of(0, sampled(w.v4, noon, 1)), w.of(0, second), w.of(0, third))
	w.same("pair", pool.Pair{
		Monitor: w.v4, Server: w.servers[0], Score: 3, ScoreAt: next.Add(time.Minute), Stratum: 2, Status: pool.Testing,
		Kept: pool.Kept{ID: outcomes[1].IDs[0], At: next, Score: 2, Step: 1, RTT: second.Rows[0].Sample.RTT},
	}, w.pair(0, w.v4))
}

func manyServers(t *testing.T, store persistence.Store) {
	const servers = 40
	w := newWorld(t, store, servers)
	var batch []pool.ServerCommit
	for i := range servers * 60 { // more rows than one statement takes
		batch = append(batch, w.of(i%servers, sampled(w.v4, noon.Add(time.Duration(i)*time.Second), float64(i))))
	}
	outcomes := w.commit(batch...)
	ids := make(map[pool.LogID]bool)
	for i, outcome := range outcomes {
		if outcome.Err != nil || outcome.Fenced || len(outcome.IDs) != 1 || ids[outcome.IDs[0]] {
			t.Fatalf("commit %d: %+v", i, outcome)
		}
		ids[outcome.IDs[0]] = true
	}
	for i := range servers {
		log := w.log(i)
		if len(log) != 60 {
			t.Fatalf("server %d has %d rows", i, len(log))
		}
		for n, entry := range log {
			if want := float64(n*servers + i); entry.Score != want || entry.ID != outcomes[n*servers+i].IDs[0] {
				t.Fatalf("server %d, row %d: id %d, score %v, want %v", i, n, entry.ID, entry.Score, want)
			}
		}
		if pair := w.pair(i, w.v4); pair.Kept.ID != log[59].ID || pair.Score != log[59].Score {
			t.Fatalf("server %d: pair %+v", i, pair)
		}
	}
}

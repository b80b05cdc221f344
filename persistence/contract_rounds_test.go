package persistence_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
)

// roundRules say what a command that runs selection reads and writes.
func roundRules() []rule {
	return []rule{
		{"selections come in the order of their servers", selectionsHaveAnOrder},
		{"selections hold what a round looks at and no more", selectionsHoldWhatCounts},
		{"selections add up figures, closed or not", selectionsAddUp},
		{"an error ends the selections", errorEndsSelections},
		{"a round is kept and told", roundIsKept},
		{"a round that can't be kept changes nothing", badRounds},
	}
}

// chosen is what Selections hands over of one server.
type chosen struct {
	Image   pool.ServerImage
	Tallies []pool.Tally
}

// selections asks for those of some servers.
func (w *world) selections(now time.Time, ids ...pool.ServerID) []chosen {
	w.t.Helper()
	var all []chosen
	w.must(w.Selections(w.t.Context(), now, ids, func(image pool.ServerImage, tallies []pool.Tally) error {
		all = append(all, chosen{image, tallies})
		return nil
	}))
	return all
}

func selectionsHaveAnOrder(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 5)
	s := w.servers
	w.must(w.RemoveServer(t.Context(), "me", s[1], noon))
	w.must(w.RemoveServer(t.Context(), "me", s[3], noon.AddDate(0, 0, 2)))
	for _, row := range []struct {
		name      string
		ids, want []pool.ServerID
	}{
		{"all that aren't removed", nil, []pool.ServerID{s[0], s[2], s[3], s[4]}},
		{"some, in any order", []pool.ServerID{s[4], s[0], s[4]}, []pool.ServerID{s[0], s[4]}},
		{"a removed one, by name", []pool.ServerID{s[1]}, []pool.ServerID{s[1]}},
		{"one that isn't there", []pool.ServerID{0, 99, s[2]}, []pool.ServerID{s[2]}},
		{"none", []pool.ServerID{}, nil},
	} {
		var have []pool.ServerID
		for _, one := range w.selections(noon, row.ids...) {
			have = append(have, one.Image.Server.ID)
		}
		if row.ids != nil && len(row.ids) == 0 {
			have = nil
			w.must(w.Selections(t.Context(), noon, row.ids, func(image pool.ServerImage, _ []pool.Tally) error {
				have = append(have, image.Server.ID)
				return nil
			}))
		}
		w.same(row.name, row.want, have)
	}
	watched, err := w.Watched(t.Context(), noon)
	w.must(err)
	var ids []pool.ServerID
	for _, server := range watched {
		ids = append(ids, server.ID)
	}
	w.same("those that are watched", []pool.ServerID{s[0], s[2], s[3], s[4]}, ids)
}

func selectionsHoldWhatCounts(t *testing.T, store persistence.Store) {
	w := bigWorld(t, store)
	status := pool.PairStatus{
		Monitor: w.v6, Status: pool.Paused, Violation: "account", ViolationSince: noon.Add(-time.Hour),
		LastCheck: noon.Add(-time.Minute), PauseReason: "constraint",
	}
	review := pool.Review{Last: noon, Next: noon.Add(time.Hour), Change: noon.Add(-time.Hour)}
	w.keep(w.of(1, pool.ServerCommit{Statuses: []pool.PairStatus{status}, Review: &review}))
	w.same("selection", []chosen{{
		Image: pool.ServerImage{
			Server: w.server(1).Server, Review: review,
			Pairs: []pool.Pair{
				{Monitor: w.v4, Server: w.servers[1], Status: pool.Active},
				{
					Monitor: w.v6, Server: w.servers[1], Status: pool.Paused, Violation: "account", ViolationSince: status.ViolationSince,
					LastCheck: status.LastCheck, PauseReason: "constraint",
				},
			},
		},
		Tallies: []pool.Tally{hour(0, 1).Tally, {}},
	}}, w.selections(noon, w.servers[1]))
}

func selectionsAddUp(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 3)
	w.spread(0)
	w.spread(2)
	have := func(now time.Time) (counts [][]pool.Tally) {
		for _, one := range w.selections(now) {
			counts = append(counts, one.Tallies)
		}
		return counts
	}
	check := func(when string, late int) {
		t.Helper()
		for _, row := range []struct {
			name        string
			now         time.Time
			count, late int
		}{
			{"now", noon, 25, late},
			{"before the newest closed hour is the last one", thisHour.Add(4 * time.Minute), 25, late},
			{"hours later", noon.Add(5 * time.Hour), 20, late},
			{"when the late ones are past", noon.Add(23 * time.Hour), 2, 0},
			{"by a clock that is behind", noon.Add(-2 * time.Hour), 25, late},
			{"a day later", noon.Add(25 * time.Hour), 0, 0},
		} {
			want := [][]pool.Tally{{hour(0, row.count+row.late).Tally}, {}, {hour(0, row.count).Tally}}
			w.same(when+", "+row.name, want, have(row.now))
		}
	}
	check("open", 0)
	for n, closing := range []time.Time{noon.Add(-time.Hour), noon, noon.Add(time.Hour), noon.Add(time.Hour), noon.Add(12 * time.Hour)} {
		w.must(w.CloseHours(t.Context(), closing))
		check("closed", n)
		row := sampleRow(w.v4, noon.Add(-3*time.Hour+time.Duration(n+1)*time.Second), 1)
		row.Late = true
		w.keep(w.of(0, pool.ServerCommit{Rows: []pool.LogRow{row}}))
		check("after a late sample", n+1)
	}
}

func errorEndsSelections(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 5)
	enough := errors.New("enough")
	var seen []pool.ServerID
	err := w.Selections(t.Context(), noon, nil, func(image pool.ServerImage, _ []pool.Tally) error {
		if seen = append(seen, image.Server.ID); len(seen) == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || !slices.Equal(seen, w.servers[:2]) {
		t.Errorf("servers %v, %v", seen, err)
	}
}

func roundIsKept(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 2)
	place := &pool.Cadence{Interval: 9 * time.Minute, Phase: time.Minute, Window: 20 * time.Second}
	c := sampled(w.v4, noon, 7)
	c.Statuses = []pool.PairStatus{{Monitor: w.v4, Status: pool.Active, Cadence: place, Violation: "limit", ViolationSince: noon}}
	w.keep(w.of(0, c))
	before, other := w.pair(0, w.v4), w.server(1)
	after, err := w.LatestChange(t.Context())
	w.must(err)
	review := pool.Review{Last: noon, Next: noon.Add(time.Hour), Change: noon}
	w.must(w.ApplyRound(t.Context(), "me", w.servers[0], []pool.PairStatus{
		{Monitor: w.v6, Status: pool.Testing},
		{
			Monitor: w.v4, Status: pool.Paused, Violation: "account", ViolationSince: noon.Add(time.Second),
			LastCheck: noon.Add(time.Minute), PauseReason: "constraint",
		},
	}, review))
	before.Status, before.Violation, before.ViolationSince = pool.Paused, "account", noon.Add(time.Second)
	before.LastCheck, before.PauseReason = noon.Add(time.Minute), "constraint"
	w.same("pair", before, w.pair(0, w.v4))
	w.same("new pair", pool.Pair{Monitor: w.v6, Server: w.servers[0], Status: pool.Testing}, w.pair(0, w.v6))
	w.same("review", review, w.server(0).Review)
	w.same("another server", other, w.server(1))
	changes, err := w.Changes(t.Context(), after)
	w.must(err)
	w.same("changes", []pool.Change{{ID: after + 1, Kind: pool.ChangedServer, Key: "1"}}, changes)
	// A hub's commits are held up by none of this.
	w.keep(w.of(0, sampled(w.v4, noon.Add(time.Hour), 8)))
}

func badRounds(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	w.keep(w.of(0, pool.ServerCommit{Statuses: []pool.PairStatus{{Monitor: w.v4, Status: pool.Active}}}))
	want, latest := w.server(0), ptr(uint64(0))
	*latest, _ = w.LatestChange(t.Context())
	good := pool.PairStatus{Monitor: w.v4, Status: pool.Testing}
	for _, bad := range []struct {
		name     string
		server   pool.ServerID
		statuses []pool.PairStatus
		notFound bool
	}{
		{"of no server", 99, []pool.PairStatus{good}, true},
		{"of a monitor that isn't there", w.servers[0], []pool.PairStatus{good, {Monitor: 99, Status: pool.Testing}}, true},
		{"with a status that isn't one", w.servers[0], []pool.PairStatus{good, {Monitor: w.v6, Status: "best"}}, false},
		{"with a monitor twice", w.servers[0], []pool.PairStatus{good, {Monitor: w.v4, Status: pool.Active}}, false},
	} {
		err := w.ApplyRound(t.Context(), "me", bad.server, bad.statuses, pool.Review{Last: noon})
		if err == nil || errors.Is(err, persistence.ErrNotFound) != bad.notFound {
			t.Errorf("%s: %v", bad.name, err)
		}
	}
	w.same("server", want, w.server(0))
	if have, err := w.LatestChange(t.Context()); have != *latest || err != nil {
		t.Errorf("%d changes, want %d; %v", have, *latest, err)
	}
}

package simulation

import (
	"context"
	"slices"

	"truechimer/pool"
	"truechimer/pool/selection"
)

// referee holds each round of selection that is kept to what selection promises, whatever was planned.
type referee struct{ pool *Pool }

// before are the servers of commits that keep a round, as they are stored before.
func (r referee) before(ctx context.Context, commits []pool.ServerCommit) (images []pool.ServerImage) {
	for _, c := range commits {
		if c.Review != nil {
			images = append(images, r.load(ctx, c.Server))
		}
	}
	return images
}

func (r referee) load(ctx context.Context, id pool.ServerID) pool.ServerImage {
	image, _, err := r.pool.Store.LoadServer(ctx, id, r.pool.Now())
	if err != nil {
		r.pool.Violate("the store can be read", "server %d: %v", id, err)
	}
	return image
}

// judge looks what has become of them, and ends the simulation if a promise is broken.
func (r referee) judge(ctx context.Context, before []pool.ServerImage) {
	roster, err := r.pool.Store.LoadRoster(ctx)
	if err != nil {
		r.pool.Violate("the store can be read", "roster: %v", err)
	}
	for _, image := range before {
		t := newTurnover(roster, image.Pairs, r.load(ctx, image.Server.ID).Pairs)
		if broken := t.broken(); broken != "" {
			r.pool.Violate("a round keeps what selection promises", "%s of %s: %+v", broken, image.Server.Hostname, *t)
		}
	}
}

// turnover counts what one round has changed. Who is blocked or paused goes outside all budgets and isn't counted.
type turnover struct {
	wereActive, wereTesting, areActive int

	blocked     int // of any status
	toActive    int // from testing
	toTesting   int // from candidate
	fromActive  int
	fromTesting int // to candidate
	skipped     int // testing without having been there, and the like
	ownJudge    int // active or testing for what is its own
}

func newTurnover(roster pool.Roster, before, after []pool.Pair) *turnover {
	t := &turnover{}
	was := make(map[pool.MonitorID]pool.Status)
	for _, p := range before {
		was[p.Monitor] = p.Status
	}
	for _, p := range after {
		if slices.ContainsFunc(roster.Scorers, func(s pool.Scorer) bool { return s.ID == p.Monitor }) {
			continue
		}
		blocked := !slices.ContainsFunc(roster.Monitors, func(m pool.Monitor) bool {
			return m.ID == p.Monitor && (m.Status == pool.GlobalActive || m.Status == pool.GlobalTesting || m.Status == pool.GlobalPending)
		})
		t.count(was[p.Monitor], p, blocked)
	}
	return t
}

// count counts one monitor.
func (t *turnover) count(was pool.Status, p pool.Pair, blocked bool) {
	switch was {
	case pool.Active:
		t.wereActive++
	case pool.Testing:
		t.wereTesting++
	}
	if p.Status == pool.Active {
		t.areActive++
	}
	own := p.Violation == string(selection.SameSubnet) || p.Violation == string(selection.SameAccount)
	if own && (p.Status == pool.Active || p.Status == pool.Testing) {
		t.ownJudge++
	}
	if blocked {
		t.blocked++
		return
	}
	switch {
	case was == p.Status || p.Status == pool.Paused:
	case was == pool.Testing && p.Status == pool.Active:
		t.toActive++
	case was == pool.Active && p.Status == pool.Testing:
		t.fromActive++
	case was == pool.Testing && p.Status == pool.Candidate:
		t.fromTesting++
	case (was == pool.Candidate || was == "") && p.Status == pool.Testing:
		t.toTesting++
	case (was == pool.Paused || was == "") && p.Status == pool.Candidate: // resumed or welcomed
	default:
		t.skipped++
	}
}

// broken names a promise that the round breaks; empty: none.
func (t *turnover) broken() string {
	budget := 2
	if t.blocked > 1 {
		budget = 3
	}
	if t.wereActive == 0 {
		budget = 4
	}
	mostToTesting := budget - t.toActive
	if t.wereTesting == 0 {
		mostToTesting = selection.TestingTarget // the beginning is made
	}
	switch {
	case t.areActive > selection.ActiveTarget:
		return "too many are active"
	case t.ownJudge > 0:
		return "a monitor judges its own"
	case t.skipped > 0:
		return "a status is skipped"
	case t.toActive > budget || t.toTesting > mostToTesting:
		return "too many are promoted"
	case t.fromActive > budget+t.toActive: // a swap takes one out for the one it lets in
		return "too many leave the active"
	case t.fromTesting > budget+t.toTesting:
		return "too many leave the testing"
	}
	return ""
}

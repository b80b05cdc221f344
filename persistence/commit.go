package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
)

// errStandsOnRefused is the outcome of a commit whose server lost an earlier one of the same call.
var errStandsOnRefused = errors.New("an earlier commit of this server was refused")

// batch is the commits of one call and what became of them so far.
type batch struct {
	commits  []pool.ServerCommit
	outcomes []pool.CommitOutcome
	scorers  map[pool.MonitorID]bool
	began    time.Time // when the transaction began, by the database's clock
}

// commitWithin bounds a commit: what began before the end of an hour is done long before the hour is closed.
const commitWithin = time.Minute

// Commit keeps all commits in one transaction. Where the server refuses a part of it, halves of it are kept
// by themselves until the bad commit is found, so that it holds up nobody.
func (m *MySQL) Commit(ctx context.Context, commits []pool.ServerCommit) ([]pool.CommitOutcome, error) {
	scorers, err := m.scorerIDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("commit %d servers: %w", len(commits), err)
	}
	b := &batch{commits: commits, outcomes: make([]pool.CommitOutcome, len(commits)), scorers: scorers}
	live := make([]int, 0, len(commits))
	for i, c := range commits {
		if err := checkCommit(c); err != nil {
			b.outcomes[i].Err = err
			continue
		}
		live = append(live, i)
	}
	ctx, cancel := context.WithTimeout(ctx, commitWithin)
	defer cancel()
	if err := m.settle(ctx, b, live, false); err != nil {
		return nil, fmt.Errorf("commit %d servers: %w", len(commits), err)
	}
	return b.outcomes, nil
}

// settle finds out what becomes of some commits of a batch. That rows are there already is rare (a commit went through
// whose answer was lost): only when it has met one does it look for them. It does so with one commit of a server at
// a time, since what one of them makes of a sample decides what is left for the next.
func (m *MySQL) settle(ctx context.Context, b *batch, live []int, repeated bool) error {
	live = b.standing(live)
	if len(live) == 0 {
		return nil
	}
	err := m.change(ctx, func(tx *sql.Tx) error { return b.write(ctx, tx, live, repeated) })
	switch {
	case isDuplicate(err) && !repeated:
		return m.settleAll(ctx, b, b.rounds(live), true)
	case !isRefusal(err):
		return err
	case len(live) == 1:
		b.outcomes[live[0]] = pool.CommitOutcome{Err: fmt.Errorf("server %d: %w", b.commits[live[0]].Server, err)}
		return nil
	}
	half := len(live) / 2
	return m.settleAll(ctx, b, [][]int{live[:half], live[half:]}, repeated)
}

// settleAll settles one part after the other.
func (m *MySQL) settleAll(ctx context.Context, b *batch, parts [][]int, repeated bool) error {
	for _, part := range parts {
		if err := m.settle(ctx, b, part, repeated); err != nil {
			return err
		}
	}
	return nil
}

// rounds parts commits so that each round has one commit of a server, in their order.
func (b *batch) rounds(live []int) [][]int {
	var rounds [][]int
	turn := make(map[pool.ServerID]int)
	for _, i := range live {
		server := b.commits[i].Server
		if turn[server] == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[turn[server]] = append(rounds[turn[server]], i)
		turn[server]++
	}
	return rounds
}

// standing leaves out the commits that stand on a refused one: those of the same server that come after it.
func (b *batch) standing(live []int) []int {
	refused := make(map[pool.ServerID]bool)
	var standing []int
	seen := 0
	for _, i := range live {
		for ; seen < i; seen++ {
			if b.outcomes[seen].Err != nil {
				refused[b.commits[seen].Server] = true
			}
		}
		if refused[b.commits[i].Server] {
			b.outcomes[i] = pool.CommitOutcome{Err: errStandsOnRefused}
			continue
		}
		standing = append(standing, i)
	}
	return standing
}

// write is the transaction. Statements come in the same order for all hubs, each with its keys sorted,
// so that no two hubs wait for each other.
func (b *batch) write(ctx context.Context, tx *sql.Tx, live []int, repeated bool) error {
	for _, i := range live {
		b.outcomes[i] = pool.CommitOutcome{IDs: make([]pool.LogID, len(b.commits[i].Rows))}
	}
	live, err := b.fence(ctx, tx, live)
	if err != nil {
		return err
	}
	there, err := b.stored(ctx, tx, live, repeated)
	if err != nil {
		return err
	}
	if repeated {
		live = b.standing(b.absent(live, there))
	}
	samples, values := b.rows(live, there)
	if err := b.insertRows(ctx, tx, samples); err != nil {
		return err
	}
	// The scorers' rows come after: they name the samples that they count by their ids.
	if err := b.insertRows(ctx, tx, values); err != nil {
		return err
	}
	if err := b.markStale(ctx, tx, samples); err != nil {
		return err
	}
	return b.writeStandings(ctx, tx, live)
}

// fence locks the shards of the commits and leaves out those whose shard another activation has taken.
func (b *batch) fence(ctx context.Context, tx *sql.Tx, live []int) ([]int, error) {
	var shards []pool.ShardID
	for _, i := range live {
		shards = append(shards, b.commits[i].Shard)
	}
	rows, err := sqlcgen.New(tx).LockEpochs(ctx, sortedSet(shards))
	if err != nil {
		return nil, fmt.Errorf("lock shards: %w", err)
	}
	epochs := make(map[pool.ShardID]uint64, len(rows))
	for _, row := range rows {
		epochs[row.ID] = row.Epoch
		b.began = row.Clock
	}
	var ours []int
	for _, i := range live {
		if b.commits[i].Epoch != epochs[b.commits[i].Shard] {
			b.outcomes[i] = pool.CommitOutcome{Fenced: true}
			continue
		}
		ours = append(ours, i)
	}
	return ours, nil
}

// scorerIDs are the monitors that are scorers. They are made with the tables and never change, so they are read once.
func (m *MySQL) scorerIDs(ctx context.Context) (map[pool.MonitorID]bool, error) {
	m.scorersRead.Lock()
	defer m.scorersRead.Unlock()
	if m.scorers != nil {
		return m.scorers, nil
	}
	rows, err := sqlcgen.New(m.db).Scorers(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the scorers: %w", explained(err))
	}
	scorers := make(map[pool.MonitorID]bool, len(rows))
	for _, row := range rows {
		scorers[row.ID] = true
	}
	m.scorers = scorers
	return scorers, nil
}

package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
}

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
	if err := m.settle(ctx, b, live); err != nil {
		return nil, fmt.Errorf("commit %d servers: %w", len(commits), err)
	}
	return b.outcomes, nil
}

// settle finds out what becomes of some commits of a batch.
func (m *MySQL) settle(ctx context.Context, b *batch, live []int) error {
	live = b.standing(live)
	if len(live) == 0 {
		return nil
	}
	err := m.keep(ctx, b, live)
	if !isRefusal(err) {
		return err
	}
	if len(live) == 1 {
		b.outcomes[live[0]] = pool.CommitOutcome{Err: fmt.Errorf("server %d: %w", b.commits[live[0]].Server, err)}
		return nil
	}
	half := len(live) / 2
	if err := m.settle(ctx, b, live[:half]); err != nil {
		return err
	}
	return m.settle(ctx, b, live[half:])
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

// keep writes commits in one transaction. That a row is there already is rare (a commit went through whose answer
// was lost), so it looks for such rows only when it has met one.
func (m *MySQL) keep(ctx context.Context, b *batch, live []int) error {
	err := m.change(ctx, func(tx *sql.Tx) error { return b.write(ctx, tx, live, false) })
	if isDuplicate(err) {
		err = m.change(ctx, func(tx *sql.Tx) error { return b.write(ctx, tx, live, true) })
	}
	return err
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
	live = b.standing(b.absent(live, there))
	samples, values := b.rows(live, there)
	if err := b.insertRows(ctx, tx, samples); err != nil {
		return err
	}
	// The scorers' rows come after: they name the samples that they count by their ids.
	if err := b.insertRows(ctx, tx, values); err != nil {
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

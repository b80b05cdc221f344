package persistence

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
)

// Seen notes who was here in one transaction.
func (m *MySQL) Seen(ctx context.Context, seen []pool.AgentSeen) error {
	if len(seen) == 0 {
		return nil
	}
	seen = slices.SortedStableFunc(slices.Values(seen), func(a, b pool.AgentSeen) int { return cmp.Compare(a.Monitor, b.Monitor) })
	moved, err := m.moved(ctx, seen)
	if err == nil {
		err = m.change(ctx, func(tx *sql.Tx) error {
			q := sqlcgen.New(tx)
			if err := moveMonitors(ctx, q, moved); err != nil {
				return err
			}
			return markSeen(ctx, q, seen)
		})
	}
	if err != nil {
		return fmt.Errorf("note %d monitors as seen: %w", len(seen), err)
	}
	return nil
}

// move is a monitor that has another address than the one stored.
type move struct {
	monitor pool.MonitorID
	agent   string
	addr    string
}

// moved finds the monitors that have another address than the one stored.
func (m *MySQL) moved(ctx context.Context, seen []pool.AgentSeen) ([]move, error) {
	addrs := make(map[pool.MonitorID]string, len(seen))
	var ids []pool.MonitorID
	for _, s := range seen {
		if s.Addr.IsValid() {
			addrs[s.Monitor] = addrText(s.Addr)
			ids = append(ids, s.Monitor)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := sqlcgen.New(m.db).AddressesOf(ctx, sortedSet(ids))
	if err != nil {
		return nil, fmt.Errorf("read their addresses: %w", explained(err))
	}
	var moves []move
	for _, row := range rows {
		if addr := addrs[row.ID]; addr != row.Ip.String {
			moves = append(moves, move{monitor: row.ID, agent: row.TlsName.String, addr: addr})
		}
	}
	return moves, nil
}

// moveMonitors stores new addresses, each with its entry.
func moveMonitors(ctx context.Context, q *sqlcgen.Queries, moves []move) error {
	if len(moves) == 0 {
		return nil
	}
	if _, err := q.LockChanges(ctx); err != nil {
		return fmt.Errorf("lock the changes: %w", err)
	}
	for _, move := range moves {
		if err := q.SetAddress(ctx, sqlcgen.SetAddressParams{ID: move.monitor, Ip: known(move.addr)}); err != nil {
			return fmt.Errorf("set the address of monitor %d: %w", move.monitor, err)
		}
		if err := record(ctx, q, move.agent, monitorMoved(move)); err != nil {
			return err
		}
	}
	return nil
}

// monitorMoved is the entry of a monitor with a new address.
func monitorMoved(m move) entry {
	return entry{pool.ChangedMonitor, m.agent, "monitor " + idText(m.monitor) + ", address " + m.addr}
}

func markSeen(ctx context.Context, q *sqlcgen.Queries, seen []pool.AgentSeen) error {
	for _, s := range seen {
		err := q.MarkSeen(ctx, sqlcgen.MarkSeenParams{ID: s.Monitor, Seen: moment(s.Seen), Version: s.Version})
		if err == nil && !s.Submitted.IsZero() {
			err = q.MarkSubmitted(ctx, sqlcgen.MarkSubmittedParams{ID: s.Monitor, Submitted: moment(s.Submitted)})
		}
		if err != nil {
			return fmt.Errorf("monitor %d: %w", s.Monitor, err)
		}
	}
	return nil
}

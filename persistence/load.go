package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
)

// LoadServer loads one server with its pairs, their figures, and its review.
func (m *MySQL) LoadServer(ctx context.Context, id pool.ServerID, now time.Time) (pool.ServerImage, bool, error) {
	var image pool.ServerImage
	err := m.view(ctx, func(tx *sql.Tx) error {
		q := sqlcgen.New(tx)
		row, err := q.Server(ctx, id)
		if err != nil {
			return err
		}
		pairs, err := q.PairsOfServer(ctx, id)
		if err != nil {
			return fmt.Errorf("pairs: %w", err)
		}
		review, err := q.ReviewOfServer(ctx, id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("review: %w", err)
		}
		image = pool.ServerImage{Server: serverOf(row), Review: reviewOf(review)}
		if !isReadable(image.Server) {
			return sql.ErrNoRows // as good as none
		}
		for _, pair := range pairs {
			image.Pairs = append(image.Pairs, pairOf(pair))
		}
		if err := m.readFigures(ctx, tx, now, []*pool.ServerImage{&image}); err != nil {
			return fmt.Errorf("figures: %w", err)
		}
		return nil
	})
	if errors.Is(err, sql.ErrNoRows) {
		return pool.ServerImage{}, false, nil
	}
	if err != nil {
		return pool.ServerImage{}, false, fmt.Errorf("load server %d: %w", id, err)
	}
	return image, true, nil
}

// LoadAgent loads one agent with its monitors and assigned pairs.
func (m *MySQL) LoadAgent(ctx context.Context, name string) (pool.AgentImage, bool, error) {
	var image pool.AgentImage
	err := m.snapshot(ctx, func(q *sqlcgen.Queries) error {
		row, err := q.Agent(ctx, name)
		if err != nil {
			return err
		}
		monitors, err := q.MonitorsOfAgent(ctx, known(name))
		if err != nil {
			return fmt.Errorf("monitors: %w", err)
		}
		assigned, err := q.AssignedOfAgent(ctx, known(name))
		if err != nil {
			return fmt.Errorf("assigned pairs: %w", err)
		}
		image = pool.AgentImage{Agent: agentOf(row)}
		for _, row := range monitors {
			monitor, _ := monitorOf(row)
			image.Monitors = append(image.Monitors, monitor)
		}
		for _, row := range assigned {
			if a := assignedOf(row); a.Addr.IsValid() {
				image.Assignments = append(image.Assignments, a)
			}
		}
		return nil
	})
	if errors.Is(err, sql.ErrNoRows) {
		return pool.AgentImage{}, false, nil
	}
	if err != nil {
		return pool.AgentImage{}, false, fmt.Errorf("load agent %q: %w", name, err)
	}
	return image, true, nil
}

func serverOf(row sqlcgen.ServerRow) pool.Server {
	return pool.Server{
		ID:       row.ID,
		Addr:     netip.AddrPortFrom(parseAddr(row.Ip), row.Port),
		Account:  pool.AccountID(row.AccountID.Int64),
		Hostname: row.Hostname.String,
		Deletion: row.DeletionOn.Time,
		Score:    row.ScoreRaw,
		ScoreAt:  row.ScoreTs.Time,
		Stratum:  uint8(row.Stratum.Int16),
	}
}

// isReadable tells whether a server has an address. One whose address can't be read, which others have written, is left
// out of everything but the list of servers: nobody can probe it. The roster's warnings name it.
func isReadable(server pool.Server) bool { return server.Addr.IsValid() }

func pairOf(row sqlcgen.PairsOfServerRow) pool.Pair {
	return pool.Pair{
		Monitor:        row.MonitorID,
		Server:         row.ServerID,
		Score:          row.ScoreRaw,
		ScoreAt:        row.ScoreTs.Time,
		Stratum:        uint8(row.Stratum.Int16),
		Kept:           keptIn(row),
		Status:         row.Status,
		Cadence:        cadenceOf(row.IntervalMs, row.PhaseMs, row.WindowMs),
		Violation:      row.ConstraintViolationType.String,
		ViolationSince: row.ConstraintViolationSince.Time,
		LastCheck:      row.LastConstraintCheck.Time,
		PauseReason:    row.PauseReason.String,
	}
}

// cadenceOf is a place in a timetable; nil where there is no interval. Its seed isn't kept.
func cadenceOf(interval, phase, window sql.NullInt64) *pool.Cadence {
	if !interval.Valid {
		return nil
	}
	return &pool.Cadence{
		Interval: time.Duration(interval.Int64) * time.Millisecond,
		Phase:    time.Duration(phase.Int64) * time.Millisecond,
		Window:   time.Duration(window.Int64) * time.Millisecond,
	}
}

// keptIn is what a pair remembers of its newest row in the log.
func keptIn(row sqlcgen.PairsOfServerRow) pool.Kept {
	if !row.LogID.Valid {
		return pool.Kept{}
	}
	return pool.Kept{
		ID:    pool.LogID(row.LogID.Int64),
		At:    row.LogTs.Time,
		Score: row.LogScore.Float64,
		Step:  row.LogStep.Float64,
		RTT:   durationOf(sql.NullInt64{Int64: int64(row.LogRtt.Int32), Valid: row.LogRtt.Valid}, time.Microsecond),
	}
}

func reviewOf(row sqlcgen.ReviewOfServerRow) pool.Review {
	return pool.Review{Last: row.LastReview.Time, Next: row.NextReview.Time, Change: row.LastChange.Time}
}

func agentOf(row sqlcgen.AgentRow) pool.Agent {
	return pool.Agent{
		Name:    row.Name,
		Account: pool.AccountID(row.AccountID.Int64),
		Serial:  row.CertificateSerial,
		Revoked: row.Revoked,
		Session: row.Session,
	}
}

// monitorOf is a monitor, usable even where the error says that its configuration isn't.
func monitorOf(row sqlcgen.MonitorsOfAgentRow) (pool.Monitor, error) {
	config, err := parseConfig(row.Config)
	if err != nil {
		err = fmt.Errorf("config of monitor %d: %w", row.ID, err)
	}
	addr := parseAddr(row.Ip.String)
	return pool.Monitor{
		ID:       row.ID,
		Agent:    row.TlsName.String,
		Account:  pool.AccountID(row.AccountID.Int64),
		Version:  parseVersion(row.IpVersion.String, addr),
		Addr:     addr,
		Status:   row.Status,
		Config:   config,
		LastSeen: row.LastSeen.Time,
	}, err
}

func assignedOf(row sqlcgen.AssignedOfAgentRow) pool.Assigned {
	return pool.Assigned{
		Server:  row.ServerID,
		Addr:    netip.AddrPortFrom(parseAddr(row.Ip), row.Port),
		Monitor: row.MonitorID,
		Status:  row.Status,
		Cadence: *cadenceOf(row.IntervalMs, row.PhaseMs, row.WindowMs), // only those that have one are asked for
	}
}

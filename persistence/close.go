package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
)

const (
	// closeAfter is how long after its end an hour is closed: by then every commit that began within it, and therefore
	// left no mark, is done (see commitWithin).
	closeAfter = 5 * time.Minute

	// figureHours is how many full hours figures are of.
	figureHours = pool.FiguresHours - 1

	// closingsPerCall bounds what a call does after hubs were away: all that figures are made of, which takes some ten
	// seconds where a day has three million samples.
	closingsPerCall = figureHours

	// serversPerSum keeps the statements, and with them the locks that commits wait for, well below a second.
	serversPerSum = 200
)

// closing adds up what is in the log. Only one hub at a time does, since hours and figures follow from each other.
type closing struct {
	conn    *sql.Conn // which has the turn
	scorers []pool.MonitorID
}

// CloseHours closes hours, the newest first, and adds up again those that got samples afterwards.
func (m *MySQL) CloseHours(ctx context.Context, now time.Time) error {
	if err := m.closeHours(ctx, now); err != nil {
		return fmt.Errorf("close hours: %w", explained(err))
	}
	return nil
}

func (m *MySQL) closeHours(ctx context.Context, now time.Time) error {
	scorers, err := m.scorerIDs(ctx)
	if err != nil {
		return err
	}
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	turn, err := takeTurn(ctx, conn, "hours", 0)
	if err != nil || !turn {
		return err // another hub does it
	}
	defer endTurn(ctx, conn)
	c := &closing{conn: conn, scorers: slices.Sorted(maps.Keys(scorers))}
	oldest := m.options.oldestDay(now)
	open, err := c.openHours(ctx, oldest, now)
	if err != nil {
		return fmt.Errorf("find the open ones: %w", err)
	}
	for _, hour := range open[:min(len(open), closingsPerCall)] {
		if err := c.closeHour(ctx, hour); err != nil {
			return fmt.Errorf("%s: %w", hour.Format(time.DateTime), err)
		}
	}
	return c.catchUp(ctx, oldest)
}

// openHours are the hours that could be closed and aren't yet, the newest first: those of figures, and earlier ones
// from the first day that the log has rows of.
func (c *closing) openHours(ctx context.Context, oldest, now time.Time) ([]time.Time, error) {
	q := sqlcgen.New(c.conn)
	clock, err := q.Clock(ctx)
	if err != nil {
		return nil, err
	}
	if clock.Before(now) {
		now = clock // commits leave marks by the database's clock
	}
	until := now.UTC().Add(-closeAfter).Truncate(time.Hour)
	since, err := firstLogged(ctx, q, oldest, until.Add(-figureHours*time.Hour))
	if err != nil {
		return nil, err
	}
	closed, err := q.ClosedHours(ctx, sqlcgen.ClosedHoursParams{Since: since, Ending: until})
	if err != nil {
		return nil, err
	}
	isClosed := make(map[int64]bool, len(closed))
	for _, hour := range closed {
		isClosed[hour.Unix()] = true
	}
	var open []time.Time
	for hour := until.Add(-time.Hour); !hour.Before(since); hour = hour.Add(-time.Hour) {
		if !isClosed[hour.Unix()] {
			open = append(open, hour)
		}
	}
	return open, nil
}

// firstLogged is the first day from the oldest on that the log has rows of, but no later than a given time.
func firstLogged(ctx context.Context, q *sqlcgen.Queries, oldest, most time.Time) (time.Time, error) {
	for at := oldest; at.Before(most); at = at.AddDate(0, 0, 1) {
		logged, err := q.IsLogged(ctx, sqlcgen.IsLoggedParams{Since: at, Ending: at.AddDate(0, 0, 1)})
		if err != nil || logged {
			return at, err
		}
	}
	if most.Before(oldest) {
		return oldest, nil // the log is kept for less than a day
	}
	return most, nil
}

// closeHour closes an hour and adds it up. It is closed as wholly stale: until a server's part is added up,
// it is read from the log, as that of an open hour is.
func (c *closing) closeHour(ctx context.Context, hour time.Time) error {
	err := changeOn(ctx, c.conn, func(tx *sql.Tx) error {
		q := sqlcgen.New(tx)
		if err := q.CloseHour(ctx, hour); err != nil {
			return err
		}
		return q.MarkServers(ctx, hour)
	})
	if err != nil {
		return err
	}
	return c.addUp(ctx, hour)
}

// catchUp adds up the closed hours that are stale, and forgets those whose days the log may have dropped: what was added
// up of them before is the history.
func (c *closing) catchUp(ctx context.Context, oldest time.Time) error {
	q := sqlcgen.New(c.conn)
	old, err := q.StaleHoursBefore(ctx, oldest)
	if err != nil {
		return fmt.Errorf("find stale ones that are too old: %w", err)
	}
	for _, hour := range old {
		forget := func(context.Context, *sqlcgen.Queries, []pool.ServerID) error { return nil }
		if err := c.takeMarks(ctx, hour, forget); err != nil {
			return fmt.Errorf("forget %s: %w", hour.Format(time.DateTime), err)
		}
	}
	if err := q.DropClosedBefore(ctx, oldest); err != nil {
		return fmt.Errorf("forget old hours: %w", err)
	}
	stale, err := q.StaleHours(ctx)
	if err != nil {
		return fmt.Errorf("find stale ones: %w", err)
	}
	for _, hour := range stale {
		if err := c.addUp(ctx, hour); err != nil {
			return fmt.Errorf("%s: %w", hour.Format(time.DateTime), err)
		}
	}
	return nil
}

// addUp adds up a closed hour for the servers it is stale for.
func (c *closing) addUp(ctx context.Context, hour time.Time) error {
	return c.takeMarks(ctx, hour, func(ctx context.Context, q *sqlcgen.Queries, servers []pool.ServerID) error {
		err := q.SumHour(ctx, sqlcgen.SumHourParams{
			Servers: servers, Since: hour, Ending: hour.Add(time.Hour), Scorers: c.scorers,
		})
		if err != nil {
			return fmt.Errorf("add up %d servers: %w", len(servers), err)
		}
		if err := sumFigures(ctx, q, hour, servers); err != nil {
			return fmt.Errorf("figures of %d servers: %w", len(servers), err)
		}
		return nil
	})
}

// takeMarks takes the marks of an hour away, those of some servers at a time, and does in the same transaction what they
// ask for. A commit that left such a mark, and isn't done, holds it locked: it is passed over here. One that comes to
// leave such a mark waits until this transaction is done, and then leaves it anew. So whatever this transaction doesn't
// see has a mark when it is over.
func (c *closing) takeMarks(ctx context.Context, hour time.Time, do func(context.Context, *sqlcgen.Queries, []pool.ServerID) error) error {
	for {
		var servers []pool.ServerID
		err := changeOn(ctx, c.conn, func(tx *sql.Tx) (err error) {
			q := sqlcgen.New(tx)
			servers, err = q.LockStale(ctx, sqlcgen.LockStaleParams{Hour: hour, Limit: serversPerSum})
			if err != nil || len(servers) == 0 {
				return err
			}
			if err := q.DropStale(ctx, sqlcgen.DropStaleParams{Hour: hour, Servers: servers}); err != nil {
				return fmt.Errorf("take the marks of %d servers away: %w", len(servers), err)
			}
			return do(ctx, q, servers)
		})
		if err != nil || len(servers) < serversPerSum {
			return err
		}
	}
}

// sumFigures adds up the newest closed hours of some servers, of which one was added up just now: of those servers that
// none of these hours is stale for any more. The others' turn comes with their last mark, and before all these hours are
// closed nobody looks.
func sumFigures(ctx context.Context, q *sqlcgen.Queries, hour time.Time, servers []pool.ServerID) error {
	newest, err := q.NewestClosedHours(ctx, figureHours)
	if err != nil {
		return err
	}
	of, whole := wholeSpan(newest)
	if !whole || hour.Before(of.from) {
		return nil
	}
	stale, err := q.StaleAmong(ctx, sqlcgen.StaleAmongParams{Since: of.from, Ending: of.to, Servers: servers})
	if err != nil {
		return err
	}
	fresh := slices.DeleteFunc(slices.Clone(servers), func(id pool.ServerID) bool { return slices.Contains(stale, id) })
	if len(fresh) == 0 {
		return nil
	}
	if err := q.DropFigures(ctx, fresh); err != nil {
		return err
	}
	return q.SumFigures(ctx, sqlcgen.SumFiguresParams{Servers: fresh, Since: of.from, Ending: of.to})
}

// span is a time from its beginning to before its end.
type span struct{ from, to time.Time }

// wholeSpan is what closed hours, the newest first, span, and whether they are all that figures are of without a gap.
func wholeSpan(newest []time.Time) (span, bool) {
	if len(newest) < figureHours {
		return span{}, false
	}
	first, last := newest[figureHours-1], newest[0]
	return span{first, last.Add(time.Hour)}, last.Sub(first) == (figureHours-1)*time.Hour
}

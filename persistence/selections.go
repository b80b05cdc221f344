package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"truechimer/pool"
)

const (
	// selectionReaders read at once: while the server prepares rows for one, the other's are taken in. More would take
	// processors from hubs.
	selectionReaders = 2

	// serversPerPass is how many servers are kept in memory at most of one pass over the log, where no hour is added up.
	serversPerPass = 2000
)

// selections reads what rounds look at.
type selections struct {
	layout  layout
	log     logReader
	window  span
	servers []pool.ServerID // by id
	atOnce  int             // how many of them are read in one snapshot
}

// chosen is what is read in one snapshot.
type chosen struct {
	images  []pool.ServerImage // by server
	tallies [][]pool.Tally     // in the order of their images and pairs
	err     error
}

// Selections reads some servers at a time on two connections, and hands them over in their order.
func (m *MySQL) Selections(ctx context.Context, now time.Time, ids []pool.ServerID, each EachSelection) error {
	s := &selections{window: figuresWindow(now)}
	if err := m.view(ctx, func(tx *sql.Tx) error { return s.plan(ctx, tx, ids, now) }); err != nil {
		return fmt.Errorf("read what selection looks at: %w", err)
	}
	var readers sync.WaitGroup
	defer readers.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	turns := slices.Collect(slices.Chunk(s.servers, s.atOnce))
	read := make([]chan chosen, selectionReaders)
	for r := range read {
		read[r] = make(chan chosen)
		readers.Go(func() {
			for turn := r; turn < len(turns); turn += selectionReaders {
				some := m.choose(ctx, s, turns[turn])
				select {
				case read[r] <- some:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	for turn := range turns {
		select {
		case some := <-read[turn%selectionReaders]:
			if err := some.handOver(each); err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("read what selection looks at: %w", context.Cause(ctx))
		}
	}
	return nil
}

// Watched lists the servers that rounds can be for.
func (m *MySQL) Watched(ctx context.Context, now time.Time) ([]pool.Server, error) {
	var servers []pool.Server
	err := m.view(ctx, func(tx *sql.Tx) error {
		s := &selections{window: figuresWindow(now)}
		if err := s.plan(ctx, tx, nil, now); err != nil {
			return err
		}
		for chunk := range slices.Chunk(s.servers, serversPerRead) {
			images, err := s.readServers(ctx, tx, chunk)
			if err != nil {
				return err
			}
			for _, image := range images {
				servers = append(servers, image.Server)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the servers that are watched: %w", err)
	}
	return servers, nil
}

// handOver gives away what was read.
func (c chosen) handOver(each EachSelection) error {
	if c.err != nil {
		return fmt.Errorf("read what selection looks at: %w", c.err)
	}
	for i, image := range c.images {
		if err := each(image, c.tallies[i]); err != nil {
			return err
		}
	}
	return nil
}

// plan finds out what there is, which servers are meant, and how many of them are best read at once.
func (s *selections) plan(ctx context.Context, tx *sql.Tx, ids []pool.ServerID, now time.Time) (err error) {
	if s.layout, err = readLayout(ctx, tx); err != nil {
		return err
	}
	s.log = logReader{scorers: []pool.MonitorID{0}, indexed: s.layout.indexed}
	err = eachID(ctx, tx, "SELECT id FROM monitors WHERE type = 'score' ORDER BY id", func(id uint32) {
		s.log.scorers = append(s.log.scorers, pool.MonitorID(id))
	})
	if err != nil {
		return fmt.Errorf("scorers: %w", err)
	}
	s.servers = sortedSet(ids)
	if ids == nil {
		today := "DATE'" + dayOf(now).Format(time.DateOnly) + "'"
		err = eachID(ctx, tx, "SELECT id FROM servers WHERE deletion_on IS NULL OR deletion_on > "+today+" ORDER BY id",
			func(id uint32) { s.servers = append(s.servers, pool.ServerID(id)) })
		if err != nil {
			return fmt.Errorf("servers: %w", err)
		}
	}
	l, err := s.ledger(ctx, tx)
	s.atOnce = serversPerRead
	if half := (len(s.servers) + 1) / selectionReaders; (part{s.servers, l.open(s.window)}).isWide() {
		s.atOnce = min(half, serversPerPass) // each takes a pass over the log
	}
	return err
}

// eachID runs a query for ids.
func eachID(ctx context.Context, tx *sql.Tx, query string, add func(uint32)) error {
	return eachRow(ctx, tx, query, func(scan scanner) error {
		var id uint32
		err := scan(&id)
		add(id)
		return err
	})
}

// ledger says which hours are added up: of the window, and of the days before that figures may be of.
func (s *selections) ledger(ctx context.Context, tx *sql.Tx) (ledger, error) {
	window := span{s.window.from.Add(-figureHours * time.Hour), s.window.to}
	if !s.layout.sums() {
		return ledger{window: window}, nil
	}
	return readLedger(ctx, tx, window)
}

// choose reads some servers in one snapshot.
func (m *MySQL) choose(ctx context.Context, s *selections, servers []pool.ServerID) (some chosen) {
	some.err = m.view(ctx, func(tx *sql.Tx) (err error) {
		images, err := s.readImages(ctx, tx, servers)
		if err != nil {
			return err
		}
		tallies, err := s.readTallies(ctx, tx, images)
		for _, image := range images {
			some.images = append(some.images, *image)
			some.tallies = append(some.tallies, tallies[image.Server.ID])
		}
		return err
	})
	return some
}

// readTallies reads the figures of the images' pairs.
func (s *selections) readTallies(ctx context.Context, tx *sql.Tx, images []*pool.ServerImage) (map[pool.ServerID][]pool.Tally, error) {
	l, err := s.ledger(ctx, tx)
	if err != nil {
		return nil, err
	}
	of, servers := indexed(images)
	tallies := make(map[pool.ServerID][]pool.Tally, len(images))
	for _, image := range images {
		tallies[image.Server.ID] = make([]pool.Tally, len(image.Pairs))
	}
	change := func(by func(a, b pool.Tally) pool.Tally) func(tallied) {
		return func(t tallied) {
			if image := of[t.server]; image != nil {
				if i, there := findPair(image.Pairs, t.monitor); there {
					tally := &tallies[t.server][i]
					*tally = by(*tally, t.Tally)
				}
			}
		}
	}
	add, subtract := change(pool.Tally.Plus), change(pool.Tally.Minus)
	rest, err := l.readSums(ctx, tx, s.window, servers, add, subtract)
	if err != nil {
		return nil, fmt.Errorf("sums: %w", err)
	}
	inWindow := l.cut(s.window)
	if err := inWindow.readHours(ctx, tx, rest, add); err != nil {
		return nil, fmt.Errorf("hours that are added up: %w", err)
	}
	if err := s.log.read(ctx, tx, inWindow.logged(servers), "0", add); err != nil {
		return nil, fmt.Errorf("hours from the log: %w", err)
	}
	return tallies, nil
}

// readSums reads the sums of the newest closed hours, and takes away those hours that lie before a window.
// The rest are the servers that have no such sums.
func (l ledger) readSums(ctx context.Context, tx *sql.Tx, window span, servers []pool.ServerID, add, subtract func(tallied)) (rest []pool.ServerID, err error) {
	newest := slices.Clone(l.closed)
	slices.Reverse(newest)
	of, whole := wholeSpan(newest)
	// One that is of the running hour too was made by somebody whose clock is ahead of ours.
	if !whole || !of.to.After(window.from) || !of.to.Before(window.to) {
		return servers, nil
	}
	isStale := func(id pool.ServerID) bool {
		return slices.ContainsFunc(l.stale[id], func(hour time.Time) bool { return !hour.Before(of.from) })
	}
	rest, summed := partition(servers, isStale)
	for chunk := range slices.Chunk(summed, serversPerRead) {
		err := eachTally(ctx, tx, "SELECT server_id, monitor_id, 0, "+tallyColumns+
			" FROM server_monitor_figures WHERE"+among("server_id", chunk), add)
		if err != nil {
			return nil, err
		}
	}
	return rest, l.cut(span{of.from, window.from}).readHours(ctx, tx, summed, subtract)
}

// cut is the part of a ledger that is of a shorter window.
func (l ledger) cut(window span) ledger {
	inside := func(hour time.Time) bool { return !hour.Before(window.from) && hour.Before(window.to) }
	part := ledger{window: window, stale: make(map[pool.ServerID][]time.Time)}
	part.closed, _ = partition(l.closed, inside)
	for id, hours := range l.stale {
		if part.stale[id], _ = partition(hours, inside); len(part.stale[id]) == 0 {
			delete(part.stale, id)
		}
	}
	return part
}

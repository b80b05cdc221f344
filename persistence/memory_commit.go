package persistence

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"truechimer/pool"
)

// Commit keeps commits one after the other.
func (m *Memory) Commit(_ context.Context, commits []pool.ServerCommit) ([]pool.CommitOutcome, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	outcomes := make([]pool.CommitOutcome, len(commits))
	refused := make(map[pool.ServerID]bool)
	for i, c := range commits {
		if refused[c.Server] {
			outcomes[i].Err = errStandsOnRefused
			continue
		}
		outcomes[i] = m.commit(c)
		refused[c.Server] = outcomes[i].Err != nil
	}
	return outcomes, nil
}

// commit keeps one commit, whole or not at all.
func (m *Memory) commit(c pool.ServerCommit) pool.CommitOutcome {
	if err := checkCommit(c); err != nil {
		return pool.CommitOutcome{Err: err}
	}
	if m.epochs[c.Shard] != c.Epoch {
		return pool.CommitOutcome{Fenced: true}
	}
	server := m.server(c.Server)
	if server == nil {
		return pool.CommitOutcome{Err: fmt.Errorf("server %d: %w", c.Server, ErrNotFound)}
	}
	ids, repeated, err := server.repeated(c)
	if err != nil || repeated {
		return pool.CommitOutcome{IDs: ids, Err: err}
	}
	if err := m.checkMonitors(c); err != nil {
		return pool.CommitOutcome{Err: err}
	}
	ids = m.append(server, c.Rows)
	server.apply(c, ids, m.isScorer)
	return pool.CommitOutcome{IDs: ids}
}

// checkMonitors says which monitor of a commit there isn't.
func (m *Memory) checkMonitors(c pool.ServerCommit) error {
	var all []pool.MonitorID
	for _, score := range c.Scores {
		all = append(all, score.Monitor)
	}
	for _, status := range c.Statuses {
		all = append(all, status.Monitor)
	}
	for _, id := range all {
		if !m.has(id) {
			return fmt.Errorf("server %d, monitor %d: %w", c.Server, id, ErrNotFound)
		}
	}
	return nil
}

// has tells whether there is a monitor or scorer of an id.
func (m *Memory) has(id pool.MonitorID) bool { return id > 0 && int(id) <= len(m.monitors) }

func (m *Memory) isScorer(id pool.MonitorID) bool { return m.monitors[id-1].scorer != "" }

// repeated tells whether a commit is there already, and its ids.
func (s *keptServer) repeated(c pool.ServerCommit) ([]pool.LogID, bool, error) {
	ids := make([]pool.LogID, len(c.Rows))
	found, missing := 0, 0
	for i, row := range c.Rows {
		if row.Late {
			continue
		}
		if ids[i] = s.ids[keyOf(c.Server, row)]; ids[i] == 0 {
			missing++
		} else {
			found++
		}
	}
	if found > 0 && missing > 0 {
		return nil, false, errPartlyThere(c.Server, found, missing)
	}
	return ids, found > 0, nil
}

// append adds rows to the log, the samples first and then what the scorers made of them.
func (m *Memory) append(server *keptServer, rows []pool.LogRow) []pool.LogID {
	ids := make([]pool.LogID, len(rows))
	for _, ofScorers := range []bool{false, true} {
		for i, row := range rows {
			if ofScorers != (row.Sample == nil) {
				continue
			}
			key := keyOf(server.image.Server.ID, row)
			if row.Late && server.ids[key] != 0 {
				continue
			}
			m.newest++
			ids[i] = m.newest
			server.ids[key] = m.newest
			server.log = append(server.log, LogEntry{ID: m.newest, LogRow: storedRow(row, resolve(row.Counted, ids))})
		}
	}
	return ids
}

// storedRow is a row as it comes back from a log.
func storedRow(row pool.LogRow, counted []pool.LogID) pool.LogRow {
	row.At = stamp(row.At)
	row.Rule = storedText(row.Rule)
	row.Counted = nil
	for _, id := range counted {
		row.Counted = append(row.Counted, pool.Ref{ID: id})
	}
	if s := row.Sample; s != nil {
		row.Sample = &pool.Sample{
			At: row.At, Offset: copyOf(s.Offset), RTT: storedRTT(s.RTT), Stratum: s.Stratum, Leap: s.Leap, NoReply: s.NoReply,
			Kiss: pool.Kiss(storedText(string(s.Kiss))), Error: storedText(s.Error), Warning: storedText(s.Warning),
		}
	}
	return row
}

// storedText is a text as JSON keeps it: what isn't UTF-8 becomes the replacement character.
func storedText(text string) string { return string([]rune(clipped(text))) }

// storedRTT is an RTT as stored: in whole microseconds.
func storedRTT(rtt *time.Duration) *time.Duration {
	if rtt == nil {
		return nil
	}
	micros := rtt.Truncate(time.Microsecond)
	return &micros
}

// apply writes what follows from a commit's rows.
func (s *keptServer) apply(c pool.ServerCommit, ids []pool.LogID, isScorer func(pool.MonitorID) bool) {
	for _, score := range c.Scores {
		pair := s.pair(score.Monitor, isScorer(score.Monitor))
		pair.Score, pair.ScoreAt = score.Score, stamp(score.At)
		pair.Stratum = cmp.Or(score.Stratum, pair.Stratum)
		if score.Row >= 0 {
			kept := keptOf(ids[score.Row], c.Rows[score.Row])
			kept.At, kept.RTT = stamp(kept.At), storedRTT(kept.RTT)
			pair.Kept = kept
		}
	}
	for _, status := range c.Statuses {
		pair := s.pair(status.Monitor, isScorer(status.Monitor))
		pair.Cadence = copyOf(status.Cadence)
		if pair.Cadence != nil {
			pair.Cadence.Seed = 0
		}
		setStatus(pair, status)
	}
	if o := c.Overall; o != nil {
		server := &s.image.Server
		server.Stratum = cmp.Or(o.Stratum, server.Stratum)
		if at := stamp(o.At); o.Known && !at.Before(server.ScoreAt) {
			server.Score, server.ScoreAt = o.Score, at
		}
	}
	if r := c.Review; r != nil {
		s.image.Review = storedReview(*r)
	}
}

// setStatus writes what a status says but for the cadence.
func setStatus(pair *pool.Pair, status pool.PairStatus) {
	pair.Status = status.Status
	pair.Violation, pair.ViolationSince = status.Violation, stamp(status.ViolationSince)
	pair.LastCheck, pair.PauseReason = stamp(status.LastCheck), status.PauseReason
}

func storedReview(r pool.Review) pool.Review {
	return pool.Review{Last: stamp(r.Last), Next: stamp(r.Next), Change: stamp(r.Change)}
}

// pair finds a pair, or makes it: a monitor starts as a candidate, and a scorer serves every server, always.
func (s *keptServer) pair(monitor pool.MonitorID, isScorer bool) *pool.Pair {
	pairs := s.image.Pairs
	i, known := findPair(pairs, monitor)
	if !known {
		status := pool.Candidate
		if isScorer {
			status = pool.Active
		}
		fresh := pool.Pair{Monitor: monitor, Server: s.image.Server.ID, Status: status}
		s.image.Pairs = slices.Insert(pairs, i, fresh)
	}
	return &s.image.Pairs[i]
}

// History is the newest rows of a server.
func (m *Memory) History(_ context.Context, id pool.ServerID, limit int) ([]LogEntry, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	server := m.server(id)
	if server == nil {
		return nil, nil
	}
	entries := slices.Clone(server.log)
	slices.SortFunc(entries, func(a, b LogEntry) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
	entries = entries[:max(0, min(limit, len(entries)))]
	slices.SortFunc(entries, func(a, b LogEntry) int { return cmp.Compare(a.ID, b.ID) })
	return entries, nil
}

// Housekeep drops whole days that are older than the retention.
func (m *Memory) Housekeep(_ context.Context, now time.Time) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	oldest := m.options.oldestDay(now)
	for _, server := range m.servers {
		server.log = slices.DeleteFunc(server.log, func(e LogEntry) bool {
			if !e.At.Before(oldest) {
				return false
			}
			delete(server.ids, keyOf(server.image.Server.ID, e.LogRow))
			return true
		})
	}
	return nil
}

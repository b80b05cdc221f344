package persistence

import (
	"context"
	"fmt"
	"time"

	"truechimer/pool"
)

// Selections hands over what rounds of selection look at.
func (m *Memory) Selections(_ context.Context, now time.Time, ids []pool.ServerID, each EachSelection) error {
	for _, image := range m.chosen(now, ids) {
		pairs := image.Pairs
		image.Pairs = nil
		var tallies []pool.Tally
		for _, pair := range pairs {
			var tally pool.Tally
			for _, hour := range pair.Hours {
				tally = tally.Plus(hour.Tally)
			}
			image.Pairs = append(image.Pairs, bare(pair))
			tallies = append(tallies, tally)
		}
		if err := each(image, tallies); err != nil {
			return err
		}
	}
	return nil
}

// Watched lists the servers that rounds can be for.
func (m *Memory) Watched(_ context.Context, now time.Time) ([]pool.Server, error) {
	var servers []pool.Server
	for _, image := range m.chosen(now, nil) {
		servers = append(servers, image.Server)
	}
	return servers, nil
}

// chosen are the images of the servers that are meant, without their scorers' pairs.
func (m *Memory) chosen(now time.Time, ids []pool.ServerID) []pool.ServerImage {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if ids == nil {
		for _, kept := range m.servers {
			server := kept.image.Server
			if server.Deletion.IsZero() || server.Deletion.After(dayOf(now)) {
				ids = append(ids, server.ID)
			}
		}
	}
	var images []pool.ServerImage
	for _, id := range sortedSet(ids) {
		server := m.server(id)
		if server == nil {
			continue
		}
		image := m.imageOf(server, now)
		_, image.Pairs = partition(image.Pairs, func(pair pool.Pair) bool { return m.isScorer(pair.Monitor) })
		images = append(images, image)
	}
	return images
}

// bare is what selection looks at of a pair.
func bare(pair pool.Pair) pool.Pair {
	return pool.Pair{
		Monitor:        pair.Monitor,
		Server:         pair.Server,
		Status:         pair.Status,
		Violation:      pair.Violation,
		ViolationSince: pair.ViolationSince,
		LastCheck:      pair.LastCheck,
		PauseReason:    pair.PauseReason,
	}
}

// ApplyRound keeps what a round decided.
func (m *Memory) ApplyRound(_ context.Context, _ string, server pool.ServerID, statuses []pool.PairStatus, review pool.Review) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	statuses, err := checkRound(statuses)
	if err == nil {
		err = m.applyRound(server, statuses, review)
	}
	if err != nil {
		return fmt.Errorf("apply a round of server %d: %w", server, err)
	}
	m.record(roundApplied(server, statuses))
	return nil
}

func (m *Memory) applyRound(id pool.ServerID, statuses []pool.PairStatus, review pool.Review) error {
	server := m.server(id)
	if server == nil {
		return ErrNotFound
	}
	for _, status := range statuses {
		if !m.has(status.Monitor) {
			return fmt.Errorf("one of its monitors: %w", ErrNotFound)
		}
	}
	for _, status := range statuses {
		setStatus(server.pair(status.Monitor, m.isScorer(status.Monitor)), status)
	}
	server.image.Review = storedReview(review)
	return nil
}

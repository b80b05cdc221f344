package scoring

import "truechimer/pool"

// SnapshotOf is what a book starts from when its server was loaded from the store. The server's own score is that of
// recentmedian. A scorer that has no pair with the server yet hasn't begun.
func SnapshotOf(image pool.ServerImage, scorers []pool.Scorer) Snapshot {
	s := Snapshot{
		Stratum:      image.Server.Stratum,
		RecentMedian: Scorer{Score: image.Server.Score, At: image.Server.ScoreAt},
	}
	names := make(map[pool.MonitorID]pool.ScorerName, len(scorers))
	for _, scorer := range scorers {
		names[scorer.ID] = scorer.Name
		switch scorer.Name {
		case pool.RecentMedian:
			s.RecentMedian.ID = scorer.ID
		case pool.Every:
			s.Every.ID = scorer.ID
		}
	}
	for _, p := range image.Pairs {
		switch names[p.Monitor] {
		case pool.RecentMedian:
			s.RecentMedian.Kept = p.Kept
		case pool.Every:
			s.Every.Score, s.Every.At, s.Every.Kept = p.Score, p.ScoreAt, p.Kept
		default:
			s.Pairs = append(s.Pairs, Pair{Monitor: p.Monitor, Status: p.Status, Stratum: p.Stratum, Last: last(p)})
		}
	}
	return s
}

// last is the newest sample of a monitor's pair. Where its row has left the log by age, the pair still knows its
// score and when it was; such a score is folded on, but has no vote until the next sample.
func last(p pool.Pair) pool.Kept {
	if p.Kept.ID != 0 {
		return p.Kept
	}
	return pool.Kept{At: p.ScoreAt, Score: p.Score}
}

// LogRow is the entry as it is stored.
func (e Entry) LogRow() pool.LogRow {
	row := pool.LogRow{
		Monitor: e.Monitor,
		At:      e.At,
		Score:   e.Score,
		Step:    e.Step.Value,
		Sample:  e.Sample,
		Late:    e.Late,
		Counted: e.Counted,
	}
	if e.Scorer == "" {
		row.Rule = e.Step.Rule.String()
	}
	return row
}

package simulation

import (
	"context"
	"fmt"
	"math"

	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/scoring"
)

// history is more rows than a server gets in any simulation that is audited.
const history = 1 << 20

// Audit holds what is stored to what it must be: each score the fold of the stored samples in the order of their ids,
// late ones left out; each sample there once; each overall score made of samples that were there before it.
func (p *Pool) Audit(ctx context.Context) error {
	roster, err := p.Store.LoadRoster(ctx)
	if err != nil {
		return err
	}
	servers, err := p.Store.Servers(ctx)
	if err != nil {
		return err
	}
	for _, s := range servers {
		log, err := p.Store.History(ctx, s.ID, history)
		if err != nil {
			return err
		}
		image, _, err := p.Store.LoadServer(ctx, s.ID, p.Now())
		if err != nil {
			return err
		}
		if err := newAuditor(roster.Scorers, log).audit(image); err != nil {
			return fmt.Errorf("audit of %s: %w", s.Hostname, err)
		}
	}
	return nil
}

// auditor reads the log of one server.
type auditor struct {
	log     []persistence.LogEntry
	scorers map[pool.MonitorID]pool.ScorerName
	scores  map[pool.MonitorID]float64
	rows    map[pool.LogID]persistence.LogEntry
	samples map[sampleKey]bool
}

type sampleKey struct {
	monitor pool.MonitorID
	us      int64
}

func newAuditor(scorers []pool.Scorer, log []persistence.LogEntry) *auditor {
	a := &auditor{
		log:     log,
		scorers: make(map[pool.MonitorID]pool.ScorerName),
		scores:  make(map[pool.MonitorID]float64),
		rows:    make(map[pool.LogID]persistence.LogEntry),
		samples: make(map[sampleKey]bool),
	}
	for _, s := range scorers {
		a.scorers[s.ID] = s.Name
	}
	return a
}

// audit goes through the log, and looks then whether the pairs say the same.
func (a *auditor) audit(image pool.ServerImage) error {
	for _, row := range a.log {
		check := a.sample
		if _, is := a.scorers[row.Monitor]; is {
			check = a.overall
		}
		if err := check(row); err != nil {
			return fmt.Errorf("row %d: %w", row.ID, err)
		}
		a.rows[row.ID] = row
	}
	for _, p := range image.Pairs {
		if _, is := a.scorers[p.Monitor]; is {
			continue
		}
		if have := p.Score; have != a.scores[p.Monitor] {
			return fmt.Errorf("monitor %d: its score is %v, the fold of its samples %v", p.Monitor, have, a.scores[p.Monitor])
		}
	}
	return nil
}

// sample folds a sample onto its monitor's score.
func (a *auditor) sample(row persistence.LogEntry) error {
	key := sampleKey{row.Monitor, row.At.UnixMicro()}
	if a.samples[key] {
		return fmt.Errorf("the sample of monitor %d at %s is there twice", row.Monitor, row.At)
	}
	a.samples[key] = true
	if row.Late {
		return nil
	}
	step := scoring.StepOf(*row.Sample)
	want := scoring.Next(a.scores[row.Monitor], step)
	if row.Step != step.Value || row.Score != want {
		return fmt.Errorf("step %v and score %v, want %v and %v", row.Step, row.Score, step.Value, want)
	}
	if row.Score > scoring.Ceiling || math.IsNaN(row.Score) {
		return fmt.Errorf("score %v is above %v", row.Score, float64(scoring.Ceiling))
	}
	a.scores[row.Monitor] = want
	return nil
}

// overall looks whether an overall score is that of one of the rows it names.
func (a *auditor) overall(row persistence.LogEntry) error {
	if a.scorers[row.Monitor] != pool.RecentMedian {
		return nil
	}
	if len(row.Counted) == 0 {
		return fmt.Errorf("an overall score that counts nothing")
	}
	for _, ref := range row.Counted {
		counted, there := a.rows[ref.ID]
		if !there && ref.ID > row.ID {
			return fmt.Errorf("an overall score counts row %d, which comes after it", ref.ID)
		}
		if there && counted.Score == row.Score {
			return nil
		}
	}
	return fmt.Errorf("the overall score %v is none of those it counts", row.Score)
}

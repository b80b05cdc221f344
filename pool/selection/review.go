package selection

import (
	"cmp"
	"slices"

	"truechimer/pool"
)

// Review is what a server's monitors get when it is their turn: who is new comes in as a candidate, and then there is
// a round in which newcomers count as such, so that a new server's beginning is made at once. A newcomer that the
// round changes comes from nothing, in Changes; the others are Newcomers, which don't count as a change for Next.
func Review(view View) Round {
	newcomers := Welcome(view)
	if len(newcomers) == 0 {
		return Plan(view)
	}
	view.Monitors = slices.Clone(view.Monitors)
	for i := range view.Monitors {
		if _, is := find(newcomers, view.Monitors[i].ID); is && view.Monitors[i].Status == "" {
			view.Monitors[i].Status = pool.Candidate
		}
	}
	round := Plan(view)
	for _, newcomer := range newcomers {
		if i, changed := find(round.Changes, newcomer.Monitor); changed {
			round.Changes[i].From = newcomer.From
			continue
		}
		round.Newcomers = append(round.Newcomers, newcomer)
		at, stored := slices.BinarySearchFunc(round.Statuses, newcomer.Monitor, func(s pool.PairStatus, id pool.MonitorID) int {
			return cmp.Compare(s.Monitor, id)
		})
		if !stored { // else something was on record of it besides
			round.Statuses = slices.Insert(round.Statuses, at, pool.PairStatus{Monitor: newcomer.Monitor, Status: newcomer.To})
		}
	}
	return round
}

// find finds a monitor's change.
func find(changes []Change, id pool.MonitorID) (int, bool) {
	return slices.BinarySearchFunc(changes, id, func(c Change, id pool.MonitorID) int { return cmp.Compare(c.Monitor, id) })
}

// MonitorOf is a monitor as a round sees it, made of what is kept: its row, its account's limit, what it is for the
// server (the zero PairStatus: nothing yet), and its samples of the server in pool.FiguresHours.
func MonitorOf(m pool.Monitor, limit int, pair pool.PairStatus, samples pool.Tally) Monitor {
	return Monitor{
		ID:             m.ID,
		Global:         m.Status,
		Status:         pair.Status,
		Account:        m.Account,
		Limit:          limit,
		Addr:           m.Addr,
		LastSeen:       m.LastSeen,
		Figures:        FiguresOf(samples),
		Violation:      Violation(pair.Violation),
		ViolationSince: pair.ViolationSince,
		LastCheck:      pair.LastCheck,
		PauseReason:    pair.PauseReason,
	}
}

package selection

import (
	"cmp"
	"slices"
)

// gather gathers the view's monitors by id, each once.
func gather(view View) []*Monitor {
	monitors := make([]*Monitor, 0, len(view.Monitors))
	for i := range view.Monitors {
		monitors = append(monitors, &view.Monitors[i])
	}
	slices.SortFunc(monitors, func(a, b *Monitor) int {
		if order := cmp.Compare(a.ID, b.ID); order != 0 {
			return order
		}
		return byFields(a, b)
	})
	return slices.CompactFunc(monitors, func(a, b *Monitor) bool { return a.ID == b.ID })
}

// byFields sorts what shouldn't be there: several monitors of one id. What decides is in the fields alone, so that the
// order in which they come doesn't show. One that has a status for the server comes before those that have none.
func byFields(a, b *Monitor) int {
	if (a.Status == "") != (b.Status == "") {
		return cmp.Compare(b.Status, a.Status)
	}
	return cmp.Or(
		cmp.Compare(a.Status, b.Status),
		cmp.Compare(a.Global, b.Global),
		cmp.Compare(a.Account, b.Account),
		cmp.Compare(a.Limit, b.Limit),
		a.Addr.Compare(b.Addr),
		a.LastSeen.Compare(b.LastSeen),
		cmp.Compare(a.Figures.Count, b.Figures.Count),
		cmp.Compare(a.Figures.Timed, b.Figures.Timed),
		cmp.Compare(a.Figures.RTT, b.Figures.RTT),
		cmp.Compare(a.Figures.Step, b.Figures.Step),
		cmp.Compare(a.Violation, b.Violation),
		a.ViolationSince.Compare(b.ViolationSince),
		a.LastCheck.Compare(b.LastCheck),
		cmp.Compare(a.PauseReason, b.PauseReason),
	)
}

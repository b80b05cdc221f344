package selection

import (
	"net/netip"

	"truechimer/pool"
)

// What follows says the constraints once more, slowly and each by itself, for the properties to hold Plan to.

// bystander tells whether a monitor counts in nobody else's limit or diversity.
func bystander(view View, m Monitor) bool {
	known := m.Global == pool.GlobalActive || m.Global == pool.GlobalTesting
	return !known || mustPause(view, m) != ""
}

// mustPause is the violation for which a monitor is paused.
func mustPause(view View, m Monitor) Violation {
	if near(m.Addr, view.Server.Addr, 24, 48) {
		return SameSubnet
	}
	if m.Account != 0 && m.Account == view.Server.Account {
		return SameAccount
	}
	return ""
}

// near tells whether two addresses of one version share so many leading bits.
func near(a, b netip.Addr, bits4, bits6 int) bool {
	a, b = a.Unmap(), b.Unmap()
	if !a.IsValid() || !b.IsValid() || a.Is4() != b.Is4() {
		return false
	}
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	return netip.PrefixFrom(a.WithZone(""), bits).Contains(b.WithZone(""))
}

// violationOf is what a monitor breaks as the view has it.
func violationOf(view View, m Monitor) Violation {
	if v := mustPause(view, m); v != "" {
		return v
	}
	if !placed(m.Status) {
		return ""
	}
	better, neighbours := 0, 0
	for _, other := range view.Monitors {
		if other.ID == m.ID || bystander(view, other) || !placed(other.Status) {
			continue
		}
		first := other.Status == pool.Active && m.Status == pool.Testing || other.Status == m.Status && ranksBefore(other, m)
		if m.Account != 0 && other.Account == m.Account && other.Status == m.Status && first {
			better++
		}
		if near(other.Addr, m.Addr, 20, 44) && first {
			neighbours++
		}
	}
	most := limitOf(m)
	if m.Status == pool.Testing {
		most++
	}
	if better >= most {
		return Limit
	}
	if neighbours > 0 {
		return NetworkDiversity
	}
	return ""
}

func limitOf(m Monitor) int {
	if m.Limit < 1 {
		return DefaultLimit
	}
	return m.Limit
}

// ranksBefore tells whether a monitor is better than another.
func ranksBefore(a, b Monitor) bool {
	var one, two member
	one.start(&a)
	two.start(&b)
	return byMerit(&one, &two) < 0
}

// roomFor tells whether a monitor of a view may have a status besides all others: what a promotion asks, here of
// monitors that stay as they are.
func roomFor(view View, m Monitor, to pool.Status) bool {
	if mustPause(view, m) != "" {
		return false
	}
	active, testing := 0, 0
	for _, other := range view.Monitors {
		if other.ID == m.ID || bystander(view, other) || !placed(other.Status) {
			continue
		}
		if near(other.Addr, m.Addr, 20, 44) {
			return false
		}
		if m.Account == 0 || other.Account != m.Account {
			continue
		}
		if other.Status == pool.Active {
			active++
		} else {
			testing++
		}
	}
	if to == pool.Active && active >= limitOf(m) || to == pool.Testing && testing >= limitOf(m)+1 {
		return false
	}
	return active+testing <= limitOf(m)+1
}

// fitIn tells whether a monitor is healthy and its agent there.
func fitIn(view View, m Monitor) bool {
	return m.Figures.grade() == healthy && (m.LastSeen.IsZero() || view.Now.Sub(m.LastSeen) <= seenWithin)
}

// countOf counts the monitors of a status.
func countOf(view View, status pool.Status) int {
	n := 0
	for _, m := range view.Monitors {
		if m.Status == status {
			n++
		}
	}
	return n
}

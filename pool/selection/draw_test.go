package selection

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"pgregory.net/rapid"

	"truechimer/pool"
)

// anyView draws a server and up to 150 monitors. Accounts, networks, figures and times are drawn from a few, many of
// them on an edge of a rule, so that ties and conflicts happen. What a view is mostly made of is drawn first, so that
// there are small ones and crowded ones, sound ones and sick ones. All comes evenly from one seed: rapid's own draws
// lean towards small numbers, and nearly every monitor would be of the same account.
func anyView(t *rapid.T) View {
	seed := rapid.Uint64().Draw(t, "seed")
	chance := rand.New(rand.NewPCG(seed, 1))
	c := crowd{
		chance: chance,
		statuses: one(chance,
			[]pool.Status{pool.Candidate},
			[]pool.Status{pool.Active, pool.Testing, pool.Candidate, pool.Paused},
			[]pool.Status{pool.Active, pool.Active, pool.Testing, pool.Candidate},
			[]pool.Status{pool.Testing, pool.Candidate, pool.Candidate},
			[]pool.Status{pool.Active, pool.Testing, pool.Candidate, pool.Candidate, pool.Candidate, pool.Candidate,
				pool.Paused, "", "mad"},
		),
		globals: one(chance,
			[]pool.GlobalStatus{pool.GlobalActive},
			[]pool.GlobalStatus{pool.GlobalActive, pool.GlobalTesting},
			[]pool.GlobalStatus{pool.GlobalActive, pool.GlobalActive, pool.GlobalActive, pool.GlobalTesting,
				pool.GlobalPending, pool.GlobalPaused, pool.GlobalDeleted, "mad"},
		),
		steps: one(chance, []float64{1}, []float64{1, 1, 0.9, 0, -0.000000001, -1}, []float64{1, 1, 1, -5}, []float64{-5, -5, 1}),
		counts: one(chance,
			[]int{100},
			[]int{0, 1, 7, 8, 9, 21, 22, 23, 24, 31, 32, 100, 100, 100, 100, 100},
			[]int{0, 0, 0, 100},
		),
		accounts: one(chance, 4, 40, 400, 400),
		networks: one(chance, 8, 100, 4000, 4000, 4000, 4000),
		silent:   one(chance, 0, 0.05, 0.4),
	}
	view := View{
		Now:             noon,
		Server:          Server{Addr: c.addr(), Account: pool.AccountID(chance.IntN(c.accounts))},
		TestingInterval: one[time.Duration](chance, 45, 45, 30, 0, 1, 50, 240) * time.Minute,
	}
	for id := range chance.IntN(one(chance, 4, 12, 30, 60, 151, 151, 151)) {
		view.Monitors = append(view.Monitors, c.monitor(pool.MonitorID(id+1)))
	}
	if chance.IntN(2) == 0 {
		c.live(&view)
	}
	return view
}

// live lets a view go through some rounds, and a tenth of its monitors change then: what a round finds is mostly
// what others have left.
func (c crowd) live(view *View) {
	for range c.chance.IntN(20) {
		*view = apply(*view, Plan(*view))
	}
	for i := range view.Monitors {
		if c.chance.IntN(10) == 0 {
			m := c.monitor(view.Monitors[i].ID)
			view.Monitors[i].Global, view.Monitors[i].Figures, view.Monitors[i].LastSeen = m.Global, m.Figures, m.LastSeen
		}
	}
}

// one draws one of some values.
func one[T any](chance *rand.Rand, values ...T) T {
	return values[chance.IntN(len(values))]
}

// crowd is what the monitors of a view are drawn from.
type crowd struct {
	chance             *rand.Rand
	statuses           []pool.Status
	globals            []pool.GlobalStatus
	steps              []float64
	counts             []int
	accounts, networks int     // how many there are
	silent             float64 // how many agents aren't seen
}

func (c crowd) monitor(id pool.MonitorID) Monitor {
	m := Monitor{
		ID:       id,
		Global:   one(c.chance, c.globals...),
		Status:   one(c.chance, c.statuses...),
		Account:  pool.AccountID(c.chance.IntN(c.accounts)),
		Addr:     c.addr(),
		Figures:  c.figures(),
		LastSeen: one(c.chance, noon, time.Time{}, noon.Add(-seenWithin), noon.Add(time.Hour)),
	}
	m.Limit = int(m.Account) % 4
	if c.chance.Float64() < c.silent {
		m.LastSeen = noon.Add(-seenWithin - 1)
	}
	if m.Status == pool.Paused {
		m.LastCheck = one(c.chance, time.Time{}, noon.Add(-checkAfter), noon.Add(1-checkAfter), noon.Add(-excessCheckAfter))
		m.PauseReason = one(c.chance, "", pausedForConstraint, pausedForExcess)
	}
	m.Violation = one(c.chance, "", "", SameAccount, Limit, NetworkDiversity)
	if m.Violation != "" {
		m.ViolationSince = one(c.chance, time.Time{}, noon.Add(-time.Hour))
	}
	return m
}

func (c crowd) figures() Figures {
	f := Figures{
		Count: one(c.chance, c.counts...),
		RTT:   one(c.chance, 1.0, 20, 24, 25, 26, 30, 100, 104, 105, 106, 200, 210, 1000),
		Step:  one(c.chance, c.steps...),
	}
	f.RTT += float64(c.chance.IntN(41)) / 4
	f.Timed = f.Count
	if c.chance.IntN(20) == 0 {
		f.Timed = 0
	}
	return f
}

// addr draws an address in one of the networks, some near each other, some unknown, some of the other version.
func (c crowd) addr() netip.Addr {
	n := c.chance.IntN(c.networks)
	switch c.chance.IntN(20) {
	case 0:
		return netip.Addr{}
	case 1:
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, byte(n >> 8), byte(n), 15: 1})
	}
	return netip.AddrFrom4([4]byte{198, byte(n >> 8), byte(n), 1})
}

// anyOf draws one of some values.
func anyOf[T any](t *rapid.T, name string, values ...T) T {
	return rapid.SampledFrom(values).Draw(t, name)
}

// strangeView draws a view of which nothing need make sense.
func strangeView(t *rapid.T) View {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1, math.MaxFloat64}
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom(odd))
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return anyOf(t, "moment", time.Time{}, noon, time.Unix(math.MaxInt64, 0), time.Unix(math.MinInt64, 0),
			time.Unix(rapid.Int64().Draw(t, "s"), rapid.Int64().Draw(t, "ns")))
	})
	addr := rapid.Custom(func(t *rapid.T) netip.Addr {
		bytes := rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "bytes")
		if full := len(bytes); full > 4 && full < 16 {
			bytes = bytes[:4]
		}
		a, _ := netip.AddrFromSlice(bytes)
		if a.Is6() {
			a = a.WithZone(anyOf(t, "zone", "", "eth0"))
		}
		return a
	})
	monitor := rapid.Custom(func(t *rapid.T) Monitor {
		return Monitor{
			ID:       pool.MonitorID(rapid.Uint32Range(0, 12).Draw(t, "id")), // so that many are there twice
			Global:   anyOf(t, "global", pool.GlobalActive, pool.GlobalTesting, pool.GlobalPending, "", "mad"),
			Status:   anyOf(t, "status", pool.Active, pool.Testing, pool.Candidate, pool.Paused, "", "mad"),
			Account:  pool.AccountID(rapid.Uint32().Draw(t, "account")),
			Limit:    rapid.Int().Draw(t, "limit"),
			Addr:     addr.Draw(t, "addr"),
			LastSeen: moment.Draw(t, "seen"),
			Figures: Figures{
				Count: rapid.Int().Draw(t, "count"),
				Timed: rapid.Int().Draw(t, "timed"),
				RTT:   number.Draw(t, "rtt"),
				Step:  number.Draw(t, "step"),
			},
			Violation:      Violation(anyOf(t, "violation", "", "limit", "mad")),
			ViolationSince: moment.Draw(t, "since"),
			LastCheck:      moment.Draw(t, "checked"),
			PauseReason:    anyOf(t, "reason", "", "excess", "mad"),
		}
	})
	return View{
		Now:             moment.Draw(t, "now"),
		Server:          Server{Addr: addr.Draw(t, "server"), Account: pool.AccountID(rapid.Uint32().Draw(t, "owner"))},
		TestingInterval: time.Duration(rapid.Int64().Draw(t, "interval")),
		Monitors:        rapid.SliceOfN(monitor, 0, 40).Draw(t, "monitors"),
	}
}

// apply is the view after a round, with the figures frozen.
func apply(view View, round Round) View {
	next := view
	next.Monitors = slices.Clone(view.Monitors)
	for _, status := range round.Statuses {
		for i := range next.Monitors {
			m := &next.Monitors[i]
			if m.ID == status.Monitor {
				m.Status, m.Violation, m.ViolationSince = status.Status, Violation(status.Violation), status.ViolationSince
				m.LastCheck, m.PauseReason = status.LastCheck, status.PauseReason
			}
		}
	}
	return next
}

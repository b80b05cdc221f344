package selection

import (
	"fmt"
	"slices"
	"time"

	"truechimer/pool"
)

// draft is a round in the making: who is there, what they are after the changes so far, and what is spent.
type draft struct {
	now    time.Time
	server Server

	members []member  // by id
	order   []*member // the same, best first

	emergency bool // none was active at the start
	untested  bool // none was testing at the start

	active, testing int         // after the changes so far
	accounts        []headcount // by a member's account, after the changes so far
	networks        []int       // by a member's network: how many were active or testing at the start, or promoted since

	spending
}

// member is a monitor in a draft.
type member struct {
	*Monitor             // as it was at the start
	status   pool.Status // after the changes so far
	limit    int         // the account's, at least 1

	changed bool
	reason  string // of the change
	checked bool   // it was due for a look while paused, and had it
	paused  bool   // it is paused after the round, for the violation that it has

	grade       grade
	priority    float64 // 0 where it has none
	hasPriority bool
	violation   Violation
	leaves      bool // anyway: so it is in nobody's way
	verdict     Verdict
	why         string

	account int // index of its headcount
	network int // index of its network's count
}

// The indices of who has no owner, and of what lies in no network.
const (
	nobodys = 0
	nowhere = 0
)

// headcount is how many monitors of an account are active and testing, those that leave anyway not counted.
type headcount struct{ active, testing int }

func (h *headcount) add(status pool.Status, n int) {
	switch status {
	case pool.Active:
		h.active += n
	case pool.Testing:
		h.testing += n
	}
}

// newDraft looks at everybody before anything changes.
func newDraft(view View) *draft {
	d := &draft{now: view.Now, server: view.Server}
	monitors := slices.DeleteFunc(gather(view), func(m *Monitor) bool { return m.Status == "" })
	d.members = make([]member, len(monitors))
	for i, m := range monitors {
		d.members[i].start(m)
	}
	d.order = make([]*member, 0, len(d.members))
	for i := range d.members {
		m := &d.members[i]
		d.order = append(d.order, m)
		d.tally(m.status, +1)
	}
	slices.SortFunc(d.order, byMerit)
	d.emergency, d.untested = d.active == 0, d.testing == 0
	d.indexAccounts()
	d.indexNetworks()
	d.findViolations()
	for i := range d.members {
		m := &d.members[i]
		m.verdict, m.why = d.judge(m)
	}
	d.spending = d.budgets(view.TestingInterval)
	return d
}

// start makes a member of a monitor.
func (m *member) start(monitor *Monitor) {
	m.Monitor, m.status, m.limit = monitor, monitor.Status, monitor.Limit
	if m.limit < 1 {
		m.limit = DefaultLimit
	}
	if !placed(m.status) && m.status != pool.Candidate {
		m.status = pool.Paused
	}
	if priority, known := monitor.Figures.Priority(); known {
		m.priority, m.hasPriority = priority, true
	}
	m.grade = monitor.Figures.grade()
}

// indexAccounts gives each owner a headcount.
func (d *draft) indexAccounts() {
	index := make(map[pool.AccountID]int, len(d.members))
	d.accounts = make([]headcount, 1, len(d.members)+1)
	for i := range d.members {
		m := &d.members[i]
		if m.Account == 0 {
			continue
		}
		at := index[m.Account]
		if at == nobodys {
			at = len(d.accounts)
			index[m.Account] = at
			d.accounts = append(d.accounts, headcount{})
		}
		m.account = at
	}
}

// indexNetworks gives each network a count.
func (d *draft) indexNetworks() {
	index := make(map[network]int, len(d.members))
	d.networks = make([]int, 1, len(d.members)+1)
	for i := range d.members {
		m := &d.members[i]
		key := networkOf(m.Addr, networkBits4, networkBits6)
		if key == noNetwork {
			continue
		}
		at := index[key]
		if at == nowhere {
			at = len(d.networks)
			index[key] = at
			d.networks = append(d.networks, 0)
		}
		m.network = at
	}
}

// count counts a monitor in or out of its account's headcount.
func (d *draft) count(m *member, n int) {
	if !m.leaves {
		d.accounts[m.account].add(m.status, n)
	}
}

// tally counts one more or less of a status.
func (d *draft) tally(status pool.Status, n int) {
	switch status {
	case pool.Active:
		d.active += n
	case pool.Testing:
		d.testing += n
	}
}

// shift counts a monitor as if it had another status.
func (d *draft) shift(m *member, to pool.Status) {
	d.count(m, -1)
	d.tally(m.status, -1)
	m.status = to
	d.count(m, +1)
	d.tally(m.status, +1)
}

// change plans a monitor's new status, which the rest of the round sees.
func (d *draft) change(m *member, to pool.Status, format string, args ...any) {
	if m.status != to {
		d.shift(m, to)
	}
	m.changed, m.reason = true, fmt.Sprintf(format, args...)
	d.book(m.Status, to)
	if placed(to) && !placed(m.Status) {
		d.networks[m.network]++
	}
}

// merits are what speaks for a monitor, in words.
func (m *member) merits() string {
	switch {
	case m.Figures.Count < 1:
		return "no samples yet"
	case !m.hasPriority:
		return fmt.Sprintf("no RTT, %s", counted(m.Figures.Count, "sample"))
	}
	return fmt.Sprintf("priority %.0f, %s", m.priority, counted(m.Figures.Count, "sample"))
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

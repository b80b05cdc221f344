package hubside

import (
	"cmp"
	"slices"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/selection"
)

// roster reads a messages.Roster where it lies. It is large, and ten thousand actors have the same one:
// none of them copies it.
type roster struct{ *messages.Roster }

// monitor finds a monitor; nil: it isn't in the roster, since it was deleted.
func (r roster) monitor(id pool.MonitorID) *messages.Monitor {
	monitors := r.GetMonitors()
	i, found := slices.BinarySearchFunc(monitors, uint32(id), func(m *messages.Monitor, id uint32) int {
		return cmp.Compare(m.Id, id)
	})
	if !found {
		return nil
	}
	return monitors[i]
}

// global is a monitor's global status; empty for one that was deleted.
func (r roster) global(id pool.MonitorID) pool.GlobalStatus {
	return pool.GlobalStatus(r.monitor(id).GetStatus())
}

// limit is how many monitors of an account may be active for one server.
func (r roster) limit(id pool.AccountID) int {
	accounts := r.GetAccounts()
	i, found := slices.BinarySearchFunc(accounts, uint32(id), func(a *messages.Account, id uint32) int {
		return cmp.Compare(a.Id, id)
	})
	if !found {
		return selection.DefaultLimit
	}
	limit, _ := selection.LimitOf(accounts[i].Flags) // whoever loaded the roster has said what can't be read
	return limit
}

// selectsAs tells whether selection sees the same in another roster but for when agents were seen.
func (r roster) selectsAs(other roster) bool {
	return slices.EqualFunc(r.GetMonitors(), other.GetMonitors(), func(x, y *messages.Monitor) bool {
		return x.Id == y.Id && x.Status == y.Status && x.AccountId == y.AccountId &&
			x.IpVersion == y.IpVersion && slices.Equal(x.Ip, y.Ip)
	}) && slices.EqualFunc(r.GetAccounts(), other.GetAccounts(), func(x, y *messages.Account) bool {
		return x.Id == y.Id && x.Flags == y.Flags
	})
}

// agent is the name of a monitor's agent; empty for one that was deleted.
func (r roster) agent(id pool.MonitorID) string { return r.monitor(id).GetAgent() }

// isScorer tells scorers from monitors.
func (r roster) isScorer(id pool.MonitorID) bool {
	return slices.ContainsFunc(r.GetScorers(), func(s *messages.Scorer) bool { return s.Id == uint32(id) })
}

// scorers are all scorers, of which there are two.
func (r roster) scorers() []pool.Scorer {
	var scorers []pool.Scorer
	for _, s := range r.GetScorers() {
		scorers = append(scorers, messages.ToScorer(s))
	}
	return scorers
}

// settings are those that hold.
func (r roster) settings() pool.Settings { return messages.ToSettings(r.Settings) }

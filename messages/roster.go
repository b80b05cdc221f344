package messages

import (
	"truechimer/pool"
)

// FromRoster makes the message of a roster. Its warnings stay behind: they are for the log of whoever loaded it.
func FromRoster(r pool.Roster) *Roster {
	return &Roster{
		Monitors: each(r.Monitors, FromMonitor),
		Accounts: each(r.Accounts, FromAccount),
		Scorers:  each(r.Scorers, FromScorer),
		Settings: FromSettings(r.Settings),
	}
}

// ToRoster is the roster of a message, without warnings.
func ToRoster(m *Roster) pool.Roster {
	return pool.Roster{
		Monitors: each(m.GetMonitors(), ToMonitor),
		Accounts: each(m.GetAccounts(), ToAccount),
		Scorers:  each(m.GetScorers(), ToScorer),
		Settings: ToSettings(m.GetSettings()),
	}
}

// FromMonitor makes the message of a monitor.
func FromMonitor(n pool.Monitor) *Monitor {
	return &Monitor{
		Id:         uint32(n.ID),
		Agent:      n.Agent,
		AccountId:  uint32(n.Account),
		IpVersion:  uint32(n.Version),
		Ip:         fromAddr(n.Addr),
		Status:     string(n.Status),
		Samples:    uint32(max(0, n.Config.Samples)),
		NatIp:      n.Config.NatIP,
		BaseChecks: n.Config.BaseChecks,
		LastSeenUs: fromTime(n.LastSeen),
	}
}

// ToMonitor is the monitor of a message.
func ToMonitor(m *Monitor) pool.Monitor {
	return pool.Monitor{
		ID:      pool.MonitorID(m.GetId()),
		Agent:   m.GetAgent(),
		Account: pool.AccountID(m.GetAccountId()),
		Version: pool.IPVersion(m.GetIpVersion()),
		Addr:    toAddr(m.GetIp()),
		Status:  pool.GlobalStatus(m.GetStatus()),
		Config: pool.MonitorConfig{
			Samples:    int(m.GetSamples()),
			NatIP:      m.GetNatIp(),
			BaseChecks: m.GetBaseChecks(),
		},
		LastSeen: toTime(m.GetLastSeenUs()),
	}
}

// FromAccount makes the message of an account.
func FromAccount(a pool.Account) *Account {
	return &Account{Id: uint32(a.ID), Name: a.Name, Flags: a.Flags}
}

// ToAccount is the account of a message.
func ToAccount(m *Account) pool.Account {
	return pool.Account{ID: pool.AccountID(m.GetId()), Name: m.GetName(), Flags: m.GetFlags()}
}

// FromScorer makes the message of a scorer.
func FromScorer(s pool.Scorer) *Scorer {
	return &Scorer{Id: uint32(s.ID), Name: string(s.Name)}
}

// ToScorer is the scorer of a message.
func ToScorer(m *Scorer) pool.Scorer {
	return pool.Scorer{ID: pool.MonitorID(m.GetId()), Name: pool.ScorerName(m.GetName())}
}

// FromSettings makes the message of the settings.
func FromSettings(s pool.Settings) *Settings {
	return &Settings{
		IntervalActiveMs:    fromMillis(s.IntervalActive),
		IntervalTestingMs:   fromMillis(s.IntervalTesting),
		IntervalCandidateMs: fromMillis(s.IntervalCandidate),
		SpacingMs:           fromMillis(s.Spacing),
		Lab:                 s.Lab,
	}
}

// ToSettings are the settings of a message.
func ToSettings(m *Settings) pool.Settings {
	return pool.Settings{
		IntervalActive:    toMillis(m.GetIntervalActiveMs()),
		IntervalTesting:   toMillis(m.GetIntervalTestingMs()),
		IntervalCandidate: toMillis(m.GetIntervalCandidateMs()),
		Spacing:           toMillis(m.GetSpacingMs()),
		Lab:               m.GetLab(),
	}
}

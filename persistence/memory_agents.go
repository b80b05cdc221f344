package persistence

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"truechimer/pool"
)

// AddAgent adds an agent and its monitors.
func (m *Memory) AddAgent(_ context.Context, _ string, agent pool.Agent, monitors []pool.Monitor) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	err := checkAgent(agent, monitors)
	if err == nil {
		err = m.allowMonitors(agent.Account, len(monitors))
	}
	if err == nil && m.agents[agent.Name] != nil {
		err = ErrNameTaken
	}
	if err != nil {
		return fmt.Errorf("add agent %q: %w", agent.Name, err)
	}
	m.agents[agent.Name] = &agent
	for _, monitor := range monitors {
		monitor.ID = pool.MonitorID(len(m.monitors) + 1)
		monitor.Agent, monitor.Account, monitor.LastSeen = agent.Name, agent.Account, time.Time{}
		monitor.Addr = parseAddr(addrText(monitor.Addr))
		m.monitors = append(m.monitors, &keptMonitor{MonitorListing: MonitorListing{Monitor: monitor}})
	}
	m.record(agentAdded(agent, monitors))
	return nil
}

// allowMonitors asks the flags of an account whether it may have more monitors.
func (m *Memory) allowMonitors(account pool.AccountID, more int) error {
	if account == 0 {
		return nil
	}
	if int(account) > len(m.accounts) {
		return errNoAccount(account)
	}
	return parseQuotas(m.accounts[account-1].Flags).refusal(m.monitorsOwnedBy(account), more)
}

// Agents lists all agents by name, each with its monitors by IP version.
func (m *Memory) Agents(_ context.Context) ([]AgentListing, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	listings := make([]AgentListing, 0, len(m.agents))
	for _, name := range slices.Sorted(maps.Keys(m.agents)) {
		listings = append(listings, AgentListing{Agent: *m.agents[name], Monitors: m.monitorsOf(name)})
	}
	return listings, nil
}

// SetMonitor changes what the change names and leaves the rest.
func (m *Memory) SetMonitor(_ context.Context, _ string, id pool.MonitorID, change MonitorChange) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	monitor := m.monitor(id)
	if monitor == nil {
		return fmt.Errorf("set monitor %d: %w", id, ErrNotFound)
	}
	err := change.check()
	if err == nil && change.Account != nil && int(*change.Account) > len(m.accounts) {
		err = errNoAccount(*change.Account)
	}
	if err != nil {
		return fmt.Errorf("set monitor %d: %w", id, err)
	}
	monitor.set(change)
	m.record(monitorSet(monitor.Agent, id, change))
	return nil
}

// set makes a change that was checked.
func (m *keptMonitor) set(change MonitorChange) {
	if change.Status != nil {
		m.Status = *change.Status
	}
	if change.Account != nil {
		m.Account = *change.Account
	}
	if change.Addr != nil {
		m.Addr = parseAddr(addrText(*change.Addr))
	}
	if change.Location != nil {
		m.Location = *change.Location
	}
	if change.Config != nil {
		m.Config = *change.Config
		m.Config.BaseChecks = slices.Clone(m.Config.BaseChecks)
	}
}

// Seen notes who was here.
func (m *Memory) Seen(_ context.Context, seen []pool.AgentSeen) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, s := range seen {
		monitor := m.monitor(s.Monitor)
		if monitor == nil {
			continue
		}
		if addr := parseAddr(addrText(s.Addr)); addr.IsValid() && addr != monitor.Addr {
			monitor.Addr = addr
			m.record(monitorMoved(move{monitor: s.Monitor, agent: monitor.Agent, addr: addrText(addr)}))
		}
		if at := stamp(s.Seen); !at.Before(monitor.LastSeen) {
			monitor.LastSeen, monitor.ClientVersion = at, s.Version
		}
		if at := stamp(s.Submitted); at.After(monitor.LastSubmit) {
			monitor.LastSubmit = at
		}
	}
	return nil
}

// monitor finds a monitor; nil: there is none of this id, or it is a scorer.
func (m *Memory) monitor(id pool.MonitorID) *keptMonitor {
	if id == 0 || int(id) > len(m.monitors) || m.monitors[id-1].scorer != "" {
		return nil
	}
	return m.monitors[id-1]
}

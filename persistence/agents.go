package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// AddAgent inserts an agent and its monitors.
func (m *MySQL) AddAgent(ctx context.Context, who string, agent pool.Agent, monitors []pool.Monitor) error {
	if err := checkAgent(agent, monitors); err != nil {
		return fmt.Errorf("add agent %q: %w", agent.Name, err)
	}
	err := m.administer(ctx, who, func(q *sqlcgen.Queries) (entry, error) {
		if err := allowMonitors(ctx, q, agent.Account, len(monitors)); err != nil {
			return entry{}, err
		}
		err := q.AddAgent(ctx, sqlcgen.AddAgentParams{
			Name:              agent.Name,
			AccountID:         number(agent.Account),
			Shard:             placement.OfAgent(agent.Name),
			CertificateSerial: agent.Serial,
			Revoked:           agent.Revoked,
			Session:           agent.Session,
		})
		for _, monitor := range monitors {
			if err == nil {
				err = addMonitor(ctx, q, agent, monitor)
			}
		}
		if isDuplicate(err) {
			return entry{}, ErrNameTaken
		}
		return agentAdded(agent, monitors), err
	})
	if err != nil {
		return fmt.Errorf("add agent %q: %w", agent.Name, err)
	}
	return nil
}

// maxName is what the columns of names hold, in characters.
const maxName = 255

func checkAgent(agent pool.Agent, monitors []pool.Monitor) error {
	if agent.Name == "" {
		return errNoName
	}
	if len(agent.Name) > maxName {
		return fmt.Errorf("its name is longer than %d characters", maxName)
	}
	seen := make(map[pool.IPVersion]bool)
	for _, monitor := range monitors {
		if monitor.Version != pool.IPv4 && monitor.Version != pool.IPv6 || seen[monitor.Version] {
			return errors.New("its monitors must be one of IPv4, one of IPv6, or both")
		}
		seen[monitor.Version] = true
		if err := errors.Join(checkGlobalStatus(monitor.Status), checkConfig(monitor.Config)); err != nil {
			return err
		}
	}
	return nil
}

// check says why a monitor can't be changed so.
func (c MonitorChange) check() error {
	if c.Status != nil {
		if err := checkGlobalStatus(*c.Status); err != nil {
			return err
		}
	}
	if c.Config != nil {
		return checkConfig(*c.Config)
	}
	return nil
}

func checkGlobalStatus(status pool.GlobalStatus) error {
	switch status {
	case pool.GlobalPending, pool.GlobalTesting, pool.GlobalActive, pool.GlobalPaused, pool.GlobalDeleted:
		return nil
	}
	return fmt.Errorf("%q is no status of a monitor", status)
}

// agentAdded is the entry of a new agent.
func agentAdded(agent pool.Agent, monitors []pool.Monitor) entry {
	var what strings.Builder
	what.WriteString("added")
	for _, monitor := range monitors {
		fmt.Fprintf(&what, " %s %s", monitor.Version, monitor.Status)
	}
	return entry{pool.ChangedMonitor, agent.Name, what.String()}
}

// allowMonitors asks the flags of an account whether it may have more monitors.
func allowMonitors(ctx context.Context, q *sqlcgen.Queries, account pool.AccountID, more int) error {
	if account == 0 {
		return nil
	}
	flags, err := q.AccountFlags(ctx, account)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoAccount(account)
	}
	if err != nil {
		return fmt.Errorf("read the account's flags: %w", err)
	}
	has, err := q.CountMonitors(ctx, number(account))
	if err != nil {
		return fmt.Errorf("count the account's monitors: %w", err)
	}
	return parseQuotas(flags).refusal(int(has), more)
}

func addMonitor(ctx context.Context, q *sqlcgen.Queries, agent pool.Agent, monitor pool.Monitor) error {
	return q.AddMonitor(ctx, sqlcgen.AddMonitorParams{
		AccountID: number(agent.Account),
		Hostname:  agent.Name,
		Ip:        known(addrText(monitor.Addr)),
		IpVersion: known(monitor.Version.String()),
		TlsName:   known(agent.Name),
		Status:    monitor.Status,
		Config:    configText(monitor.Config),
	})
}

// Agents lists all agents by name, each with its monitors by IP version.
func (m *MySQL) Agents(ctx context.Context) ([]AgentListing, error) {
	var listings []AgentListing
	err := m.snapshot(ctx, func(q *sqlcgen.Queries) error {
		agents, err := q.Agents(ctx)
		if err != nil {
			return err
		}
		monitors, err := q.MonitorListings(ctx)
		if err != nil {
			return fmt.Errorf("monitors: %w", err)
		}
		of := make(map[string][]MonitorListing, len(agents))
		for _, row := range monitors {
			of[row.TlsName.String] = append(of[row.TlsName.String], monitorListingOf(row))
		}
		listings = make([]AgentListing, len(agents))
		for i, row := range agents {
			listings[i] = AgentListing{Agent: agentOf(sqlcgen.AgentRow(row)), Monitors: of[row.Name]}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return listings, nil
}

func monitorListingOf(row sqlcgen.MonitorListingsRow) MonitorListing {
	monitor, _ := monitorOf(sqlcgen.MonitorsOfAgentRow{
		ID: row.ID, TlsName: row.TlsName, AccountID: row.AccountID, IpVersion: row.IpVersion, Ip: row.Ip,
		Status: row.Status, Config: row.Config, LastSeen: row.LastSeen,
	})
	return MonitorListing{
		Monitor:       monitor,
		Location:      row.Location,
		ClientVersion: row.ClientVersion,
		LastSubmit:    row.LastSubmit.Time,
	}
}

// SetMonitor changes what the change names and leaves the rest.
func (m *MySQL) SetMonitor(ctx context.Context, who string, id pool.MonitorID, change MonitorChange) error {
	if err := change.check(); err != nil {
		return fmt.Errorf("set monitor %d: %w", id, err)
	}
	err := m.administer(ctx, who, func(q *sqlcgen.Queries) (entry, error) {
		row, err := q.MonitorForUpdate(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return entry{}, ErrNotFound
		}
		if err != nil {
			return entry{}, err
		}
		if err := q.SetMonitor(ctx, changed(id, row, change)); err != nil {
			if numberOf(err) == faultNoParent {
				return entry{}, errNoAccount(*change.Account)
			}
			return entry{}, err
		}
		return monitorSet(row.TlsName.String, id, change), nil
	})
	if err != nil {
		return fmt.Errorf("set monitor %d: %w", id, err)
	}
	return nil
}

// changed is the row of a monitor after a change.
func changed(id pool.MonitorID, row sqlcgen.MonitorForUpdateRow, change MonitorChange) sqlcgen.SetMonitorParams {
	set := sqlcgen.SetMonitorParams{
		ID: id, AccountID: row.AccountID, Ip: row.Ip, Status: row.Status, Config: row.Config, Location: row.Location,
	}
	if change.Status != nil {
		set.Status = *change.Status
	}
	if change.Account != nil {
		set.AccountID = number(*change.Account)
	}
	if change.Addr != nil {
		set.Ip = known(addrText(*change.Addr))
	}
	if change.Location != nil {
		set.Location = *change.Location
	}
	if change.Config != nil {
		set.Config = overlaidConfig(row.Config, *change.Config)
	}
	return set
}

// monitorSet is the entry of a changed monitor, in the words of a change.
func monitorSet(agent string, id pool.MonitorID, change MonitorChange) entry {
	words := []string{"monitor " + idText(id)}
	if change.Status != nil {
		words = append(words, "status "+string(*change.Status))
	}
	if change.Account != nil {
		words = append(words, "account "+idText(*change.Account))
	}
	if change.Addr != nil {
		words = append(words, "address "+addrText(*change.Addr))
	}
	if change.Location != nil {
		words = append(words, "location "+*change.Location)
	}
	if change.Config != nil {
		words = append(words, "config "+configText(*change.Config))
	}
	return entry{pool.ChangedMonitor, agent, strings.Join(words, ", ")}
}

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"truechimer/persistence"
	"truechimer/pool"
)

func monitorsListCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer monitors list")
	database, asJSON := newDatabaseFlags(fs), jsonFlag(fs)
	return &ffcli.Command{
		Name:       "list",
		ShortUsage: "truechimer monitors list [flags]",
		ShortHelp:  "list monitors: one for each IP version of an agent",
		FlagSet:    fs,
		Exec: noArguments("truechimer monitors list", func(ctx context.Context) error {
			db, err := database.openToRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			monitors, err := monitorsIn(ctx, db)
			if err != nil {
				return err
			}
			if *asJSON {
				return printMonitorsJSON(con, monitors)
			}
			return printMonitors(con, monitors)
		}),
	}
}

// ownedMonitor is a monitor with the name of its account.
type ownedMonitor struct {
	persistence.MonitorListing
	owner string // empty: nobody
}

// monitorsIn are all monitors, by agent and IP version.
func monitorsIn(ctx context.Context, db persistence.Administration) ([]ownedMonitor, error) {
	agents, err := db.Agents(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := db.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[pool.AccountID]string)
	for _, a := range accounts {
		names[a.ID] = a.Name
	}
	var monitors []ownedMonitor
	for _, a := range agents {
		for _, m := range a.Monitors {
			monitors = append(monitors, ownedMonitor{m, names[m.Account]})
		}
	}
	return monitors, nil
}

func printMonitors(con console, monitors []ownedMonitor) error {
	table := newTable(con.stdout)
	fmt.Fprintln(table, "ID\tAGENT\tVERSION\tADDRESS\tSTATUS\tACCOUNT\tLOCATION\tLAST SEEN (UTC)")
	for _, m := range monitors {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.ID, m.Agent, m.Version, addressText(m.Addr), m.Status,
			orDash(m.owner), orDash(m.Location), timeText(m.LastSeen))
	}
	return table.Flush()
}

// vantageJSON is a monitor as --json prints it.
type vantageJSON struct {
	ID         uint32     `json:"id"`
	Agent      string     `json:"agent"`
	Version    string     `json:"ip_version"`
	IP         *string    `json:"ip"`
	Status     string     `json:"status"`
	Account    string     `json:"account"`
	Location   string     `json:"location"`
	Client     string     `json:"client_version"`
	LastSeen   *time.Time `json:"last_seen"`
	LastSubmit *time.Time `json:"last_submit"`
}

func printMonitorsJSON(con console, monitors []ownedMonitor) error {
	lines := json.NewEncoder(con.stdout)
	for _, m := range monitors {
		err := lines.Encode(vantageJSON{
			ID: uint32(m.ID), Agent: m.Agent, Version: m.Version.String(), IP: addressJSON(m.Addr), Status: string(m.Status),
			Account: m.owner, Location: m.Location, Client: m.ClientVersion,
			LastSeen: timeJSON(m.LastSeen), LastSubmit: timeJSON(m.LastSubmit),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func monitorsSetCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer monitors set")
	set := &monitorsSet{con: con, database: newDatabaseFlags(fs), flags: fs}
	fs.StringVar(&set.status, "status", "", "global `status`: pending, testing, active, paused or deleted")
	fs.StringVar(&set.account, "account", "", "`name` of the account that owns it")
	fs.StringVar(&set.location, "location", "", "`place` of it, for people to read")
	return &ffcli.Command{
		Name:       "set",
		ShortUsage: "truechimer monitors set [flags] MONITOR ...",
		ShortHelp:  "change monitors; what isn't named stays",
		LongHelp: "MONITOR is an id, the name of an agent for all its monitors, or its name and the IP version, as in fra1/v6.\n" +
			"Running hubs follow within a second: a paused monitor stops at once, a pending one gets no new servers.",
		FlagSet: fs,
		Exec:    set.run,
	}
}

// monitorsSet changes monitors.
type monitorsSet struct {
	con                       console
	database                  databaseFlags
	flags                     *flag.FlagSet
	status, account, location string
}

// run changes all monitors that were named or, when one of them isn't there, none.
func (c *monitorsSet) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usagef("truechimer monitors set takes at least one MONITOR")
	}
	change, err := c.change()
	if err != nil {
		return err
	}
	db, err := c.database.openToChange(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.account != "" {
		account, err := accountNamed(ctx, db, c.account)
		if err != nil {
			return err
		}
		change.Account = &account.ID
	}
	monitors, err := monitorsIn(ctx, db)
	if err != nil {
		return err
	}
	chosen, err := chooseMonitors(monitors, args)
	if err != nil {
		return err
	}
	for _, m := range chosen {
		if err := db.SetMonitor(ctx, who(), m.ID, change); err != nil {
			return err
		}
		fmt.Fprintf(c.con.stdout, "%s/%s is changed (monitor %d)\n", m.Agent, m.Version, m.ID)
	}
	return nil
}

// change is what was asked for, but for the account.
func (c *monitorsSet) change() (change persistence.MonitorChange, err error) {
	asked := 0
	c.flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "status":
			asked++
			status := pool.GlobalStatus(c.status)
			change.Status = &status
			switch status {
			case pool.GlobalPending, pool.GlobalTesting, pool.GlobalActive, pool.GlobalPaused, pool.GlobalDeleted:
			default:
				err = usagef("--status %q is none of pending, testing, active, paused, deleted", c.status)
			}
		case "location":
			asked++
			change.Location = &c.location
		case "account":
			asked++
		}
	})
	if err == nil && asked == 0 {
		err = usagef("nothing is to be changed: name it with --status, --account or --location")
	}
	return change, err
}

// chooseMonitors finds the monitors that a person named. All must be there, or none is chosen.
func chooseMonitors(listed []ownedMonitor, names []string) ([]ownedMonitor, error) {
	var chosen []ownedMonitor
	taken := make(map[pool.MonitorID]bool)
	for _, name := range names {
		found := false
		for _, m := range listed {
			if !m.isNamed(name) {
				continue
			}
			if found = true; !taken[m.ID] {
				taken[m.ID] = true
				chosen = append(chosen, m)
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no monitor %s; truechimer monitors list shows those that there are", name)
		}
	}
	return chosen, nil
}

// isNamed tells whether a person means this monitor.
func (m ownedMonitor) isNamed(name string) bool {
	agent, version, qualified := strings.Cut(name, "/")
	if qualified {
		return agent == m.Agent && version == m.Version.String()
	}
	return name == m.Agent || name == strconv.FormatUint(uint64(m.ID), 10)
}

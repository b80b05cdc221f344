package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"text/tabwriter"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/rs/zerolog"

	"truechimer/hub"
	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
)

func agentsCommand(con console) *ffcli.Command {
	return group("truechimer agents", "administer agents", agentsAddCommand(con), agentsListCommand(con))
}

func agentsAddCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer agents add")
	dsn, state := dsnFlag(fs), stateFlag(fs)
	var ips, references list
	fs.Var(&ips, "ip", "`address` of a monitor of the agent; repeatable, once for each IP version (default: one IPv4 monitor whose address isn't known)")
	fs.Var(&references, "reference", "NTP server by which the agent checks its own clock, as `host` or host:port; repeatable")
	account := fs.String("account", "local", "`name` of the account that owns the agent")
	status := fs.String("status", "active", "global `status` of its monitors: pending, testing or active")
	hubAddress := fs.String("hub", "127.0.0.1:7443", "`host:port` by which the agent reaches the hub")
	out := fs.String("out", "", "`file` for the identity (default NAME.pem)")
	return &ffcli.Command{
		Name:       "add",
		ShortUsage: "truechimer agents add [flags] NAME",
		ShortHelp:  "add an agent, and write its identity into a file",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("truechimer agents add takes one NAME")
			}
			agent, err := newAgent(args[0], *status, ips, references)
			if err != nil {
				return err
			}
			file := *out
			if file == "" {
				file = agent.name + ".pem"
			}
			if exists(file) {
				return fmt.Errorf("%s is there already; choose another file with --out", file)
			}
			db, err := openFor(ctx, *dsn, *state, forTheMoment, zerolog.Nop())
			if err != nil {
				return err
			}
			defer db.Close()
			identity, err := agent.add(ctx, db, *account, *hubAddress)
			if err != nil {
				return err
			}
			if err := replaceFile(file, identity); err != nil {
				return err
			}
			fmt.Fprintf(con.stdout, "%s: identity in %s; run it with: truechimer agent run --identity %s\n", agent.name, file, file)
			return nil
		},
	}
}

// newcomer is an agent that is to be added.
type newcomer struct {
	name     string
	monitors []pool.Monitor
}

// newAgent reads what was asked for.
func newAgent(name, status string, ips, references []string) (newcomer, error) {
	if err := messages.ValidAgentName(name); err != nil {
		return newcomer{}, usageError{err}
	}
	switch pool.GlobalStatus(status) {
	case pool.GlobalPending, pool.GlobalTesting, pool.GlobalActive:
	default:
		return newcomer{}, usagef("--status %q is none of pending, testing, active", status)
	}
	n := newcomer{name: name}
	for _, text := range ips {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return newcomer{}, usagef("--ip %q is not an address", text)
		}
		n.monitors = append(n.monitors, pool.Monitor{Version: pool.VersionOf(addr), Addr: addr.Unmap()})
	}
	if len(n.monitors) == 0 {
		n.monitors = []pool.Monitor{{Version: pool.IPv4}}
	}
	if len(n.monitors) > 2 || len(n.monitors) == 2 && n.monitors[0].Version == n.monitors[1].Version {
		return newcomer{}, usagef("--ip takes one IPv4 and one IPv6 address")
	}
	for i := range n.monitors {
		n.monitors[i].Status = pool.GlobalStatus(status)
		n.monitors[i].Config.BaseChecks = references
	}
	return n, nil
}

// add adds the agent with its account, and returns its identity.
func (n newcomer) add(ctx context.Context, store persistence.Administration, account, hubAddress string) ([]byte, error) {
	authority, err := hub.LoadAuthority(ctx, store, time.Now())
	if err != nil {
		return nil, err
	}
	identity, err := authority.IssueAgent(n.name, hubAddress, time.Now())
	if err != nil {
		return nil, err
	}
	owner, err := store.EnsureAccount(ctx, who(), account)
	if err != nil {
		return nil, err
	}
	err = store.AddAgent(ctx, who(), pool.Agent{Name: n.name, Account: owner, Serial: identity.Serial}, n.monitors)
	if errors.Is(err, persistence.ErrNameTaken) {
		return nil, fmt.Errorf("there is an agent %s already; choose another name", n.name)
	}
	return identity.PEM, err
}

// who is the person who runs the command, for the audit trail.
func who() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// agentJSON is an agent as --json prints it.
type agentJSON struct {
	Name     string        `json:"name"`
	Account  uint32        `json:"account"`
	Revoked  bool          `json:"revoked"`
	Monitors []monitorJSON `json:"monitors"`
}

type monitorJSON struct {
	ID       uint32     `json:"id"`
	Version  string     `json:"ip_version"`
	IP       string     `json:"ip"`
	Status   string     `json:"status"`
	LastSeen *time.Time `json:"last_seen"`
}

func agentsListCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer agents list")
	dsn, state := dsnFlag(fs), stateFlag(fs)
	asJSON := fs.Bool("json", false, "one JSON object a line")
	return &ffcli.Command{
		Name:       "list",
		ShortUsage: "truechimer agents list [flags]",
		ShortHelp:  "list agents and their monitors",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("truechimer agents list takes no arguments")
			}
			db, err := openFor(ctx, *dsn, *state, forTheMoment, zerolog.Nop())
			if err != nil {
				return err
			}
			defer db.Close()
			agents, err := db.Agents(ctx)
			if err != nil {
				return err
			}
			if *asJSON {
				return printAgentsJSON(con, agents)
			}
			return printAgents(con, agents)
		},
	}
}

func printAgents(con console, agents []persistence.AgentListing) error {
	table := tabwriter.NewWriter(con.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "AGENT\tMONITOR\tVERSION\tADDRESS\tSTATUS\tLAST SEEN")
	for _, a := range agents {
		for _, m := range a.Monitors {
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", a.Name, m.ID, m.Version, addressText(m.Addr), m.Status, timeText(m.LastSeen))
		}
	}
	return table.Flush()
}

func printAgentsJSON(con console, agents []persistence.AgentListing) error {
	lines := json.NewEncoder(con.stdout)
	for _, a := range agents {
		line := agentJSON{Name: a.Name, Account: uint32(a.Account), Revoked: a.Revoked}
		for _, m := range a.Monitors {
			line.Monitors = append(line.Monitors, monitorJSON{
				ID: uint32(m.ID), Version: m.Version.String(), IP: addressText(m.Addr), Status: string(m.Status), LastSeen: timeJSON(m.LastSeen),
			})
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// addressText is an address, or a dash where it isn't known.
func addressText(addr netip.Addr) string {
	if !addr.IsValid() {
		return "-"
	}
	return addr.String()
}

// timeText is a time in UTC to the second, or a dash for never.
func timeText(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}

// timeJSON is nil for never.
func timeJSON(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

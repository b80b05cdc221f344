package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"truechimer/hub"
	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
)

func agentsAddCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer agents add")
	add := &agentsAdd{con: con, database: newDatabaseFlags(fs)}
	fs.Var(&add.ips, "ip", "`address` of a monitor of the agent; repeatable, once for each IP version (default: one IPv4 monitor whose address isn't known)")
	fs.Var(&add.references, "reference", referenceHelp())
	fs.StringVar(&add.account, "account", localName, "`name` of the account that owns the agent")
	fs.StringVar(&add.status, "status", string(pool.GlobalActive), "global `status` of its monitors: pending, testing or active")
	fs.StringVar(&add.hub, "hub", "127.0.0.1:7443", "`host:port` by which the agent reaches the hub")
	fs.StringVar(&add.out, "out", "", "`file` for the identity (default: NAME.pem)")
	return &ffcli.Command{
		Name:       "add",
		ShortUsage: "truechimer agents add [flags] NAME",
		ShortHelp:  "add an agent, and write its identity into a file",
		LongHelp:   "The file is as secret as a key. Whoever has it is the agent NAME, with: truechimer agent run --identity FILE",
		FlagSet:    fs,
		Exec:       add.run,
	}
}

// agentsAdd adds an agent.
type agentsAdd struct {
	con                       console
	database                  databaseFlags
	ips, references           list
	account, status, hub, out string
}

func (c *agentsAdd) run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return usagef("truechimer agents add takes one NAME")
	}
	agent, err := newAgent(args[0], c.status, c.ips, c.references)
	if err != nil {
		return err
	}
	if err := errors.Join(checkReferences(c.references), checkHostPort("--hub", c.hub)); err != nil {
		return usageError{err}
	}
	if c.account == "" {
		return usagef("--account is empty")
	}
	file := cmp.Or(c.out, agent.name+".pem")
	if exists(file) {
		return fmt.Errorf("%s is there already; choose another file with --out", file)
	}
	db, err := c.database.openToChange(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := agent.add(ctx, db, c.account, c.hub, file); err != nil {
		return err
	}
	fmt.Fprintf(c.con.stdout, "%s: identity in %s; run it with: truechimer agent run --identity %s\n", agent.name, file, file)
	return nil
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
		if err != nil || addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() {
			return newcomer{}, usagef("--ip %q is not the address of one machine", text)
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
		n.monitors[i].Config.BaseChecks = orDefault(references)
	}
	return n, nil
}

// add adds the agent with its account, and its identity as a file: both or none. The file comes first. An agent whose
// identity nobody has would be of no use, and its name taken.
func (n newcomer) add(ctx context.Context, store persistence.Administration, account, hubAddress, file string) error {
	authority, err := hub.LoadAuthority(ctx, store, time.Now())
	if err != nil {
		return err
	}
	identity, err := authority.IssueAgent(n.name, hubAddress, time.Now())
	if err != nil {
		return err
	}
	if err := createFile(file, identity.PEM); err != nil {
		return fmt.Errorf("%w; choose another file with --out", err)
	}
	if err := n.enter(ctx, store, account, identity.Serial); err != nil {
		os.Remove(file) // it is nobody's identity
		return err
	}
	return nil
}

// enter stores the agent with its account.
func (n newcomer) enter(ctx context.Context, store persistence.Administration, account, serial string) error {
	owner, err := store.EnsureAccount(ctx, who(), account)
	if err != nil {
		return err
	}
	err = store.AddAgent(ctx, who(), pool.Agent{Name: n.name, Account: owner, Serial: serial}, n.monitors)
	if errors.Is(err, persistence.ErrNameTaken) {
		return fmt.Errorf("there is an agent %s already; choose another name", n.name)
	}
	return err
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
	IP       *string    `json:"ip"`
	Status   string     `json:"status"`
	LastSeen *time.Time `json:"last_seen"`
}

func agentsListCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer agents list")
	database, asJSON := newDatabaseFlags(fs), jsonFlag(fs)
	return &ffcli.Command{
		Name:       "list",
		ShortUsage: "truechimer agents list [flags]",
		ShortHelp:  "list agents and their monitors",
		FlagSet:    fs,
		Exec: noArguments("truechimer agents list", func(ctx context.Context) error {
			db, err := database.openToRead(ctx)
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
		}),
	}
}

func printAgents(con console, agents []persistence.AgentListing) error {
	table := newTable(con.stdout)
	fmt.Fprintln(table, "AGENT\tMONITOR\tVERSION\tADDRESS\tSTATUS\tLAST SEEN (UTC)")
	for _, a := range agents {
		if a.Revoked {
			a.Name = withReason(a.Name, "revoked")
		}
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
				ID: uint32(m.ID), Version: m.Version.String(), IP: addressJSON(m.Addr), Status: string(m.Status), LastSeen: timeJSON(m.LastSeen),
			})
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

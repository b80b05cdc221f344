package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/rs/zerolog"

	"truechimer/agentnode"
	"truechimer/agentnode/identity"
	"truechimer/cmd/wall"
	"truechimer/hub"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/simulation/lab"
)

const (
	// localName is that of the account and of the agent that `up` makes.
	localName = "local"
	// labFolder is the lab's own state folder in that of `up`: its scores are no real servers'.
	labFolder = "lab"
	// labMonitor is the address that the lab's monitor counts as: one that is nobody's (RFC 5737).
	labMonitor = "192.0.2.1"
)

// defaultReferences are well-kept public servers of three operators.
func defaultReferences() []string {
	return []string{"time.cloudflare.com", "time.nist.gov", "ptbtime1.ptb.de"}
}

func upCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer up")
	flags := newHubFlags(fs, "127.0.0.1:7443")
	state, level := stateFlag(fs), logFlag(fs)
	var references list
	fs.Var(&references, "reference", "NTP server by which this machine's clock is checked, as `host` or host:port; repeatable (default: "+fmt.Sprint(defaultReferences())+")")
	allowPrivate := fs.Bool("allow-private", false, "probe addresses that aren't of the internet too, for tests and labs")
	return &ffcli.Command{
		Name:       "up",
		ShortUsage: "truechimer up [flags] [SERVER ...]",
		ShortHelp:  "run everything on this machine: hub, database, MQTT broker and one agent",
		LongHelp: "SERVER is a host name or an address, with :port if it isn't 123; it is watched from now on.\n" +
			"With no server given now or earlier, it watches a lab: NTP servers of its own on loopback, good and bad.",
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			log, err := newLogger(con, *level)
			if err != nil {
				return err
			}
			options, err := flags.options()
			if err != nil {
				return err
			}
			options.Log = log
			u := &up{
				con: con, log: log, started: time.Now(), options: options,
				references: references, allowPrivate: *allowPrivate,
			}
			if u.state, err = stateDir(*state); err != nil {
				return err
			}
			return quietly(ctx, u.run(ctx, args))
		},
	}
}

// up is everything on one machine.
type up struct {
	con     console
	log     zerolog.Logger
	started time.Time
	state   string
	options hub.Options

	references   []string
	allowPrivate bool

	db  *database
	lab *lab.Lab // nil: it watches real servers
}

// run opens the database, fills it with what is to be watched, and runs hub and agent until it is told to end.
func (u *up) run(ctx context.Context, names []string) error {
	servers, err := resolveServers(ctx, names, u.allowPrivate)
	if err != nil {
		return err
	}
	if err := makePrivate(u.state); err != nil {
		return err
	}
	if err := u.open(ctx, len(servers) > 0); err != nil {
		return err
	}
	defer func() { u.db.Close() }()
	if u.lab != nil {
		defer u.lab.Close()
		servers = u.labServers()
	}
	if err := u.fill(ctx, servers); err != nil {
		return err
	}
	u.options.Store = u.db
	return runHub(ctx, u.options, u.state, func(h *hub.Hub) (func(), error) { return u.join(ctx, h) })
}

// open opens the database of real servers if there are any, else the lab and its own.
func (u *up) open(ctx context.Context, named bool) error {
	if named || exists(databaseDir(u.state)) {
		db, err := openPrivate(ctx, databaseDir(u.state), forGood, u.log)
		if err != nil {
			return err
		}
		u.db = db
		stored, err := db.Servers(ctx)
		if err != nil || named || len(stored) > 0 {
			return err
		}
		db.Close()
	}
	l, err := lab.Start(lab.Options{Log: u.log, Port: lab.Port})
	if err != nil {
		return err
	}
	u.lab = l
	dir := filepath.Join(u.state, labFolder)
	if err := makePrivate(dir); err != nil {
		return err
	}
	u.db, err = openPrivate(ctx, databaseDir(dir), forGood, u.log)
	return err
}

// labServers are the lab's, with their behaviour as their name.
func (u *up) labServers() []pool.Server {
	var servers []pool.Server
	for _, s := range u.lab.Servers() {
		servers = append(servers, pool.Server{Addr: s.Addr, Hostname: s.Name})
	}
	return servers
}

// labSettings let a person see scores move: a probe of one query every 5 s, with no spacing, which nobody minds
// but our own servers.
func labSettings() pool.Settings {
	return pool.Settings{
		IntervalActive:    5 * time.Second,
		IntervalTesting:   5 * time.Second,
		IntervalCandidate: 5 * time.Second,
		Lab:               true,
	}
}

// fill has the servers watched, by the agent of this machine.
func (u *up) fill(ctx context.Context, servers []pool.Server) error {
	if u.lab != nil {
		if err := u.db.SetSettings(ctx, who(), labSettings()); err != nil {
			return err
		}
	}
	for _, s := range servers {
		if _, _, err := u.db.AddServer(ctx, who(), s); err != nil {
			return err
		}
	}
	account, err := u.db.EnsureAccount(ctx, who(), localName)
	if err != nil {
		return err
	}
	err = u.db.AddAgent(ctx, who(), pool.Agent{Name: localName, Account: account}, u.monitors())
	if errors.Is(err, persistence.ErrNameTaken) {
		return u.setReferences(ctx)
	}
	return err
}

// monitors are those of this machine's agent: in the lab one that counts as an address of nobody's,
// whose clock is checked against the good servers; else one for each IP version.
func (u *up) monitors() []pool.Monitor {
	if u.lab != nil {
		return []pool.Monitor{{
			Version: pool.IPv4,
			Addr:    netip.MustParseAddr(labMonitor),
			Status:  pool.GlobalActive,
			Config:  pool.MonitorConfig{Samples: 1, BaseChecks: u.goodServers()},
		}}
	}
	references := u.references
	if len(references) == 0 {
		references = defaultReferences()
	}
	config := pool.MonitorConfig{BaseChecks: references}
	return []pool.Monitor{
		{Version: pool.IPv4, Status: pool.GlobalActive, Config: config},
		{Version: pool.IPv6, Status: pool.GlobalActive, Config: config},
	}
}

// setReferences gives an agent that is there already the references that were named now.
func (u *up) setReferences(ctx context.Context) error {
	if len(u.references) == 0 || u.lab != nil {
		return nil
	}
	agents, err := u.db.Agents(ctx)
	if err != nil {
		return err
	}
	for _, a := range agents {
		if a.Name != localName {
			continue
		}
		for _, m := range a.Monitors {
			m.Config.BaseChecks = u.references
			if err := u.db.SetMonitor(ctx, who(), m.ID, persistence.MonitorChange{Config: &m.Config}); err != nil {
				return err
			}
		}
	}
	return nil
}

// goodServers are the lab's servers that serve good time.
func (u *up) goodServers() []string {
	var good []string
	for _, s := range u.lab.Servers() {
		if s.Behaviour == lab.Good {
			good = append(good, s.Addr.String())
		}
	}
	return good
}

// join starts this machine's agent, and says that everything is there.
func (u *up) join(ctx context.Context, h *hub.Hub) (end func(), err error) {
	authority, err := hub.LoadAuthority(ctx, u.db, time.Now())
	if err != nil {
		return nil, err
	}
	issued, err := authority.IssueAgent(localName, h.AgentAddr().String(), time.Now())
	if err != nil {
		return nil, err
	}
	id, err := identity.Parse(issued.PEM)
	if err != nil {
		return nil, err
	}
	shown := newPresence(id.Name, u.log)
	agent, err := agentnode.Start(agentnode.Options{
		Identity: id, Version: version, Runtime: wall.New(), Log: u.log, Presence: shown,
		AllowPrivate: u.allowPrivate || u.lab != nil,
	})
	if err != nil {
		return nil, err
	}
	sayReady(u.con, u.started, h, u.db.where(""))
	u.sayWhat()
	return func() {
		closing(agent.Close)
		shown.Wait()
	}, nil
}

// sayWhat says what is watched, and how to see it.
func (u *up) sayWhat() {
	if u.lab != nil {
		fmt.Fprintf(u.con.stdout, "no servers given: watching a lab of %d NTP servers of its own, good and bad, each every 5 s\n",
			len(u.lab.Servers()))
	}
	fmt.Fprintln(u.con.stdout, "see it live with: truechimer watch")
}

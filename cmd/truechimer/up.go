package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/rs/zerolog"

	"truechimer/agentnode"
	"truechimer/agentnode/identity"
	"truechimer/cmd/wall"
	"truechimer/hub"
	"truechimer/persistence"
	"truechimer/persistence/privatedb"
	"truechimer/pool"
	"truechimer/simulation/lab"
)

// localName is that of the account and of the agent that `up` makes, and of the watchers on this machine.
const localName = "local"

func upCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer up")
	u := &up{con: con, flags: newHubFlags(fs, "127.0.0.1:7443", zerolog.WarnLevel), stateFlag: stateFlag(fs), allowPrivate: allowPrivateFlag(fs)}
	fs.UintVar(&u.labPort, "lab-port", lab.Port, "`port` of the lab's servers, on 127.0.1.1 and following")
	fs.Var(&u.references, "reference", referenceHelp())
	return &ffcli.Command{
		Name:       "up",
		ShortUsage: "truechimer up [flags] [SERVER ...]",
		ShortHelp:  "run everything on this machine: hub, database, MQTT broker and one agent",
		LongHelp: serverHelp + " It is watched from now on.\n" +
			"With no server given now or earlier, it watches a lab: NTP servers of its own on loopback, good and bad.",
		FlagSet: fs,
		Exec:    u.run,
	}
}

// up is everything on one machine.
type up struct {
	con          console
	flags        hubFlags
	stateFlag    *string
	references   list
	allowPrivate *bool
	labPort      uint

	log     zerolog.Logger
	home    *tenancy
	db      *database
	lab     *lab.Lab      // nil: it watches real servers
	servers []pool.Server // that are to be added
}

// run opens the database and takes the ports, fills in what is to be watched, and runs hub and agent until it is told to end.
func (u *up) run(ctx context.Context, names []string) error {
	started := time.Now()
	options, err := u.flags.options(u.con)
	if err != nil {
		return err
	}
	u.log = options.Log
	if err := checkReferences(u.references); err != nil {
		return usageError{err}
	}
	if u.labPort < 1 || u.labPort > math.MaxUint16 {
		return usagef("--lab-port %d is not between 1 and 65535", u.labPort)
	}
	if u.servers, err = resolveServers(ctx, names, *u.allowPrivate); err != nil {
		return untilTold(ctx, err)
	}
	if u.home, err = moveIn(ctx, *u.stateFlag); err != nil {
		return untilTold(ctx, err)
	}
	defer u.home.moveOut()
	if err := hub.CheckPorts(options); err != nil {
		return err
	}
	defer u.close()
	if err := u.open(ctx); err != nil {
		return untilTold(ctx, err)
	}
	n := node{con: u.con, started: started, state: u.home.dir, options: options, db: u.db}
	return n.run(ctx, stages{
		opened: u.fill,
		ready: func(ctx context.Context, h *hub.Hub) (func(context.Context), error) {
			end, err := u.join(ctx, h)
			if err == nil {
				n.sayReady(h)
				err = u.sayWhat(ctx)
			}
			return end, err
		},
	})
}

// open opens the database of real servers if there are any, else the lab and its own.
func (u *up) open(ctx context.Context) (err error) {
	dir := databaseDir(u.home.dir)
	if len(u.servers) > 0 || exists(dir) {
		if u.db, err = openPrivate(ctx, privatedb.Start, privatedb.Options{Dir: dir, Log: u.log}, openStore); err != nil {
			return err
		}
		stored, err := u.db.Servers(ctx)
		if err != nil {
			return err
		}
		if len(u.servers) > 0 || len(watchedOf(stored, time.Now())) > 0 {
			return checkPorts(stored, u.servers)
		}
		u.db.Close()
		u.db = nil
	}
	return u.openLab(ctx)
}

// close ends what open began.
func (u *up) close() {
	if u.db != nil {
		u.db.Close()
	}
	if u.lab != nil {
		u.lab.Close() // its sockets end with the process too
	}
}

// fill has the servers watched, by the agent of this machine.
func (u *up) fill(ctx context.Context) error {
	if u.lab != nil {
		if err := u.db.SetSettings(ctx, who(), labSettings()); err != nil {
			return err
		}
	}
	for _, s := range u.servers {
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

// monitors are those of this machine's agent: one for each IP version, but in the lab.
func (u *up) monitors() []pool.Monitor {
	if u.lab != nil {
		return []pool.Monitor{labMonitor(u.lab)}
	}
	config := pool.MonitorConfig{BaseChecks: orDefault(u.references)}
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

// join starts this machine's agent.
func (u *up) join(ctx context.Context, h *hub.Hub) (end func(context.Context), err error) {
	id, err := u.identity(ctx, h.AgentAddr().String())
	if err != nil {
		return nil, err
	}
	shown := newPresence(id.Name, u.log)
	agent, err := agentnode.Start(agentnode.Options{
		Identity: id, Version: version, Runtime: wall.New(), Log: u.log, Presence: shown,
		AllowPrivate: *u.allowPrivate || u.lab != nil,
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) {
		agent.Close(ctx)
		shown.wait(ctx)
	}, nil
}

// identity is that of this machine's agent. It is stored nowhere, and made anew for each link, so that it never ends.
func (u *up) identity(ctx context.Context, hubAddress string) (identity.Identity, error) {
	authority, err := hub.LoadAuthority(ctx, u.db, time.Now())
	if err != nil {
		return identity.Identity{}, err
	}
	issue := func() (identity.Identity, error) {
		issued, err := authority.IssueAgent(localName, hubAddress, time.Now())
		if err != nil {
			return identity.Identity{}, err
		}
		return identity.Parse(issued.PEM)
	}
	id, err := issue()
	if err != nil {
		return identity.Identity{}, err
	}
	id.Until = time.Time{}
	id.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		fresh, err := issue()
		if err != nil {
			return nil, err
		}
		return &fresh.TLS.Certificates[0], nil
	}
	return id, nil
}

// sayWhat says what is watched, and how to see it.
func (u *up) sayWhat(ctx context.Context) error {
	listed, err := u.db.Servers(ctx)
	if err != nil {
		return err
	}
	watched := watchedOf(listed, time.Now())
	said := "watching " + plural(len(watched), "server", "servers")
	if u.lab != nil {
		said = fmt.Sprintf("no servers given: watching a lab of %d NTP servers of its own, good and bad, each every %.0f s",
			len(watched), labSettings().IntervalActive.Seconds())
	} else if names := namesOf(watched); len(watched) <= fewServers {
		said += ": " + strings.Join(names, ", ")
	}
	state := ""
	if *u.stateFlag != "" {
		state = " --state-dir " + *u.stateFlag
	}
	fmt.Fprintf(u.con.stdout, "%s\nsee it live with: truechimer watch%s\n", said, state)
	return nil
}

// fewServers are so many that a person reads them all.
const fewServers = 5

func namesOf(servers []persistence.ServerListing) []string {
	var names []string
	for _, s := range servers {
		names = append(names, withReason(whereabouts(s), s.Hostname))
	}
	return names
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/selection"
)

func selectCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer select")
	s := &selecting{con: con, database: newDatabaseFlags(fs), asJSON: jsonFlag(fs)}
	fs.BoolVar(&s.all, "all", false, "a round for every server that is watched")
	fs.BoolVar(&s.dryRun, "dry-run", false, "write nothing")
	fs.StringVar(&s.clock, "now", "", "`time` that it is held to be, as 2026-01-02T15:04:05Z (default: that of this machine)")
	return &ffcli.Command{
		Name:       "select",
		ShortUsage: "truechimer select [flags] SERVER ...",
		ShortHelp:  "run a round of selection, explained monitor by monitor",
		LongHelp: "SERVER is an address, the host name it was added by, or an id. Any MySQL with the NTP Pool's tables will do;\n" +
			"it is never migrated. Running hubs run these rounds by themselves, and follow what this one changes within a second.",
		FlagSet: fs,
		Exec:    s.run,
	}
}

// selecting runs rounds of selection.
type selecting struct {
	con         console
	database    databaseFlags
	asJSON      *bool
	all, dryRun bool
	clock       string
}

func (c *selecting) run(ctx context.Context, args []string) error {
	if c.all == (len(args) > 0) {
		return usagef("truechimer select takes at least one SERVER, or --all")
	}
	now, err := c.now()
	if err != nil {
		return err
	}
	db, err := c.database.openAsIs(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if db.isLab && !c.dryRun {
		return errors.New("truechimer up is watching a lab, which selects by itself; look with --dry-run")
	}
	ids, err := c.servers(ctx, db, args, now)
	if err != nil {
		return err
	}
	roster, err := db.LoadRoster(ctx)
	if err != nil {
		return err
	}
	for _, warning := range roster.Warnings {
		fmt.Fprintln(c.con.stderr, "truechimer:", warning)
	}
	known := newDirectory(roster)
	report := c.report(known)
	err = db.Selections(ctx, now, ids, func(image pool.ServerImage, tallies []pool.Tally) error {
		view := known.view(now, image, tallies)
		round := selection.Plan(view)
		if !c.dryRun && len(round.Statuses) > 0 {
			if err := c.apply(ctx, db, image, round, now); err != nil {
				return err
			}
		}
		return report.round(image, view, round)
	})
	return errors.Join(err, report.end(c.dryRun))
}

// now is the time of the round.
func (c *selecting) now() (time.Time, error) {
	if c.clock == "" {
		return time.Now().UTC(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if now, err := time.Parse(layout, c.clock); err == nil {
			return now.UTC(), nil
		}
	}
	return time.Time{}, usagef("--now %q is not a time, as 2026-01-02T15:04:05Z is", c.clock)
}

// servers are those that were named; nil: all.
func (c *selecting) servers(ctx context.Context, db persistence.Rounds, names []string, now time.Time) ([]pool.ServerID, error) {
	if c.all {
		return nil, nil
	}
	watched, err := db.Watched(ctx, now)
	if err != nil {
		return nil, err
	}
	var listed []persistence.ServerListing
	for _, s := range watched {
		listed = append(listed, persistence.ServerListing{Server: s})
	}
	chosen, err := chooseServers(listed, names)
	if err != nil {
		return nil, err
	}
	var ids []pool.ServerID
	for _, s := range chosen {
		ids = append(ids, s.ID)
	}
	return ids, nil
}

// apply has a round kept.
func (c *selecting) apply(ctx context.Context, db persistence.Rounds, image pool.ServerImage, round selection.Round, now time.Time) error {
	review := image.Review
	review.Last, review.Next = now, round.Next
	if len(round.Changes) > 0 {
		review.Change = now
	}
	return db.ApplyRound(ctx, who(), image.Server.ID, round.Statuses, review)
}

// report is how rounds are told.
func (c *selecting) report(known *directory) roundReport {
	if *c.asJSON {
		return &roundLines{con: c.con}
	}
	if c.all {
		return &roundDigest{con: c.con, known: known}
	}
	return &roundTables{con: c.con, known: known}
}

// directory is who there is.
type directory struct {
	roster   pool.Roster
	monitors map[pool.MonitorID]pool.Monitor
	limits   map[pool.AccountID]int
}

func newDirectory(roster pool.Roster) *directory {
	d := &directory{
		roster:   roster,
		monitors: make(map[pool.MonitorID]pool.Monitor),
		limits:   make(map[pool.AccountID]int),
	}
	for _, m := range roster.Monitors {
		d.monitors[m.ID] = m
	}
	for _, a := range roster.Accounts {
		d.limits[a.ID], _ = selection.LimitOf(a.Flags) // the roster's warnings say what can't be read
	}
	return d
}

// view is what the round of a server sees: the monitors that have a status for it. Those that the pool doesn't know
// any more count as deleted.
func (d *directory) view(now time.Time, image pool.ServerImage, tallies []pool.Tally) selection.View {
	view := selection.View{
		Now:             now,
		Server:          selection.Server{Addr: image.Server.Addr.Addr(), Account: image.Server.Account},
		TestingInterval: d.roster.Settings.IntervalTesting,
		Monitors:        make([]selection.Monitor, len(image.Pairs)),
	}
	for i, p := range image.Pairs {
		monitor, there := d.monitors[p.Monitor]
		if !there {
			monitor = pool.Monitor{ID: p.Monitor, Status: pool.GlobalDeleted}
		}
		view.Monitors[i] = selection.MonitorOf(monitor, d.limits[monitor.Account], p.Decided(), tallies[i])
	}
	return view
}

// name is what people know a monitor by.
func (d *directory) name(id pool.MonitorID) string {
	if m, there := d.monitors[id]; there && m.Agent != "" {
		return m.Agent
	}
	return fmt.Sprintf("monitor %d", id)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"truechimer/persistence"
	"truechimer/pool"
)

func serversAddCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer servers add")
	add := serversAdd{
		con:          con,
		database:     newDatabaseFlags(fs),
		account:      fs.String("account", "", "`name` of the account that owns them; it is made where there is none (default: none)"),
		allowPrivate: allowPrivateFlag(fs),
	}
	return &ffcli.Command{
		Name:       "add",
		ShortUsage: "truechimer servers add [flags] SERVER ...",
		ShortHelp:  "watch servers from now on",
		LongHelp:   serverHelp,
		FlagSet:    fs,
		Exec:       add.run,
	}
}

// serversAdd has servers watched.
type serversAdd struct {
	con          console
	database     databaseFlags
	account      *string
	allowPrivate *bool
}

// run adds all servers or, when one of them is no good, none.
func (c serversAdd) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usagef("truechimer servers add takes at least one SERVER")
	}
	servers, err := resolveServers(ctx, args, *c.allowPrivate)
	if err != nil {
		return err
	}
	db, err := c.database.openToChange(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	listed, err := db.Servers(ctx)
	if err != nil {
		return err
	}
	if err := checkPorts(listed, servers); err != nil {
		return err
	}
	var owner pool.AccountID
	if *c.account != "" {
		if owner, err = db.EnsureAccount(ctx, who(), *c.account); err != nil {
			return err
		}
	}
	for _, s := range servers {
		s.Account = owner
		if err := c.add(ctx, db, s); err != nil {
			return err
		}
	}
	return nil
}

// add adds a server and says what came of it.
func (c serversAdd) add(ctx context.Context, store persistence.Administration, s pool.Server) error {
	id, added, err := store.AddServer(ctx, who(), s)
	if err != nil {
		return err
	}
	word := "is watched already"
	if added {
		word = "is watched from now on"
	}
	fmt.Fprintf(c.con.stdout, "%s %s (server %d)\n", s.Addr, word, id)
	return nil
}

func serversRemoveCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer servers remove")
	remove := serversRemove{con: con, database: newDatabaseFlags(fs)}
	return &ffcli.Command{
		Name:       "remove",
		ShortUsage: "truechimer servers remove [flags] SERVER ...",
		ShortHelp:  "watch servers no more",
		LongHelp:   "SERVER is an address, the host name it was added by, or an id. What is known of it stays.",
		FlagSet:    fs,
		Exec:       remove.run,
	}
}

// serversRemove has servers watched no more.
type serversRemove struct {
	con      console
	database databaseFlags
}

func (c serversRemove) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usagef("truechimer servers remove takes at least one SERVER")
	}
	db, err := c.database.openToChange(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	listed, err := db.Servers(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	chosen, err := chooseServers(watchedOf(listed, now), args)
	if err != nil {
		return err
	}
	for _, s := range chosen {
		if err := db.RemoveServer(ctx, who(), s.ID, now); err != nil {
			return err
		}
		fmt.Fprintf(c.con.stdout, "%s is watched no more (server %d)\n", whereabouts(s), s.ID)
	}
	return nil
}

// watchedOf are those of listed servers that are watched at a time.
func watchedOf(listed []persistence.ServerListing, now time.Time) []persistence.ServerListing {
	var watched []persistence.ServerListing
	for _, s := range listed {
		if s.Deletion.IsZero() || s.Deletion.After(now) {
			watched = append(watched, s)
		}
	}
	return watched
}

func serversListCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer servers list")
	database, asJSON := newDatabaseFlags(fs), jsonFlag(fs)
	return &ffcli.Command{
		Name:       "list",
		ShortUsage: "truechimer servers list [flags]",
		ShortHelp:  "list servers with their scores",
		FlagSet:    fs,
		Exec: noArguments("truechimer servers list", func(ctx context.Context) error {
			db, err := database.openToRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			servers, err := db.Servers(ctx)
			if err != nil {
				return err
			}
			if *asJSON {
				return printServersJSON(con, servers)
			}
			return printServers(con, servers)
		}),
	}
}

// whereabouts is a server's address with its port; as it is stored, in quotes, where it can't be read.
func whereabouts(s persistence.ServerListing) string {
	if s.Addr.IsValid() {
		return s.Addr.String()
	}
	return strconv.Quote(s.Odd)
}

func printServers(con console, servers []persistence.ServerListing) error {
	table := newTable(con.stdout)
	fmt.Fprintln(table, "ID\tADDRESS\tSCORE\tSCORED AT (UTC)\tSTRATUM\tACTIVE\tTESTING\tNAME")
	for _, s := range servers {
		score := "-"
		if !s.ScoreAt.IsZero() {
			score = fmt.Sprintf("%.1f", s.Score)
		}
		name := s.Hostname
		if !s.Deletion.IsZero() {
			name = withReason(name, "removed "+s.Deletion.UTC().Format(time.DateOnly))
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n",
			s.ID, whereabouts(s), score, timeText(s.ScoreAt), s.Stratum, s.Active, s.Testing, orDash(name))
	}
	return table.Flush()
}

// serverJSON is a server as --json prints it.
type serverJSON struct {
	ID       uint32     `json:"id"`
	IP       string     `json:"ip"`
	Port     uint16     `json:"port"`
	Hostname string     `json:"hostname"`
	Score    *float64   `json:"score"`
	ScoreAt  *time.Time `json:"score_ts"`
	Stratum  uint8      `json:"stratum"`
	Active   int        `json:"active"`
	Testing  int        `json:"testing"`
	Deletion *time.Time `json:"deletion_on"`
}

func printServersJSON(con console, servers []persistence.ServerListing) error {
	lines := json.NewEncoder(con.stdout)
	for _, s := range servers {
		line := serverJSON{
			ID: uint32(s.ID), IP: s.Addr.Addr().String(), Port: s.Addr.Port(), Hostname: s.Hostname,
			ScoreAt: timeJSON(s.ScoreAt), Stratum: s.Stratum, Active: s.Active, Testing: s.Testing, Deletion: timeJSON(s.Deletion),
		}
		if !s.Addr.IsValid() {
			line.IP = s.Odd
		}
		if line.ScoreAt != nil {
			line.Score = &s.Score
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

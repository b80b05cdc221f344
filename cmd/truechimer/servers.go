package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/rs/zerolog"

	"truechimer/persistence"
	"truechimer/pool"
)

// ntpPort is NTP's own (RFC 5905 section 7.2).
const ntpPort = 123

func serversCommand(con console) *ffcli.Command {
	return group("truechimer servers", "administer the servers under watch",
		serversListCommand(con), serversAddCommand(con), serversRemoveCommand(con))
}

func serversAddCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer servers add")
	dsn, state := dsnFlag(fs), stateFlag(fs)
	account := fs.String("account", "", "`name` of the account that owns them")
	allowPrivate := fs.Bool("allow-private", false, "take addresses that aren't of the internet too, for tests and labs")
	return &ffcli.Command{
		Name:       "add",
		ShortUsage: "truechimer servers add [flags] SERVER ...",
		ShortHelp:  "watch servers from now on",
		LongHelp:   "SERVER is a host name or an address, with :port if it isn't 123. Every address that a name resolves to is a server.",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) == 0 {
				return usagef("truechimer servers add takes at least one SERVER")
			}
			servers, err := resolveServers(ctx, args, *allowPrivate)
			if err != nil {
				return err
			}
			db, err := openFor(ctx, *dsn, *state, forTheMoment, zerolog.Nop())
			if err != nil {
				return err
			}
			defer db.Close()
			var owner pool.AccountID
			if *account != "" {
				if owner, err = db.EnsureAccount(ctx, who(), *account); err != nil {
					return err
				}
			}
			for _, s := range servers {
				s.Account = owner
				if err := addServer(ctx, con, db, s); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// addServer adds a server and says what came of it.
func addServer(ctx context.Context, con console, store persistence.Administration, s pool.Server) error {
	id, added, err := store.AddServer(ctx, who(), s)
	if err != nil {
		return err
	}
	word := "is watched already"
	if added {
		word = "is watched from now on"
	}
	fmt.Fprintf(con.stdout, "%s %s (server %d)\n", s.Addr.Addr(), word, id)
	return nil
}

// resolveServers finds the addresses of servers that a person named. All of them must be good, or none is taken.
func resolveServers(ctx context.Context, names []string, allowPrivate bool) ([]pool.Server, error) {
	var servers []pool.Server
	for _, name := range names {
		found, err := resolveServer(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if !allowPrivate && !pool.AddrIsPublic(s.Addr.Addr()) {
				return nil, fmt.Errorf("%s is %s, which isn't an address of the internet; watch it only in tests and labs, with --allow-private", name, s.Addr.Addr())
			}
			servers = append(servers, s)
		}
	}
	return servers, nil
}

// resolveServer finds the addresses of one server.
func resolveServer(ctx context.Context, name string) ([]pool.Server, error) {
	host, port, err := splitServer(name)
	if err != nil {
		return nil, err
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return []pool.Server{{Addr: netip.AddrPortFrom(addr.Unmap(), port)}}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("find the address of %s: %w; check the name, or give an address", host, err)
	}
	var servers []pool.Server
	slices.SortFunc(addrs, netip.Addr.Compare)
	for _, addr := range addrs {
		servers = append(servers, pool.Server{Addr: netip.AddrPortFrom(addr.Unmap(), port), Hostname: host})
	}
	return servers, nil
}

// splitServer takes the port from host, host:port, address, address:port or [address]:port.
func splitServer(name string) (host string, port uint16, err error) {
	if _, err := netip.ParseAddr(name); err == nil {
		return name, ntpPort, nil
	}
	host, text, err := net.SplitHostPort(name)
	if err != nil {
		return name, ntpPort, nil // no port: the look-up says what is wrong with the rest
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return "", 0, usagef("%q has no port between 1 and 65535", name)
	}
	return host, uint16(number), nil
}

func serversRemoveCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer servers remove")
	dsn, state := dsnFlag(fs), stateFlag(fs)
	return &ffcli.Command{
		Name:       "remove",
		ShortUsage: "truechimer servers remove [flags] SERVER ...",
		ShortHelp:  "watch servers no more",
		LongHelp:   "SERVER is an address, a host name it was added by, or an id. What is known of it stays.",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) == 0 {
				return usagef("truechimer servers remove takes at least one SERVER")
			}
			db, err := openFor(ctx, *dsn, *state, forTheMoment, zerolog.Nop())
			if err != nil {
				return err
			}
			defer db.Close()
			listed, err := db.Servers(ctx)
			if err != nil {
				return err
			}
			chosen, err := chooseServers(listed, args)
			if err != nil {
				return err
			}
			for _, s := range chosen {
				if err := db.RemoveServer(ctx, who(), s.ID, time.Now()); err != nil {
					return err
				}
				fmt.Fprintf(con.stdout, "%s is watched no more (server %d)\n", s.Addr.Addr(), s.ID)
			}
			return nil
		},
	}
}

// chooseServers finds the servers that a person named among those listed. All must be there, or none is chosen.
func chooseServers(listed []persistence.ServerListing, names []string) ([]persistence.ServerListing, error) {
	var chosen []persistence.ServerListing
	for _, name := range names {
		found := false
		for _, s := range listed {
			if name == s.Addr.Addr().String() || name == s.Hostname || name == strconv.FormatUint(uint64(s.ID), 10) {
				chosen, found = append(chosen, s), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no server %s is watched; truechimer servers list shows those that are", name)
		}
	}
	return chosen, nil
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

func serversListCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer servers list")
	dsn, state := dsnFlag(fs), stateFlag(fs)
	asJSON := fs.Bool("json", false, "one JSON object a line")
	return &ffcli.Command{
		Name:       "list",
		ShortUsage: "truechimer servers list [flags]",
		ShortHelp:  "list servers with their scores",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("truechimer servers list takes no arguments")
			}
			db, err := openFor(ctx, *dsn, *state, forTheMoment, zerolog.Nop())
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
		},
	}
}

func printServers(con console, servers []persistence.ServerListing) error {
	table := tabwriter.NewWriter(con.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tADDRESS\tSCORE\tSCORED AT\tSTRATUM\tACTIVE\tTESTING\tNAME")
	for _, s := range servers {
		score := "-"
		if !s.ScoreAt.IsZero() {
			score = fmt.Sprintf("%.1f", s.Score)
		}
		name := s.Hostname
		if !s.Deletion.IsZero() {
			name += " (removed)"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n",
			s.ID, s.Addr, score, timeText(s.ScoreAt), s.Stratum, s.Active, s.Testing, name)
	}
	return table.Flush()
}

func printServersJSON(con console, servers []persistence.ServerListing) error {
	lines := json.NewEncoder(con.stdout)
	for _, s := range servers {
		line := serverJSON{
			ID: uint32(s.ID), IP: s.Addr.Addr().String(), Port: s.Addr.Port(), Hostname: s.Hostname,
			ScoreAt: timeJSON(s.ScoreAt), Stratum: s.Stratum, Active: s.Active, Testing: s.Testing, Deletion: timeJSON(s.Deletion),
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

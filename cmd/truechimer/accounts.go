package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"

	"github.com/peterbourgon/ff/v3/ffcli"

	"truechimer/persistence"
	"truechimer/pool"
)

func accountsListCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer accounts list")
	database, asJSON := newDatabaseFlags(fs), jsonFlag(fs)
	return &ffcli.Command{
		Name:       "list",
		ShortUsage: "truechimer accounts list [flags]",
		ShortHelp:  "list accounts, and what their flags allow",
		FlagSet:    fs,
		Exec: noArguments("truechimer accounts list", func(ctx context.Context) error {
			db, err := database.openToRead(ctx)
			if err != nil {
				return err
			}
			defer db.Close()
			accounts, err := db.Accounts(ctx)
			if err != nil {
				return err
			}
			if *asJSON {
				return printAccountsJSON(con, accounts)
			}
			return printAccounts(con, accounts)
		}),
	}
}

func printAccounts(con console, accounts []persistence.AccountListing) error {
	table := newTable(con.stdout)
	fmt.Fprintln(table, "ID\tNAME\tSERVERS\tMONITORS\tFLAGS")
	for _, a := range accounts {
		fmt.Fprintf(table, "%d\t%s\t%d\t%d\t%s\n", a.ID, orDash(a.Name), a.Servers, a.Monitors, a.Flags)
	}
	return table.Flush()
}

// accountJSON is an account as --json prints it. Its flags are as stored: JSON, or else a text.
type accountJSON struct {
	ID       uint32 `json:"id"`
	Name     string `json:"name"`
	Servers  int    `json:"servers"`
	Monitors int    `json:"monitors"`
	Flags    any    `json:"flags"`
}

func printAccountsJSON(con console, accounts []persistence.AccountListing) error {
	lines := json.NewEncoder(con.stdout)
	for _, a := range accounts {
		line := accountJSON{ID: uint32(a.ID), Name: a.Name, Servers: a.Servers, Monitors: a.Monitors, Flags: a.Flags}
		if json.Valid([]byte(a.Flags)) {
			line.Flags = json.RawMessage(a.Flags)
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// accountFlags are what may be said of an account.
type accountFlags struct {
	fs         *flag.FlagSet
	name       string
	monitors   int
	perServer  int
	mayMonitor bool
}

func newAccountFlags(fs *flag.FlagSet) *accountFlags {
	f := &accountFlags{fs: fs}
	fs.IntVar(&f.monitors, "monitor-limit", 0, "how many monitors it may have: a `number` from 1")
	fs.IntVar(&f.perServer, "monitors-per-server-limit", 0, "how many of its monitors may be active for one server: a `number` from 1 (2 where nothing is said)")
	fs.BoolVar(&f.mayMonitor, "monitor-enabled", true, "whether it may add monitors")
	return f
}

// change is what was said, and whether anything was.
func (f *accountFlags) change() (change persistence.AccountChange, asked bool, err error) {
	f.fs.Visit(func(set *flag.Flag) {
		switch set.Name {
		case "name":
			change.Name, asked = &f.name, true
		case "monitor-limit":
			change.MonitorLimit, asked = &f.monitors, true
		case "monitors-per-server-limit":
			change.MonitorsPerServerLimit, asked = &f.perServer, true
		case "monitor-enabled":
			change.MonitorEnabled, asked = &f.mayMonitor, true
		}
	})
	switch {
	case change.Name != nil && f.name == "":
		err = usagef("--name is empty")
	case change.MonitorLimit != nil && f.monitors < 1:
		err = usagef("--monitor-limit %d is less than 1; none may be added with --monitor-enabled=false", f.monitors)
	case change.MonitorsPerServerLimit != nil && f.perServer < 1:
		err = usagef("--monitors-per-server-limit %d is less than 1", f.perServer)
	}
	return change, asked, err
}

func accountsAddCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer accounts add")
	database, flags := newDatabaseFlags(fs), newAccountFlags(fs)
	return &ffcli.Command{
		Name:       "add",
		ShortUsage: "truechimer accounts add [flags] NAME",
		ShortHelp:  "add an account",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef("truechimer accounts add takes one NAME")
			}
			change, asked, err := flags.change()
			if err != nil {
				return err
			}
			return addAccount(ctx, con, database, args[0], change, asked)
		},
	}
}

func addAccount(ctx context.Context, con console, database databaseFlags, name string, change persistence.AccountChange, asked bool) error {
	db, err := database.openToChange(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	accounts, err := db.Accounts(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(accounts, func(a persistence.AccountListing) bool { return a.Name == name }) {
		return fmt.Errorf("there is an account %s already; change it with: truechimer accounts set %s", name, name)
	}
	id, err := db.EnsureAccount(ctx, who(), name)
	if err == nil && asked {
		err = db.SetAccount(ctx, who(), id, change)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(con.stdout, "%s is added (account %d)\n", name, id)
	return nil
}

func accountsSetCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer accounts set")
	database, flags := newDatabaseFlags(fs), newAccountFlags(fs)
	fs.StringVar(&flags.name, "name", "", "its new `name`")
	return &ffcli.Command{
		Name:       "set",
		ShortUsage: "truechimer accounts set [flags] ACCOUNT",
		ShortHelp:  "change an account; what isn't named stays",
		LongHelp:   "ACCOUNT is a name or an id. Running hubs follow within a second: selection sees the new limit at once.",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("truechimer accounts set takes one ACCOUNT")
			}
			change, asked, err := flags.change()
			if err == nil && !asked {
				err = usagef("nothing is to be changed: truechimer accounts set -h shows what can be")
			}
			if err != nil {
				return err
			}
			return setAccount(ctx, con, database, args[0], change)
		},
	}
}

func setAccount(ctx context.Context, con console, database databaseFlags, name string, change persistence.AccountChange) error {
	db, err := database.openToChange(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	account, err := accountNamed(ctx, db, name)
	if err != nil {
		return err
	}
	err = db.SetAccount(ctx, who(), account.ID, change)
	switch {
	case errors.Is(err, persistence.ErrNameTaken):
		return fmt.Errorf("there is an account %s already; choose another name", *change.Name)
	case errors.Is(err, persistence.ErrFlagsUnreadable):
		return fmt.Errorf("%w; replace them with all of --monitor-limit, --monitors-per-server-limit and --monitor-enabled", err)
	case err != nil:
		return err
	}
	fmt.Fprintf(con.stdout, "%s is changed (account %d)\n", orDash(account.Name), account.ID)
	return nil
}

// accountNamed is the account that a person means, by name or id.
func accountNamed(ctx context.Context, db persistence.Administration, name string) (pool.Account, error) {
	accounts, err := db.Accounts(ctx)
	if err != nil {
		return pool.Account{}, err
	}
	var found []pool.Account
	for _, a := range accounts {
		if a.Name == name || strconv.FormatUint(uint64(a.ID), 10) == name {
			found = append(found, a.Account)
		}
	}
	switch len(found) {
	case 0:
		return pool.Account{}, fmt.Errorf("there is no account %s; add it with: truechimer accounts add %s", name, name)
	case 1:
		return found[0], nil
	}
	return pool.Account{}, fmt.Errorf("%d accounts are meant by %s; name one by its id: truechimer accounts list shows them", len(found), name)
}

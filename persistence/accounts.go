package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
)

// EnsureAccount finds or makes the account of a name.
func (m *MySQL) EnsureAccount(ctx context.Context, who, name string) (pool.AccountID, error) {
	if name == "" {
		return 0, errNoName
	}
	var id pool.AccountID
	err := m.administer(ctx, who, func(q *sqlcgen.Queries) (entry, error) {
		found, err := q.AccountNamed(ctx, known(name))
		if err == nil {
			id = found
			return entry{}, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return entry{}, err
		}
		made, err := q.AddAccount(ctx, known(name))
		if err != nil {
			return entry{}, err
		}
		id = pool.AccountID(made)
		return accountAdded(id, name), nil
	})
	if err != nil {
		return 0, fmt.Errorf("ensure account %q: %w", name, err)
	}
	return id, nil
}

// accountAdded is the entry of a new account.
func accountAdded(id pool.AccountID, name string) entry {
	return entry{pool.ChangedAccount, idText(id), "added " + name}
}

// Accounts lists all accounts by id.
func (m *MySQL) Accounts(ctx context.Context) ([]AccountListing, error) {
	rows, err := sqlcgen.New(m.db).AccountListings(ctx)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", explained(err))
	}
	listings := make([]AccountListing, len(rows))
	for i, row := range rows {
		listings[i] = AccountListing{
			Account:  accountOf(sqlcgen.AccountsRow{ID: row.ID, Name: row.Name, Flags: row.Flags}),
			Servers:  int(row.Servers),
			Monitors: int(row.Monitors),
		}
	}
	return listings, nil
}

// SetAccount changes what the change names and leaves the rest.
func (m *MySQL) SetAccount(ctx context.Context, who string, id pool.AccountID, change AccountChange) error {
	if err := change.check(); err != nil {
		return fmt.Errorf("set account %d: %w", id, err)
	}
	err := m.administer(ctx, who, func(q *sqlcgen.Queries) (entry, error) {
		row, err := q.AccountForUpdate(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return entry{}, ErrNotFound
		}
		if err != nil {
			return entry{}, err
		}
		set := sqlcgen.SetAccountParams{ID: id, Name: row.Name}
		if set.Flags, err = change.flags(row.Flags); err != nil {
			return entry{}, err
		}
		if change.Name != nil {
			set.Name = known(*change.Name)
			taken, err := q.OtherAccountNamed(ctx, sqlcgen.OtherAccountNamedParams{Name: set.Name, ID: id})
			if err != nil {
				return entry{}, err
			}
			if taken {
				return entry{}, ErrNameTaken
			}
		}
		return accountSet(id, change), q.SetAccount(ctx, set)
	})
	if err != nil {
		return fmt.Errorf("set account %d: %w", id, err)
	}
	return nil
}

// check says why an account can't be changed so.
func (c AccountChange) check() error {
	switch {
	case c.Name != nil && *c.Name == "":
		return errNoName
	case c.Name != nil && len(*c.Name) > maxName:
		return fmt.Errorf("its name is longer than %d characters", maxName)
	case c.MonitorLimit != nil && *c.MonitorLimit < 0, c.MonitorsPerServerLimit != nil && *c.MonitorsPerServerLimit < 0:
		return errors.New("a limit must not be negative")
	}
	return nil
}

// flag is a flag of an account with its value in JSON.
type flag struct{ name, value string }

// named are the flags that the change names.
func (c AccountChange) named() []flag {
	var flags []flag
	if c.MonitorLimit != nil {
		flags = append(flags, flag{"monitor_limit", fmt.Sprint(*c.MonitorLimit)})
	}
	if c.MonitorsPerServerLimit != nil {
		flags = append(flags, flag{"monitors_per_server_limit", fmt.Sprint(*c.MonitorsPerServerLimit)})
	}
	if c.MonitorEnabled != nil {
		flags = append(flags, flag{"monitor_enabled", fmt.Sprint(*c.MonitorEnabled)})
	}
	return flags
}

// flags are an account's stored flags after the change.
func (c AccountChange) flags(stored string) (string, error) {
	const all = 3 // flags that we know
	named := c.named()
	if len(named) == 0 {
		return stored, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(stored), &object); err != nil || object == nil {
		if len(named) < all {
			return "", fmt.Errorf("%w: %.100q", ErrFlagsUnreadable, stored)
		}
		object = make(map[string]json.RawMessage)
	}
	for _, flag := range named {
		object[flag.name] = json.RawMessage(flag.value)
	}
	text, err := json.Marshal(object)
	if err != nil {
		panic(err) // what was just read, numbers and booleans always marshal
	}
	return string(text), nil
}

// accountSet is the entry of a changed account, in the words of a change.
func accountSet(id pool.AccountID, change AccountChange) entry {
	var words []string
	if change.Name != nil {
		words = append(words, "name "+*change.Name)
	}
	for _, flag := range change.named() {
		words = append(words, flag.name+" "+flag.value)
	}
	return entry{pool.ChangedAccount, idText(id), strings.Join(words, ", ")}
}

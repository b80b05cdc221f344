package persistence_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"truechimer/persistence"
	"truechimer/pool"
)

// accountRules say how accounts change.
func accountRules() []rule {
	return []rule{
		{"accounts are listed with what belongs to them", accountsAreListed},
		{"an account changes as told and not otherwise", accountsChange},
		{"an account's flags count at once", flagsCount},
		{"an account that can't be is refused", badAccounts},
	}
}

// accountOf lists one account.
func (w *world) accountOf(id pool.AccountID) persistence.AccountListing {
	w.t.Helper()
	accounts, err := w.Accounts(w.t.Context())
	w.must(err)
	return accounts[id-1]
}

func accountsAreListed(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 1)
	other, err := w.EnsureAccount(t.Context(), "me", "other")
	w.must(err)
	for i := range 3 {
		_, _, err := w.AddServer(t.Context(), "me", pool.Server{Addr: serverAddr(10 + i), Account: other})
		w.must(err)
	}
	w.must(w.RemoveServer(t.Context(), "me", 3, noon))
	w.must(w.SetMonitor(t.Context(), "me", w.v6, persistence.MonitorChange{Status: ptr(pool.GlobalDeleted)}))
	accounts, err := w.Accounts(t.Context())
	w.must(err)
	w.same("accounts", []persistence.AccountListing{
		{Account: pool.Account{ID: w.account, Name: "acme", Flags: "{}"}, Monitors: 1},
		{Account: pool.Account{ID: other, Name: "other", Flags: "{}"}, Servers: 2},
	}, accounts)
}

func accountsChange(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	after, err := w.LatestChange(t.Context())
	w.must(err)
	steps := []struct {
		name   string
		change persistence.AccountChange
		want   string // the account's name
		flags  map[string]any
	}{
		{"nothing", persistence.AccountChange{}, "acme", map[string]any{}},
		{"name", persistence.AccountChange{Name: ptr("Acme & Söhne")}, "Acme & Söhne", map[string]any{}},
		{"its own name", persistence.AccountChange{Name: ptr("Acme & Söhne")}, "Acme & Söhne", map[string]any{}},
		{"limit", persistence.AccountChange{MonitorLimit: ptr(5)}, "Acme & Söhne", map[string]any{"monitor_limit": 5.0}},
		{
			"enabled", persistence.AccountChange{MonitorEnabled: ptr(false)}, "Acme & Söhne",
			map[string]any{"monitor_limit": 5.0, "monitor_enabled": false},
		},
		{
			"all", persistence.AccountChange{Name: ptr("acme"), MonitorLimit: ptr(0), MonitorsPerServerLimit: ptr(3), MonitorEnabled: ptr(true)}, "acme",
			map[string]any{"monitor_limit": 0.0, "monitors_per_server_limit": 3.0, "monitor_enabled": true},
		},
	}
	for _, step := range steps {
		w.must(w.SetAccount(t.Context(), "me", w.account, step.change))
		have := w.accountOf(w.account)
		var flags map[string]any
		w.must(json.Unmarshal([]byte(have.Flags), &flags))
		w.same(step.name+": name", step.want, have.Name)
		w.same(step.name+": flags", step.flags, flags)
	}
	changes, err := w.Changes(t.Context(), after)
	w.must(err)
	for _, change := range changes {
		w.same("change", pool.Change{ID: change.ID, Kind: pool.ChangedAccount, Key: "1"}, change)
	}
	if len(changes) != len(steps) {
		t.Errorf("%d changes", len(changes))
	}
}

func flagsCount(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0) // whose account has two monitors
	add := func(name string) error {
		return w.AddAgent(t.Context(), "me", pool.Agent{Name: name, Account: w.account}, []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalActive}})
	}
	w.must(w.SetAccount(t.Context(), "me", w.account, persistence.AccountChange{MonitorLimit: ptr(2)}))
	if err := add("a"); !errors.Is(err, persistence.ErrMonitorsRefused) {
		t.Errorf("a third monitor of two: %v", err)
	}
	w.must(w.SetAccount(t.Context(), "me", w.account, persistence.AccountChange{MonitorLimit: ptr(3)}))
	w.must(add("a"))
	roster, err := w.LoadRoster(t.Context())
	w.must(err)
	w.same("flags in the roster", w.accountOf(w.account).Flags, roster.Accounts[0].Flags)
}

func badAccounts(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	_, err := w.EnsureAccount(t.Context(), "me", "other")
	w.must(err)
	want := w.accountOf(w.account)
	for _, bad := range []struct {
		name   string
		id     pool.AccountID
		change persistence.AccountChange
		is     error
	}{
		{"no account", 0, persistence.AccountChange{}, persistence.ErrNotFound},
		{"an unknown account", 99, persistence.AccountChange{Name: ptr("x")}, persistence.ErrNotFound},
		{"another one's name", w.account, persistence.AccountChange{Name: ptr("other"), MonitorLimit: ptr(1)}, persistence.ErrNameTaken},
		{"no name", w.account, persistence.AccountChange{Name: ptr("")}, nil},
		{"a long name", w.account, persistence.AccountChange{Name: ptr(strings.Repeat("x", 256))}, nil},
		{"a negative limit", w.account, persistence.AccountChange{MonitorLimit: ptr(-1)}, nil},
		{"a negative limit for a server", w.account, persistence.AccountChange{MonitorsPerServerLimit: ptr(-1)}, nil},
	} {
		err := w.SetAccount(t.Context(), "me", bad.id, bad.change)
		if err == nil || bad.is != nil && !errors.Is(err, bad.is) {
			t.Errorf("%s: %v", bad.name, err)
		}
	}
	w.same("account", want, w.accountOf(w.account))
}

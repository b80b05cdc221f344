//go:build integration

package persistence_test

import (
	"errors"
	"testing"

	"truechimer/persistence"
)

// Flags that are no JSON are left to people, unless all that we know of are replaced; what others keep in them stays.
func TestFlagsOfOthersStay(t *testing.T) {
	store, db := freshMySQL(t)
	w := newWorld(t, store, 0)
	all := persistence.AccountChange{MonitorLimit: ptr(1), MonitorsPerServerLimit: ptr(2), MonitorEnabled: ptr(true)}
	for _, row := range []struct {
		stored string
		change persistence.AccountChange
		want   string
		is     error
	}{
		{`{"theirs":[1,2],"monitor_limit":9}`, persistence.AccountChange{MonitorLimit: ptr(3)}, `{"monitor_limit":3,"theirs":[1,2]}`, nil},
		{`not JSON`, persistence.AccountChange{MonitorLimit: ptr(3)}, `not JSON`, persistence.ErrFlagsUnreadable},
		{`[1]`, persistence.AccountChange{MonitorEnabled: ptr(false)}, `[1]`, persistence.ErrFlagsUnreadable},
		{`null`, persistence.AccountChange{MonitorEnabled: ptr(false)}, `null`, persistence.ErrFlagsUnreadable},
		{`not JSON`, persistence.AccountChange{Name: ptr("acme")}, `not JSON`, nil},
		{`not JSON`, all, `{"monitor_enabled":true,"monitor_limit":1,"monitors_per_server_limit":2}`, nil},
	} {
		run(t, db, "UPDATE accounts SET flags = '"+row.stored+"'")
		if err := store.SetAccount(t.Context(), "me", w.account, row.change); !errors.Is(err, row.is) {
			t.Errorf("%s: %v", row.stored, err)
		}
		w.same(row.stored, []string{row.want}, column(t, db, "SELECT flags FROM accounts"))
	}
}

package persistence

import (
	"context"
	"fmt"

	"truechimer/pool"
)

// Accounts lists all accounts by id.
func (m *Memory) Accounts(context.Context) ([]AccountListing, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	listings := make([]AccountListing, len(m.accounts))
	for i, account := range m.accounts {
		listings[i] = AccountListing{Account: account, Monitors: m.monitorsOwnedBy(account.ID)}
		for _, server := range m.servers {
			if server.image.Server.Account == account.ID && server.image.Server.Deletion.IsZero() {
				listings[i].Servers++
			}
		}
	}
	return listings, nil
}

// monitorsOwnedBy counts an account's monitors that aren't deleted.
func (m *Memory) monitorsOwnedBy(account pool.AccountID) int {
	has := 0
	for _, monitor := range m.monitors {
		if monitor.Account == account && monitor.Status != pool.GlobalDeleted {
			has++
		}
	}
	return has
}

// SetAccount changes what the change names and leaves the rest.
func (m *Memory) SetAccount(_ context.Context, _ string, id pool.AccountID, change AccountChange) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := m.setAccount(id, change); err != nil {
		return fmt.Errorf("set account %d: %w", id, err)
	}
	m.record(accountSet(id, change))
	return nil
}

func (m *Memory) setAccount(id pool.AccountID, change AccountChange) error {
	if err := change.check(); err != nil {
		return err
	}
	if id == 0 || int(id) > len(m.accounts) {
		return ErrNotFound
	}
	account := m.accounts[id-1]
	flags, err := change.flags(account.Flags)
	if err != nil {
		return err
	}
	account.Flags = flags
	if change.Name != nil {
		for _, other := range m.accounts {
			if other.ID != id && other.Name == *change.Name {
				return ErrNameTaken
			}
		}
		account.Name = *change.Name
	}
	m.accounts[id-1] = account
	return nil
}

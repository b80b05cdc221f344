package persistence

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"truechimer/pool"
)

// record adds a change; who made it and how is nothing that Memory is asked for.
func (m *Memory) record(made entry) {
	m.changes = append(m.changes, pool.Change{ID: uint64(len(m.changes) + 1), Kind: made.kind, Key: made.key})
}

// Changes are those after one.
func (m *Memory) Changes(_ context.Context, after uint64) ([]pool.Change, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return slices.Clone(m.changes[min(after, uint64(len(m.changes))):]), nil
}

// LatestChange is the id of the newest one.
func (m *Memory) LatestChange(_ context.Context) (uint64, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return uint64(len(m.changes)), nil
}

// Authority gets a secret, and makes it where there is none.
func (m *Memory) Authority(_ context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if secret, known := m.secrets[name]; known {
		return bytes.Clone(secret), nil
	}
	made, err := create()
	if err != nil {
		return nil, fmt.Errorf("make secret %q: %w", name, err)
	}
	m.secrets[name] = bytes.Clone(made)
	return made, nil
}

// EnsureAccount finds or makes the account of a name.
func (m *Memory) EnsureAccount(_ context.Context, _, name string) (pool.AccountID, error) {
	if name == "" {
		return 0, errNoName
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, account := range m.accounts {
		if account.Name == name {
			return account.ID, nil
		}
	}
	id := pool.AccountID(len(m.accounts) + 1)
	m.accounts = append(m.accounts, pool.Account{ID: id, Name: name, Flags: "{}"})
	m.record(accountAdded(id, name))
	return id, nil
}

// AddServer adds a server, or has a removed one watched again.
func (m *Memory) AddServer(_ context.Context, _ string, server pool.Server) (id pool.ServerID, added bool, err error) {
	server, err = checkServer(server)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err == nil && int(server.Account) > len(m.accounts) {
		err = errNoAccount(server.Account)
	}
	if err != nil {
		return 0, false, fmt.Errorf("add server %s: %w", server.Addr, err)
	}
	fresh := pool.Server{Addr: server.Addr, Account: server.Account, Hostname: server.Hostname}
	for _, kept := range m.servers {
		there := &kept.image.Server
		switch {
		case there.Addr.Addr() != server.Addr.Addr():
			continue
		case there.Deletion.IsZero() && there.Addr.Port() != server.Addr.Port():
			return 0, false, fmt.Errorf("add server %s: %w", server.Addr, errOtherPort(there.Addr.Port()))
		case there.Deletion.IsZero():
			return there.ID, false, nil
		}
		there.Addr, there.Account, there.Hostname, there.Deletion = fresh.Addr, fresh.Account, fresh.Hostname, time.Time{}
		m.record(serverAdded(there.ID, fresh))
		return there.ID, true, nil
	}
	fresh.ID = pool.ServerID(len(m.servers) + 1)
	m.servers = append(m.servers, &keptServer{image: pool.ServerImage{Server: fresh}, ids: make(map[sampleKey]pool.LogID)})
	m.record(serverAdded(fresh.ID, fresh))
	return fresh.ID, true, nil
}

// RemoveServer sets the day from which a server isn't watched any more, unless an earlier one is set.
func (m *Memory) RemoveServer(_ context.Context, _ string, id pool.ServerID, now time.Time) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	kept := m.server(id)
	if kept == nil {
		return fmt.Errorf("remove server %d: %w", id, ErrNotFound)
	}
	from, deletion := dayOf(now), &kept.image.Server.Deletion
	if deletion.IsZero() || deletion.After(from) {
		*deletion = from
		m.record(serverRemoved(id, from))
	}
	return nil
}

// Servers lists all servers by id.
func (m *Memory) Servers(_ context.Context) ([]ServerListing, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	listings := make([]ServerListing, len(m.servers))
	for i, kept := range m.servers {
		listings[i].Server = kept.image.Server
		for _, pair := range kept.image.Pairs {
			switch {
			case m.isScorer(pair.Monitor):
			case pair.Status == pool.Active:
				listings[i].Active++
			case pair.Status == pool.Testing:
				listings[i].Testing++
			}
		}
	}
	return listings, nil
}

// SetSettings stores the settings. Those that are stored already are no change.
func (m *Memory) SetSettings(_ context.Context, _ string, settings pool.Settings) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	text := overlaidSettings(m.settings, settings)
	if sameJSON(text, m.settings) {
		return nil
	}
	m.settings = text
	m.record(settingsSet(settings))
	return nil
}

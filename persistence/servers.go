package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
)

// errNoName refuses what has no name.
var errNoName = errors.New("a name must not be empty")

// The entries of what is done to servers, in the same words for every store.
func serverAdded(id pool.ServerID, server pool.Server) entry {
	return entry{pool.ChangedServer, idText(id), "added " + server.Addr.String()}
}

func serverRemoved(id pool.ServerID, from time.Time) entry {
	return entry{pool.ChangedServer, idText(id), "removed from " + from.Format(time.DateOnly)}
}

func idText[T ~uint32](id T) string { return strconv.FormatUint(uint64(id), 10) }

// AddServer inserts a server, or has a removed one watched again.
func (m *MySQL) AddServer(ctx context.Context, who string, server pool.Server) (id pool.ServerID, added bool, err error) {
	server, err = checkServer(server)
	if err != nil {
		return 0, false, fmt.Errorf("add server %s: %w", server.Addr, err)
	}
	err = m.administer(ctx, who, func(q *sqlcgen.Queries) (entry, error) {
		id, added, err = addServer(ctx, q, server)
		if numberOf(err) == faultNoParent {
			err = errNoAccount(server.Account)
		}
		if err != nil || !added {
			return entry{}, err
		}
		return serverAdded(id, server), nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("add server %s: %w", server.Addr, err)
	}
	return id, added, nil
}

// checkServer is the server with its address in the form that is stored.
func checkServer(server pool.Server) (pool.Server, error) {
	if !server.Addr.IsValid() || server.Addr.Port() == 0 {
		return server, errors.New("it has no address or no port")
	}
	server.Addr = netip.AddrPortFrom(storedAddr(server.Addr.Addr()), server.Addr.Port())
	return server, nil
}

func errNoAccount(id pool.AccountID) error { return fmt.Errorf("account %d: %w", id, ErrNotFound) }

// errOtherPort refuses a second server at one address.
func errOtherPort(port uint16) error {
	return fmt.Errorf("its address is watched already, at port %d", port)
}

func addServer(ctx context.Context, q *sqlcgen.Queries, server pool.Server) (pool.ServerID, bool, error) {
	ip := server.Addr.Addr().String()
	found, err := q.ServerAt(ctx, ip)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		id, err := insertServer(ctx, q, ip, server)
		return id, true, err
	case err != nil:
		return 0, false, err
	case found.DeletionOn.Valid:
		err := q.ReviveServer(ctx, sqlcgen.ReviveServerParams{
			ID: found.ID, Port: server.Addr.Port(), AccountID: number(server.Account), Hostname: known(server.Hostname),
		})
		return found.ID, true, err
	case found.Port != server.Addr.Port():
		return 0, false, errOtherPort(found.Port)
	}
	return found.ID, false, nil
}

// insertServer inserts a server and, now that its id is known, its shard.
func insertServer(ctx context.Context, q *sqlcgen.Queries, ip string, server pool.Server) (pool.ServerID, error) {
	made, err := q.AddServer(ctx, sqlcgen.AddServerParams{
		Ip:        ip,
		Port:      server.Addr.Port(),
		IpVersion: pool.VersionOf(server.Addr.Addr()).String(),
		AccountID: number(server.Account),
		Hostname:  known(server.Hostname),
	})
	if err != nil {
		return 0, err
	}
	id := pool.ServerID(made)
	return id, q.SetShard(ctx, id)
}

// RemoveServer sets the day from which a server isn't watched any more, unless an earlier one is set.
func (m *MySQL) RemoveServer(ctx context.Context, who string, id pool.ServerID, now time.Time) error {
	from := dayOf(now)
	err := m.administer(ctx, who, func(q *sqlcgen.Queries) (entry, error) {
		deletion, err := q.DeletionOf(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return entry{}, ErrNotFound
		}
		if err != nil || deletion.Valid && !deletion.Time.After(from) {
			return entry{}, err
		}
		if err := q.RemoveServer(ctx, sqlcgen.RemoveServerParams{ID: id, DeletionOn: moment(from)}); err != nil {
			return entry{}, err
		}
		return serverRemoved(id, from), nil
	})
	if err != nil {
		return fmt.Errorf("remove server %d: %w", id, err)
	}
	return nil
}

// Servers lists all servers by id.
func (m *MySQL) Servers(ctx context.Context) ([]ServerListing, error) {
	rows, err := sqlcgen.New(m.db).ServerListings(ctx)
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", explained(err))
	}
	listings := make([]ServerListing, len(rows))
	for i, row := range rows {
		listings[i] = ServerListing{
			Server: serverOf(sqlcgen.ServerRow{
				ID: row.ID, Ip: row.Ip, Port: row.Port, AccountID: row.AccountID, Hostname: row.Hostname, Stratum: row.Stratum,
				ScoreTs: row.ScoreTs, ScoreRaw: row.ScoreRaw, DeletionOn: row.DeletionOn,
			}),
			Active:  int(row.Active),
			Testing: int(row.Testing),
		}
		if !isReadable(listings[i].Server) {
			listings[i].Odd = row.Ip
		}
	}
	return listings, nil
}

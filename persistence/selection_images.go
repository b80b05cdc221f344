package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"truechimer/pool"
)

// readImages reads servers with what selection looks at, by server. Of ids that there aren't there is no image.
func (s *selections) readImages(ctx context.Context, tx *sql.Tx, servers []pool.ServerID) ([]*pool.ServerImage, error) {
	var images []*pool.ServerImage
	for chunk := range slices.Chunk(servers, serversPerRead) {
		some, err := s.readServers(ctx, tx, chunk)
		if err != nil {
			return nil, fmt.Errorf("servers: %w", err)
		}
		of, _ := indexed(some)
		if err := s.readPairs(ctx, tx, chunk, of); err != nil {
			return nil, fmt.Errorf("pairs: %w", err)
		}
		if err := s.readReviews(ctx, tx, chunk, of); err != nil {
			return nil, fmt.Errorf("reviews: %w", err)
		}
		images = append(images, some...)
	}
	return images, nil
}

// columnsOf are columns of a table, each NULL where there is none.
func (s *selections) columnsOf(table string, names ...string) string {
	columns := make([]string, len(names))
	for i, name := range names {
		columns[i] = s.layout.column(table, name, "NULL")
	}
	return strings.Join(columns, ", ")
}

func (s *selections) readServers(ctx context.Context, tx *sql.Tx, servers []pool.ServerID) ([]*pool.ServerImage, error) {
	query := "SELECT id, ip, " + s.layout.column("servers", "port", "123") + ", " +
		s.columnsOf("servers", "account_id", "hostname", "deletion_on", "score_ts", "score_raw", "stratum") +
		" FROM servers WHERE" + among("id", servers) + "ORDER BY id"
	var images []*pool.ServerImage
	err := eachRow(ctx, tx, query, func(scan scanner) error {
		var id, port, account, stratum integer
		var ip, hostname word
		var deletion, scored sql.NullTime
		var score sql.NullFloat64
		err := scan(&id, &ip, &port, &account, &hostname, &deletion, &scored, &score, &stratum)
		server := pool.Server{
			ID:       pool.ServerID(id),
			Addr:     netip.AddrPortFrom(parseAddr(string(ip)), uint16(port)),
			Account:  pool.AccountID(account),
			Hostname: string(hostname),
			Deletion: deletion.Time,
			Score:    score.Float64,
			ScoreAt:  scored.Time,
			Stratum:  uint8(stratum),
		}
		if isReadable(server) {
			images = append(images, &pool.ServerImage{Server: server})
		}
		return err
	})
	return images, err
}

func (s *selections) readPairs(ctx context.Context, tx *sql.Tx, servers []pool.ServerID, of map[pool.ServerID]*pool.ServerImage) error {
	query := "SELECT server_id, monitor_id, status, " + s.columnsOf("server_scores", "constraint_violation_type",
		"constraint_violation_since", "last_constraint_check", "pause_reason") +
		" FROM server_scores WHERE" + among("server_id", servers) + "AND monitor_id NOT IN (" + idList(s.log.scorers) +
		") ORDER BY server_id, monitor_id"
	var server, monitor integer
	var status, violation, reason word
	var since, checked sql.NullTime
	var image *pool.ServerImage
	usual := 0 // pairs of a server: as many as the one before it has
	return eachRow(ctx, tx, query, func(scan scanner) error {
		if err := scan(&server, &monitor, &status, &violation, &since, &checked, &reason); err != nil {
			return err
		}
		if image == nil || image.Server.ID != pool.ServerID(server) {
			if image != nil {
				usual = len(image.Pairs)
			}
			if image = of[pool.ServerID(server)]; image == nil {
				return nil // of a server that was removed from the table
			}
			image.Pairs = make([]pool.Pair, 0, usual)
		}
		image.Pairs = append(image.Pairs, pool.Pair{
			Monitor:        pool.MonitorID(monitor),
			Server:         image.Server.ID,
			Status:         pool.Status(status),
			Violation:      string(violation),
			ViolationSince: since.Time,
			LastCheck:      checked.Time,
			PauseReason:    string(reason),
		})
		return nil
	})
}

func (s *selections) readReviews(ctx context.Context, tx *sql.Tx, servers []pool.ServerID, of map[pool.ServerID]*pool.ServerImage) error {
	if !s.layout.has("servers_monitor_review.server_id") {
		return nil
	}
	query := "SELECT server_id, " + s.columnsOf("servers_monitor_review", "last_review", "next_review", "last_change") +
		" FROM servers_monitor_review WHERE" + among("server_id", servers)
	return eachRow(ctx, tx, query, func(scan scanner) error {
		var server integer
		var last, next, change sql.NullTime
		err := scan(&server, &last, &next, &change)
		if image := of[pool.ServerID(server)]; image != nil {
			image.Review = pool.Review{Last: last.Time, Next: next.Time, Change: change.Time}
		}
		return err
	})
}

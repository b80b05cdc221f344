package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"truechimer/persistence/sqlcgen"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// Open activates shards in one transaction, whatever their number, and reads all that belongs to them in ten queries,
// and two more for each serversPerRead servers.
func (m *MySQL) Open(ctx context.Context, hub string, shards []pool.ShardID, now time.Time) ([]pool.ShardImage, error) {
	shards, err := checkShards(shards)
	if err != nil || len(shards) == 0 {
		return nil, err
	}
	images, err := m.activate(ctx, hub, shards)
	if err != nil {
		return nil, fmt.Errorf("activate %d shards for hub %q: %w", len(shards), hub, err)
	}
	// From here on nobody else can commit to these shards, so that what is read now is what there is.
	err = m.view(ctx, func(tx *sql.Tx) error {
		q := sqlcgen.New(tx)
		if err := readServers(ctx, q, shards, images); err != nil {
			return fmt.Errorf("servers: %w", err)
		}
		if err := m.readFigures(ctx, tx, now, serversIn(images)); err != nil {
			return fmt.Errorf("figures: %w", err)
		}
		if err := readAgents(ctx, q, shards, images); err != nil {
			return fmt.Errorf("agents: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load %d shards: %w", len(shards), err)
	}
	return images, nil
}

// checkShards sorts shards, leaves out repetitions, and refuses one that can't be.
func checkShards(shards []pool.ShardID) ([]pool.ShardID, error) {
	shards = sortedSet(shards)
	if last := len(shards) - 1; last >= 0 && shards[last] >= placement.Shards {
		return nil, fmt.Errorf("open shard %d: there are only %d, from 0", shards[last], placement.Shards)
	}
	return shards, nil
}

// activate takes the next epoch of each shard, and gives servers of other writers their shard.
func (m *MySQL) activate(ctx context.Context, hub string, shards []pool.ShardID) ([]pool.ShardImage, error) {
	var images []pool.ShardImage
	err := m.change(ctx, func(tx *sql.Tx) error {
		q := sqlcgen.New(tx)
		rows, err := q.LockEpochs(ctx, shards)
		if err != nil {
			return err
		}
		if len(rows) != len(shards) {
			return fmt.Errorf("the table shards has only %d of them", len(rows))
		}
		images = make([]pool.ShardImage, len(rows))
		for i, row := range rows {
			images[i] = pool.ShardImage{Shard: row.ID, Epoch: row.Epoch + 1}
		}
		if err := q.AdvanceEpochs(ctx, sqlcgen.AdvanceEpochsParams{Hub: hub, Shards: shards}); err != nil {
			return err
		}
		return q.AdoptServers(ctx)
	})
	return images, err
}

// readServers reads servers with their pairs and reviews into the images of their shards.
func readServers(ctx context.Context, q *sqlcgen.Queries, shards []pool.ShardID, images []pool.ShardImage) error {
	servers, err := q.ServersOfShards(ctx, shards)
	if err != nil {
		return err
	}
	pairs, err := q.PairsOfShards(ctx, shards)
	if err != nil {
		return fmt.Errorf("pairs: %w", err)
	}
	reviews, err := q.ReviewsOfShards(ctx, shards)
	if err != nil {
		return fmt.Errorf("reviews: %w", err)
	}
	for _, row := range servers {
		image := pool.ServerImage{Server: serverOf(sqlcgen.ServerRow(row))}
		// All three are sorted by server: what belongs to it stands in front.
		for len(pairs) > 0 && pairs[0].ServerID == row.ID {
			image.Pairs = append(image.Pairs, pairOf(sqlcgen.PairsOfServerRow(pairs[0])))
			pairs = pairs[1:]
		}
		if len(reviews) > 0 && reviews[0].ServerID == row.ID {
			image.Review = reviewOf(sqlcgen.ReviewOfServerRow(reviews[0]))
			reviews = reviews[1:]
		}
		if isReadable(image.Server) {
			shard := imageOf(images, placement.OfServer(row.ID))
			shard.Servers = append(shard.Servers, image)
		}
	}
	return nil
}

// serversIn are the images of all servers.
func serversIn(images []pool.ShardImage) []*pool.ServerImage {
	var servers []*pool.ServerImage
	for _, image := range images {
		for i := range image.Servers {
			servers = append(servers, &image.Servers[i])
		}
	}
	return servers
}

// readAgents reads agents with their monitors and assigned pairs into the images of their shards.
func readAgents(ctx context.Context, q *sqlcgen.Queries, shards []pool.ShardID, images []pool.ShardImage) error {
	agents, err := q.AgentsOfShards(ctx, shards)
	if err != nil {
		return err
	}
	monitors, err := q.MonitorsOfShards(ctx, shards)
	if err != nil {
		return fmt.Errorf("monitors: %w", err)
	}
	assigned, err := q.AssignedOfShards(ctx, shards)
	if err != nil {
		return fmt.Errorf("assigned pairs: %w", err)
	}
	monitorsOf := make(map[string][]pool.Monitor, len(agents))
	for _, row := range monitors {
		monitor, _ := monitorOf(sqlcgen.MonitorsOfAgentRow(row))
		monitorsOf[monitor.Agent] = append(monitorsOf[monitor.Agent], monitor)
	}
	assignedTo := make(map[string][]pool.Assigned, len(agents))
	for _, row := range assigned {
		if a := assignedOf(sqlcgen.AssignedOfAgentRow(row)); a.Addr.IsValid() {
			assignedTo[row.TlsName.String] = append(assignedTo[row.TlsName.String], a)
		}
	}
	for _, row := range agents {
		shard := imageOf(images, placement.OfAgent(row.Name))
		shard.Agents = append(shard.Agents, pool.AgentImage{
			Agent:       agentOf(sqlcgen.AgentRow(row)),
			Monitors:    monitorsOf[row.Name],
			Assignments: assignedTo[row.Name],
		})
	}
	return nil
}

// imageOf finds the image of a shard that was opened.
func imageOf(images []pool.ShardImage, shard pool.ShardID) *pool.ShardImage {
	i, _ := slices.BinarySearchFunc(images, shard, func(image pool.ShardImage, shard pool.ShardID) int {
		return int(image.Shard) - int(shard)
	})
	return &images[i]
}

package persistence

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"truechimer/pool"
	"truechimer/pool/placement"
)

// Memory keeps the pool in memory, for simulation and tests. It holds to what MySQL holds to: epochs, one row for
// a sample, commits whole or not at all. It gives the same answers to the same calls, and starts nothing of its own.
// It never waits, so it never looks at a context.
type Memory struct {
	mutex    sync.Mutex
	options  Options
	epochs   [placement.Shards]uint64
	servers  []*keptServer  // number i has id i+1
	monitors []*keptMonitor // likewise; the scorers come first
	accounts []pool.Account // likewise
	agents   map[string]*pool.Agent
	secrets  map[string][]byte
	changes  []pool.Change
	settings string // JSON as stored
	newest   pool.LogID
}

// keptServer is a server and its part of the log.
type keptServer struct {
	image pool.ServerImage
	log   []LogEntry // by id
	ids   map[sampleKey]pool.LogID
}

// keptMonitor is a monitor, or a scorer.
type keptMonitor struct {
	MonitorListing
	scorer pool.ScorerName // empty: it is a monitor
}

var _ Store = (*Memory)(nil)

// changedDatabase is the kind of the first change: the tables were made.
const changedDatabase pool.ChangeKind = "database"

// NewMemory makes a store like a fresh database.
func NewMemory(options Options) *Memory {
	m := &Memory{
		options: options,
		agents:  make(map[string]*pool.Agent),
		secrets: make(map[string][]byte),
	}
	for _, name := range []pool.ScorerName{pool.RecentMedian, pool.Every} {
		m.monitors = append(m.monitors, &keptMonitor{scorer: name})
	}
	m.record(entry{kind: changedDatabase})
	return m
}

// Open activates shards.
func (m *Memory) Open(_ context.Context, _ string, shards []pool.ShardID, now time.Time) ([]pool.ShardImage, error) {
	shards, err := checkShards(shards)
	if err != nil {
		return nil, err
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var images []pool.ShardImage
	for _, shard := range shards {
		m.epochs[shard]++
		images = append(images, pool.ShardImage{Shard: shard, Epoch: m.epochs[shard], Servers: m.serversOf(shard, now)})
	}
	assigned := m.assigned()
	for i := range images {
		for _, name := range slices.Sorted(maps.Keys(m.agents)) {
			if placement.OfAgent(name) == images[i].Shard {
				images[i].Agents = append(images[i].Agents, m.agentImage(name, assigned))
			}
		}
	}
	return images, nil
}

// serversOf are the servers of a shard, by id.
func (m *Memory) serversOf(shard pool.ShardID, now time.Time) []pool.ServerImage {
	var images []pool.ServerImage
	for id := int(shard); id <= len(m.servers); id += placement.Shards {
		if id > 0 {
			images = append(images, m.imageOf(m.servers[id-1], now))
		}
	}
	return images
}

// copied is an image that shares nothing with the one that is kept, so that no reader can change it.
func copied(image pool.ServerImage) pool.ServerImage {
	image.Pairs = slices.Clone(image.Pairs)
	for i := range image.Pairs {
		pair := &image.Pairs[i]
		pair.Cadence = copyOf(pair.Cadence)
		pair.Kept.RTT = copyOf(pair.Kept.RTT)
	}
	return image
}

// copyOf is a pointer to a copy; nil stays nil.
func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// assigned are all pairs that have a place in a timetable, by agent.
func (m *Memory) assigned() map[string][]pool.Assigned {
	all := make(map[string][]pool.Assigned)
	for _, server := range m.servers {
		for _, pair := range server.image.Pairs {
			monitor := m.monitors[pair.Monitor-1]
			if pair.Cadence == nil || monitor.scorer != "" {
				continue
			}
			all[monitor.Agent] = append(all[monitor.Agent], pool.Assigned{
				Server:  pair.Server,
				Addr:    server.image.Server.Addr,
				Monitor: pair.Monitor,
				Status:  pair.Status,
				Cadence: *pair.Cadence,
			})
		}
	}
	return all
}

// agentImage is the image of an agent that there is.
func (m *Memory) agentImage(name string, assigned map[string][]pool.Assigned) pool.AgentImage {
	image := pool.AgentImage{Agent: *m.agents[name], Assignments: assigned[name]}
	for _, monitor := range m.monitorsOf(name) {
		image.Monitors = append(image.Monitors, monitor.Monitor)
	}
	return image
}

// monitorsOf are the monitors of an agent, by IP version.
func (m *Memory) monitorsOf(agent string) []MonitorListing {
	var all []MonitorListing
	for _, monitor := range m.monitors {
		if monitor.scorer == "" && monitor.Agent == agent {
			all = append(all, monitor.MonitorListing)
		}
	}
	slices.SortFunc(all, func(a, b MonitorListing) int { return cmp.Compare(a.Version, b.Version) })
	return all
}

// LoadServer loads one server.
func (m *Memory) LoadServer(_ context.Context, id pool.ServerID, now time.Time) (pool.ServerImage, bool, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	server := m.server(id)
	if server == nil {
		return pool.ServerImage{}, false, nil
	}
	return m.imageOf(server, now), true, nil
}

// server finds a server; nil: there is none of this id.
func (m *Memory) server(id pool.ServerID) *keptServer {
	if id == 0 || int(id) > len(m.servers) {
		return nil
	}
	return m.servers[id-1]
}

// LoadAgent loads one agent.
func (m *Memory) LoadAgent(_ context.Context, name string) (pool.AgentImage, bool, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.agents[name] == nil {
		return pool.AgentImage{}, false, nil
	}
	return m.agentImage(name, m.assigned()), true, nil
}

// LoadRoster loads what every server needs to know of the whole pool.
func (m *Memory) LoadRoster(_ context.Context) (pool.Roster, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	roster := pool.Roster{Accounts: slices.Clone(m.accounts)}
	for i, monitor := range m.monitors {
		switch {
		case monitor.scorer != "":
			roster.Scorers = append(roster.Scorers, pool.Scorer{ID: pool.MonitorID(i + 1), Name: monitor.scorer})
		case monitor.Status != pool.GlobalDeleted:
			roster.Monitors = append(roster.Monitors, monitor.Monitor)
		}
	}
	warnOfLimits(&roster)
	roster.Settings = settingsIn(m.settings, &roster.Warnings)
	return roster, nil
}

// stamp is a time as stored.
func stamp(at time.Time) time.Time {
	if at.IsZero() {
		return time.Time{}
	}
	return timeOfMicros(at.UnixMicro())
}

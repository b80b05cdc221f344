// Package simulation runs a whole pool, a hub, agents and NTP servers, on virtual time: the production's actors
// unchanged, with what lies around them simulated from one seed. The kernel is package world;
// the lab, real NTP servers on loopback for people to look at, is package lab.
//
// What is real here: the actors of hub and agents, their messages, the codec of the link, the in-memory store with
// its epochs and unique samples. What is simulated: time, scheduling, the network, the delays of the store,
// clocks, NTP servers, the MQTT broker.
package simulation

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/agentside"
	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/placement"
	"truechimer/pool/ticket"
	"truechimer/simulation/world"
)

// Config says what is in the pool.
type Config struct {
	World    world.Config
	Agents   []string          // their names; each has a network of its own
	Accounts map[string]string // by agent: whose it is; who isn't in it has an account of its own
	Servers  []Server
	Settings pool.Settings // the zero value takes the defaults
}

// Pool is a simulated pool.
type Pool struct {
	*world.World
	Store *persistence.Memory
	Mood  StoreMood // how the database is
	Board *Board    // what watchers see

	// Skew is how far ahead agents see the servers that they watch, by name, whatever these say; their references are
	// as all see them. It may be changed at any time.
	Skew map[string]time.Duration

	config  Config
	servers map[netip.Addr]*Server
	watch   *watch
	keys    ticket.Keyring
	hub     *Hub
	agents  map[string]*world.Node
}

// Hub is the simulated hub.
type Hub struct {
	Node  *world.Node
	Ready bool
	Halt  string // why it may not go on; empty: it may
}

// Names of nodes, which are also the addresses of their actors.
const hubNode = messages.HubAddress

// New makes a pool whose store knows its agents and servers. Nothing runs yet: see StartHub and StartAgent.
func New(config Config) (*Pool, error) {
	keys, err := ticket.NewKeyring(ticket.Key{ID: 1, Secret: make([]byte, ticket.SecretSize)})
	if err != nil {
		return nil, err
	}
	p := &Pool{
		World:   world.New(config.World),
		Store:   persistence.NewMemory(persistence.Options{}),
		Board:   newBoard(),
		Skew:    make(map[string]time.Duration),
		config:  config,
		servers: make(map[netip.Addr]*Server),
		keys:    keys,
		agents:  make(map[string]*world.Node),
	}
	p.watch = newWatch(p)
	return p, p.fill(context.Background())
}

// operator is who made the pool, for the audit trail.
const operator = "simulation"

// fill has the store know what is in the pool.
func (p *Pool) fill(ctx context.Context) error {
	if p.config.Settings != (pool.Settings{}) {
		if err := p.Store.SetSettings(ctx, operator, p.config.Settings); err != nil {
			return err
		}
	}
	var references []string
	for i := range p.config.Servers {
		s := &p.config.Servers[i]
		p.servers[s.Addr.Addr()] = s
		if s.Reference {
			references = append(references, s.Addr.String())
			continue
		}
		if _, _, err := p.Store.AddServer(ctx, operator, pool.Server{Addr: s.Addr, Hostname: s.Name}); err != nil {
			return err
		}
	}
	for i, name := range p.config.Agents {
		account, err := p.Store.EnsureAccount(ctx, operator, cmp.Or(p.config.Accounts[name], name))
		if err != nil {
			return err
		}
		err = p.Store.AddAgent(ctx, operator, pool.Agent{Name: name, Account: account}, []pool.Monitor{{
			Version: pool.IPv4,
			Addr:    agentAddr(i),
			Status:  pool.GlobalActive,
			Config:  pool.MonitorConfig{BaseChecks: references},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// agentAddr is the address of the nth agent, each in a /20 of its own.
func agentAddr(n int) netip.Addr { return netip.AddrFrom4([4]byte{20, byte(n >> 4), byte(n << 4), 1}) }

// addrOf is the address of an agent by its name.
func (p *Pool) addrOf(agent string) netip.Addr {
	return agentAddr(slices.Index(p.config.Agents, agent))
}

// AddServer puts one more server into the world. That the pool shall watch it is for the store to be told.
func (p *Pool) AddServer(s Server) { p.servers[s.Addr.Addr()] = &s }

// StartHub starts the hub, or starts it again after a crash.
func (p *Pool) StartHub() (*Hub, error) {
	h := &Hub{Node: p.nodeOf(p.hubNode(), hubNode)}
	links := newHubLinks(h.Node, p.addrOf)
	since, err := p.Store.LatestChange(context.Background())
	if err != nil {
		return nil, err
	}
	_, err = hubside.Spawn(hubside.Config{
		Node:       &h.Node.Node,
		Store:      &store{node: h.Node, kept: p.Store, mood: &p.Mood, referee: referee{p}},
		Live:       p.Board,
		Links:      links,
		Directory:  directory{h.Node.System},
		Access:     func(string, time.Time) *messages.LiveAccess { return nil },
		Halt:       func(reason string) { h.Halt = reason },
		Count:      p.Board.count,
		Keys:       p.keys,
		Shards:     allShards(),
		Since:      since,
		Deployment: deployment,
		Ready:      func() { h.Ready = true },
	})
	p.hub = h
	return h, err
}

// allShards are the numbers of all shards.
func allShards() []pool.ShardID {
	shards := make([]pool.ShardID, placement.Shards)
	for i := range shards {
		shards[i] = pool.ShardID(i)
	}
	return shards
}

// deployment is the first part of the topics on the board.
const deployment = "test"

func (p *Pool) hubNode() *world.Node {
	if p.hub == nil {
		return nil
	}
	return p.hub.Node
}

// nodeOf is a new node of a name, or the old one started again.
func (p *Pool) nodeOf(old *world.Node, name string) *world.Node {
	if old == nil {
		return p.NewNode(name)
	}
	return old.Restart()
}

// StartAgent starts an agent, or starts it again after a crash.
func (p *Pool) StartAgent(name string) (*world.Node, error) {
	node := p.nodeOf(p.agents[name], messages.AgentAddress(name))
	p.agents[name] = node
	_, err := agentside.Spawn(agentside.Config{
		Node:     &node.Node,
		Prober:   &prober{pool: p, node: node, agent: name},
		Resolver: resolver{node},
		Link:     newAgentLink(node, name),
		Presence: nobody{},
		Version:  "simulated",
	})
	return node, err
}

// Start starts the hub and all agents.
func (p *Pool) Start() error {
	if _, err := p.StartHub(); err != nil {
		return err
	}
	for _, name := range p.config.Agents {
		if _, err := p.StartAgent(name); err != nil {
			return fmt.Errorf("start agent %s: %w", name, err)
		}
	}
	return nil
}

// Hub is the running hub.
func (p *Pool) Hub() *Hub { return p.hub }

// Agent is the node of an agent.
func (p *Pool) Agent(name string) *world.Node { return p.agents[name] }

// directory is that of a hub that is alone.
type directory struct{ system *actor.ActorSystem }

func (d directory) Shard(shard pool.ShardID) *actor.PID { return hubside.Shard(d.system, shard) }

// nobody sees whether an agent is there. It implements port.Presence.
type nobody struct{}

func (nobody) Announce(*messages.LiveAccess, *messages.LiveAgent) {}
func (nobody) Withdraw()                                          {}

var _ port.Presence = nobody{}

package hubside_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"truechimer/actors/hubside"
	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/placement"
	"truechimer/pool/ticket"
	"truechimer/simulation/world"
)

// rig is a hub in a world of its own. Its store, its agents and its watchers do as the test says.
type rig struct {
	testing.TB
	*world.World
	hub   *world.Node
	root  *actor.PID
	log   bytes.Buffer
	keys  ticket.Keyring
	db    *persistence.Memory // what is stored
	store *store              // the hub's way to it
	live  live
	links links

	counts map[string]int // what the hub counted, as "what/kind"
	ready  int            // how often it said that it is
	halted []string       // why it may not go on
	access func(agent string, now time.Time) *messages.LiveAccess
}

// soon is time enough for any exchange of messages and a handful of transactions, and less than any timer takes.
const soon = 300 * time.Millisecond

// newRig makes a hub that isn't started yet, whose database is fresh.
func newRig(t testing.TB, config world.Config) *rig {
	t.Helper()
	keys, err := ticket.NewKeyring(ticket.Key{ID: 1, Secret: make([]byte, ticket.SecretSize)})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{
		TB: t, keys: keys, db: persistence.NewMemory(persistence.Options{}),
		counts: make(map[string]int),
		access: func(string, time.Time) *messages.LiveAccess { return nil },
	}
	config.Log, config.Keep, config.Level = &r.log, 50, zerolog.InfoLevel
	r.World = world.New(config)
	r.live = live{retained: make(map[string][]byte)}
	r.boot()
	return r
}

// boot makes the process of a hub, or of the next one after a crash.
func (r *rig) boot() {
	if r.hub == nil {
		r.hub = r.NewNode(messages.HubAddress)
	} else {
		r.hub = r.hub.Restart()
	}
	r.store = newStore(r)
	r.links = links{rig: r, last: r.links.last, agents: make(map[string]*agent)}
	r.hub.System.ProcessRegistry.RegisterAddressResolver(r.links.resolve)
}

// start starts the hub's actors, and waits until they serve.
func (r *rig) start() {
	r.Helper()
	r.spawn()
	for range 20 {
		if r.run(soon); r.ready > 0 {
			return
		}
	}
	r.Fatal("the hub isn't ready")
}

// spawn starts the hub's actors.
func (r *rig) spawn() {
	r.Helper()
	since, err := r.db.LatestChange(context.Background())
	r.must(err)
	shards := make([]pool.ShardID, placement.Shards)
	for i := range shards {
		shards[i] = pool.ShardID(i)
	}
	r.root, err = hubside.Spawn(hubside.Config{
		Node:      &r.hub.Node,
		Store:     r.store,
		Live:      &r.live,
		Links:     &r.links,
		Directory: directory{r.hub.System},
		Access:    func(agent string, now time.Time) *messages.LiveAccess { return r.access(agent, now) },
		Halt:      func(reason string) { r.halted = append(r.halted, reason) },
		Count:     func(what, kind string, n int) { r.counts[what+"/"+kind] += n },
		Keys:      r.keys, Shards: shards, Since: since, Deployment: "test",
		Ready: func() { r.ready++ },
	})
	r.must(err)
}

// run lets time pass.
func (r *rig) run(d time.Duration) {
	r.Helper()
	if err := r.RunFor(d); err != nil {
		r.Fatal(err.(*world.Violation).Report())
	}
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// pid is the actor at a path of the hub.
func (r *rig) pid(path string) *actor.PID { return r.hub.System.NewLocalPID(path) }

// send sends a message to the actor at a path.
func (r *rig) send(path string, message any) { r.hub.System.Root.Send(r.pid(path), message) }

// fail has the actor at a path panic at once.
func (r *rig) fail(path string) {
	r.Helper()
	injection := r.hub.PanicNext(path)
	r.send(path, &messages.Goodbye{})
	r.run(time.Microsecond)
	if !injection.Fired() {
		r.Fatalf("%s didn't panic", path)
	}
}

// lives tells whether there is an actor at a path.
func (r *rig) lives(path string) bool {
	_, lives := r.hub.System.ProcessRegistry.Get(r.pid(path))
	return lives
}

// logged is how often a line was logged.
func (r *rig) logged(message string) int {
	return strings.Count(r.log.String(), fmt.Sprintf(`"message":%q`, message))
}

// serverAddr is the address of a server by its id.
func serverAddr(id int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(id >> 8), byte(id)}), 123)
}

// serverAddr6 is an address of a server of IPv6.
func serverAddr6(id int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: byte(id)}), 123)
}

// addServers adds servers; their ids are 1 and up.
func (r *rig) addServers(n int) {
	r.Helper()
	for id := 1; id <= n; id++ {
		_, _, err := r.db.AddServer(context.Background(), "test", pool.Server{Addr: serverAddr(id), Hostname: fmt.Sprintf("s%d", id)})
		r.must(err)
	}
}

// addAgent adds an agent with one monitor, of IPv4, in a network of its own, and returns that.
func (r *rig) addAgent(name string, status pool.GlobalStatus, more ...pool.Monitor) pool.Monitor {
	r.Helper()
	agents, err := r.db.Agents(context.Background())
	r.must(err)
	return r.addAgentOf(pool.Agent{Name: name}, append([]pool.Monitor{{
		Version: pool.IPv4, Addr: agentAddr(len(agents)), Status: status,
	}}, more...)...)
}

// addAgentOf adds an agent with these monitors, and returns the first.
func (r *rig) addAgentOf(agent pool.Agent, monitors ...pool.Monitor) pool.Monitor {
	r.Helper()
	r.must(r.db.AddAgent(context.Background(), "test", agent, monitors))
	return r.monitor(agent.Name)
}

// agentAddr is the address of the nth agent, each in a /20 of its own.
func agentAddr(n int) netip.Addr { return netip.AddrFrom4([4]byte{20, byte(n >> 4), byte(n << 4), 7}) }

// monitor is the monitor of an agent for IPv4.
func (r *rig) monitor(name string) pool.Monitor {
	r.Helper()
	image, found, err := r.db.LoadAgent(context.Background(), name)
	r.must(err)
	if !found {
		r.Fatalf("no agent %s", name)
	}
	return image.Monitors[0]
}

// setMonitor changes an agent's monitor, as an operator does.
func (r *rig) setMonitor(name string, change persistence.MonitorChange) {
	r.Helper()
	r.must(r.db.SetMonitor(context.Background(), "test", r.monitor(name).ID, change))
}

// setStatus changes the global status of an agent's monitor.
func (r *rig) setStatus(name string, status pool.GlobalStatus) {
	r.Helper()
	r.setMonitor(name, persistence.MonitorChange{Status: &status})
}

// image is a server as it is stored.
func (r *rig) image(id int) pool.ServerImage {
	r.Helper()
	image, found, err := r.db.LoadServer(context.Background(), pool.ServerID(id), r.Now())
	r.must(err)
	if !found {
		r.Fatalf("no server %d", id)
	}
	return image
}

// pair is what is stored of a server and an agent's monitor; the zero pair if nothing is.
func (r *rig) pair(id int, agent string) pool.Pair {
	r.Helper()
	monitor := r.monitor(agent).ID
	for _, p := range r.image(id).Pairs {
		if p.Monitor == monitor {
			return p
		}
	}
	return pool.Pair{}
}

// samples are the stored samples of a server, in the order of their ids.
func (r *rig) samples(id int) []persistence.LogEntry {
	r.Helper()
	log, err := r.db.History(context.Background(), pool.ServerID(id), 1<<20)
	r.must(err)
	var samples []persistence.LogEntry
	for _, row := range log {
		if row.Sample != nil {
			samples = append(samples, row)
		}
	}
	return samples
}

// preset stores pairs of a server before the hub starts.
func (r *rig) preset(id int, pairs ...pool.PairStatus) {
	r.Helper()
	shard := placement.OfServer(pool.ServerID(id))
	images, err := r.db.Open(context.Background(), "test", []pool.ShardID{shard}, r.Now())
	r.must(err)
	outcomes, err := r.db.Commit(context.Background(), []pool.ServerCommit{{
		Shard: shard, Epoch: images[0].Epoch, Server: pool.ServerID(id), Statuses: pairs,
	}})
	r.must(err)
	r.must(outcomes[0].Err)
}

// directory is that of a hub that is alone. It implements port.Directory.
type directory struct{ system *actor.ActorSystem }

func (d directory) Shard(shard pool.ShardID) *actor.PID { return hubside.Shard(d.system, shard) }

// live is the broker as watchers see it. It implements port.Live.
type live struct {
	topics   []string // of all messages, in their order
	payloads []string
	retained map[string][]byte
}

func (l *live) Publish(topic string, _ byte, retained bool, payload []byte) {
	l.topics, l.payloads = append(l.topics, topic), append(l.payloads, string(payload))
	if retained {
		l.retained[topic] = payload
	}
}

package world

import (
	"fmt"
	"slices"
	"time"

	"truechimer/actors/port"
)

// Node is one simulated process on a machine of its own: a hub, or an agent. It is the port.Runtime of its actors.
// When it crashes its memory is gone; what survives (disks, databases) belongs to the packages above, not to the node.
type Node struct {
	port.Node // what production's actors are made from

	world   *World
	name    string
	clock   clock
	crashed bool

	paused bool
	parked []*mailbox // that would run if the node weren't paused
	held   []*Timer   // that went off while it was

	injections map[string][]*Injection // panics to come, by the actor's path
	services   map[string]func(*Conn)  // who takes connections that come in, by name
	peers      map[string]*peer        // nodes whose actors ours send to, by name; nil without remote
}

// NewNode starts a node with a right clock. Its name is its address. A living node of that name is a programmer's error.
func (w *World) NewNode(name string) *Node {
	if w.nodes[name] != nil {
		panic(fmt.Sprintf("world: node %s lives already", name))
	}
	n := &Node{
		world:      w,
		name:       name,
		clock:      clock{since: w.now, boot: w.now},
		injections: make(map[string][]*Injection),
		services:   make(map[string]func(*Conn)),
	}
	n.Log = w.log.With().Str("node", name).Logger()
	n.Runtime = n
	n.System = newSystem(n)
	w.nodes[name] = n
	w.record(Event{Kind: Started, Node: name}, nameHash(name))
	return n
}

// Name is the node's name, which is also the address of its actors.
func (n *Node) Name() string { return n.name }

// World is where the node lives.
func (n *Node) World() *World { return n.world }

// Crashed reports whether the node is no more.
func (n *Node) Crashed() bool { return n.crashed }

// Crash ends the process. No actor, timer or answer of it runs again; a handler that is running comes to its end,
// but nothing that it does from now on leaves the node. The other ends of its connections notice soon, or,
// where the network is cut, when their patience ends.
func (n *Node) Crash() {
	if n.crashed {
		return
	}
	w := n.world
	n.crashed = true
	delete(w.nodes, n.name)
	w.ready.takeNode(n)
	w.timers.dropNode(n)
	n.parked, n.held = nil, nil
	w.record(Event{Kind: Crashed, Node: n.name}, nameHash(n.name))
	for _, c := range slices.Clone(w.cables) {
		c.crashed(n)
	}
}

// Restart crashes the node if it still lives and starts a process anew on the same machine: a new node of the
// same name, whose clock is as wrong as it was.
func (n *Node) Restart() *Node {
	n.Crash()
	again := n.world.NewNode(n.name)
	again.StepClock(n.ClockError())
	again.SetDrift(n.clock.drift)
	return again
}

// Pause makes the process stand still, as a stopped or starved one does: messages and timers wait.
// Its clocks go on. Others notice when their patience with its connections ends.
func (n *Node) Pause() {
	if n.paused || n.crashed {
		return
	}
	n.paused = true
	n.parked = n.world.ready.takeNode(n)
	n.world.record(Event{Kind: Paused, Node: n.name}, nameHash(n.name))
	n.world.reviewCables()
}

// Resume lets a paused process go on. All timers that were due meanwhile go off now.
func (n *Node) Resume() {
	if !n.paused || n.crashed {
		return
	}
	w := n.world
	n.paused = false
	for _, m := range n.parked {
		w.ready.add(m)
	}
	for _, t := range n.held {
		w.timers.restore(t)
	}
	n.parked, n.held = nil, nil
	w.record(Event{Kind: Resumed, Node: n.name}, nameHash(n.name))
	w.reviewCables()
}

// Later calls f on the node when d of true time has passed, unless it has crashed by then: for the answers of
// simulated stores, probers and the like. Timers of the node's own are AfterFunc's.
func (n *Node) Later(d time.Duration, f func()) {
	n.world.schedule(n.world.now+int64(d), n, f)
}

// nameOf is the name of a node, empty for the world itself.
func nameOf(n *Node) string {
	if n == nil {
		return ""
	}
	return n.name
}

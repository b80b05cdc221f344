package world

import (
	"math/rand/v2"
	"slices"
	"time"
)

// What the network is like unless it is told otherwise.
const (
	// baseDelay and delayJitter are those of agents spread over a continent and a hub: 10 to 60 ms one way.
	baseDelay   = 10 * time.Millisecond
	delayJitter = 50 * time.Millisecond
	// patience is what usual keepalives add up to: a ping after 10 s of silence, 10 s for its answer.
	patience = 20 * time.Second
	// heldBack is how many times the jitter a datagram may come late that is to be overtaken by others.
	heldBack = 10
)

// Network is what lies between the nodes. Connections over it are like those of TCP; datagrams are like those of UDP.
type Network struct {
	// Base is the least time from one node to another, one way; up to Jitter is added for each packet.
	Base, Jitter time.Duration

	// Patience is how long a connection lives through which nothing gets. Each end notices after once to twice that.
	Patience time.Duration

	// Drop, Duplicate and Reorder are how many datagrams of each are lost, come twice, or come much later; 0 to 1.
	// Connections know none of this.
	Drop, Duplicate, Reorder float64

	world    *World
	rand     *rand.Rand
	cut      map[[2]string]bool // ways from one node to another
	isolated map[string]bool    // nodes
}

func newNetwork(w *World, random *rand.Rand) *Network {
	return &Network{
		Base: baseDelay, Jitter: delayJitter, Patience: patience,
		world: w, rand: random, cut: make(map[[2]string]bool), isolated: make(map[string]bool),
	}
}

// Cut cuts the way from one node to another; the way back stays as it is. Cuts outlast crashes.
func (n *Network) Cut(from, to string) {
	n.cut[[2]string{from, to}] = true
	n.world.reviewCables()
}

// Mend ends a cut.
func (n *Network) Mend(from, to string) {
	delete(n.cut, [2]string{from, to})
	n.world.reviewCables()
}

// Isolate cuts all ways to and from a node. To lose a machine without a sign, isolate its node, then crash it.
func (n *Network) Isolate(node string) {
	n.isolated[node] = true
	n.world.reviewCables()
}

// Rejoin ends the isolation of a node; cuts stay.
func (n *Network) Rejoin(node string) {
	delete(n.isolated, node)
	n.world.reviewCables()
}

// Open reports whether the way from one node to another is free.
func (n *Network) Open(from, to string) bool {
	return !n.cut[[2]string{from, to}] && (from == to || !n.isolated[from] && !n.isolated[to])
}

// Datagram sends something that may be lost, come twice, or be overtaken. The ends are names of nodes or of anything
// else. What arrives calls arrive, on the node of that name if there is one, and never if that crashes before.
func (n *Network) Datagram(from, to string, arrive func()) {
	copies := 1
	if n.happens(n.Duplicate) {
		copies = 2
	}
	for range copies {
		if n.happens(n.Drop) || !n.Open(from, to) {
			continue
		}
		d := n.delay()
		if n.happens(n.Reorder) {
			d += n.upTo(heldBack * n.Jitter)
		}
		n.world.schedule(n.world.now+int64(d), n.world.nodes[to], func() {
			if n.Open(from, to) {
				arrive()
			}
		})
	}
}

// delay draws how long one packet takes.
func (n *Network) delay() time.Duration { return n.Base + n.upTo(n.Jitter) }

// upTo draws a duration from 0 to most.
func (n *Network) upTo(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(n.rand.Int64N(int64(most) + 1))
}

// happens draws whether something of that probability happens. One of 0 leaves the stream as it is.
func (n *Network) happens(probability float64) bool {
	return probability > 0 && n.rand.Float64() < probability
}

// reviewCables looks after all connections when what lies between nodes, or a node, has changed.
func (w *World) reviewCables() {
	for _, c := range slices.Clone(w.cables) {
		c.review()
	}
}

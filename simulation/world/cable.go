package world

import (
	"slices"
	"time"
)

// cable is what both ends of a connection share.
type cable struct {
	world     *World
	near, far *Conn
	over      bool   // nothing gets through any more
	patience  *Timer // runs out when nothing has got through for too long
}

// through reports whether packets and their acknowledgements get through, and both processes answer.
func (c *cable) through() bool {
	a, b := c.near.node, c.far.node
	net := c.world.Network
	return net.Open(a.name, b.name) && net.Open(b.name, a.name) && !a.paused && !b.paused
}

// review starts or ends the patience of both ends, and carries on with what was held up.
func (c *cable) review() {
	if c.over {
		return
	}
	c.near.carry()
	c.far.carry()
	switch {
	case !c.through():
		if c.patience == nil {
			net := c.world.Network
			c.patience = c.world.After(net.Patience, func() {
				c.lose(ErrTimeout, func() time.Duration { return net.upTo(net.Patience) })
			})
		}
	case c.near.node.crashed || c.far.node.crashed:
		c.snap()
	case c.patience != nil:
		c.patience.Stop()
		c.patience = nil
	}
}

// crashed takes note of a node that has crashed: its machine tells the other end, if it can.
func (c *cable) crashed(n *Node) {
	for _, end := range []*Conn{c.near, c.far} {
		if end.node != n {
			continue
		}
		end.ended = true
		if c.world.Network.Open(n.name, end.PeerName()) {
			c.snap()
		}
	}
}

// snap loses the connection; each end hears of it after a packet's delay.
func (c *cable) snap() { c.lose(ErrLost, c.world.Network.delay) }

// lose ends the connection at once; each end notices when it has waited as long as notice says.
func (c *cable) lose(reason error, notice func() time.Duration) {
	if c.over {
		return
	}
	c.finish(reason)
	for _, end := range []*Conn{c.near, c.far} {
		c.world.schedule(c.world.now+int64(notice()), end.node, func() { end.end(reason) })
	}
}

// finish lets nothing through from now on.
func (c *cable) finish(reason error) {
	c.over = true
	if c.patience != nil {
		c.patience.Stop()
	}
	for _, end := range []*Conn{c.near, c.far} {
		end.way.clear()
		if end.carrier != nil {
			end.carrier.Stop()
		}
	}
	w := c.world
	w.cables = slices.DeleteFunc(w.cables, func(other *cable) bool { return other == c })
	a, b := c.near.node.name, c.far.node.name
	w.record(Event{Kind: Disconnected, Node: a, Actor: b, Message: reason}, nameHash(a), nameHash(b), nameHash(reason.Error()))
}

package world

import (
	"errors"

	"google.golang.org/protobuf/proto"
)

// Why a connection ended, or didn't come about.
var (
	ErrClosed      = errors.New("closed by the other end")
	ErrLost        = errors.New("connection lost")
	ErrTimeout     = errors.New("nothing got through")
	ErrUnreachable = errors.New("no way there")
	ErrRefused     = errors.New("connection refused")
)

// Conn is one end of a connection between two nodes. What is sent arrives after a delay, complete and in order, or not
// at all: when the connection breaks, all that was on its way is lost. A cut that is mended in time only delays.
// Its methods are called on its node.
type Conn struct {
	node    *Node
	peer    *Conn
	cable   *cable
	receive func(payload any)
	onClose func(reason error)
	ended   bool         // this end has closed or crashed, or knows that the connection is over
	way     fifo[packet] // sent from here, not yet there
	carrier *Timer       // delivers the first of them
}

// packet is one thing on its way.
type packet struct {
	due     int64 // virtual time of its arrival, if nothing holds it up
	payload any
	last    bool // the sender has closed; there is no payload
}

// Connect joins two nodes at once, without knocking: the first end is a's. For a connection that takes its time to
// come about, or doesn't, see Node.Dial.
func (w *World) Connect(a, b *Node) (*Conn, *Conn) {
	c := &cable{world: w}
	c.near = &Conn{node: a, cable: c}
	c.far = &Conn{node: b, cable: c, peer: c.near}
	c.near.peer = c.far
	w.cables = append(w.cables, c)
	w.record(Event{Kind: Connected, Node: a.name, Actor: b.name}, nameHash(a.name), nameHash(b.name))
	c.review()
	return c.near, c.far
}

// Handle says what to do with what arrives, and when the connection ends without this end having closed it.
// What arrives before Handle is called is lost, so call it where the connection is made. Either may be nil.
func (c *Conn) Handle(receive func(payload any), onClose func(reason error)) {
	c.receive, c.onClose = receive, onClose
}

// Node is whose end this is.
func (c *Conn) Node() *Node { return c.node }

// PeerName is the name of the other end's node.
func (c *Conn) PeerName() string { return c.peer.node.name }

// Send sends a payload to the other end. A protobuf is copied; anything else must not change afterwards.
// What is sent into a connection that is over is lost; the sender hears of it by its onClose, if it hasn't yet.
func (c *Conn) Send(payload any) {
	if message, ok := payload.(proto.Message); ok {
		payload = proto.Clone(message)
	}
	c.put(packet{payload: payload})
}

// Close ends the connection in order: what was sent before arrives. The other end's onClose gets ErrClosed,
// this end's isn't called.
func (c *Conn) Close() {
	c.put(packet{last: true})
	c.ended = true
}

// Break cuts the connection now, as a middlebox that forgets it does: what is on its way is lost, and both ends
// hear of it soon, with ErrLost.
func (c *Conn) Break() { c.cable.snap() }

func (c *Conn) put(p packet) {
	if c.ended || c.cable.over {
		return
	}
	w := c.cable.world
	p.due = w.now + int64(w.Network.delay())
	c.way.push(p)
	c.carry()
}

// carry sets the timer for the first packet on its way, unless it is set, or the way is cut. One timer for all
// packets of a way keeps them in order.
func (c *Conn) carry() {
	w := c.cable.world
	if c.carrier != nil || c.way.len() == 0 || !w.Network.Open(c.node.name, c.peer.node.name) {
		return
	}
	c.carrier = w.schedule(c.way.first().due, c.peer.node, c.arrive)
}

// arrive hands the first packet to the other end.
func (c *Conn) arrive() {
	c.carrier = nil
	if c.cable.over || !c.cable.world.Network.Open(c.node.name, c.peer.node.name) {
		return // a mended way is carried on with by review
	}
	p := c.way.pop()
	if p.last {
		c.cable.finish(ErrClosed)
		c.peer.end(ErrClosed)
		return
	}
	c.carry()
	if !c.peer.ended && c.peer.receive != nil {
		c.peer.receive(p.payload)
	}
}

// end tells this end that the connection is over.
func (c *Conn) end(reason error) {
	if c.ended {
		return
	}
	c.ended = true
	if c.onClose != nil {
		c.onClose(reason)
	}
}

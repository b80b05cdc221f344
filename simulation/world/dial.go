package world

import "fmt"

// greeting is the first packet of a connection that was dialled: it tells the caller that it stands.
type greeting struct{}

// Listen says who takes the connections that come in for a service. Accept must call Handle of the end it is given.
func (n *Node) Listen(service string, accept func(*Conn)) {
	if n.services[service] != nil {
		panic(fmt.Sprintf("world: node %s listens for %s already", n.name, service))
	}
	n.services[service] = accept
}

// Dial opens a connection to a service of the node of that name, and calls done once: with this end of it after
// a way there and back, or with the reason why there is none: ErrRefused when no such node or service is there,
// ErrUnreachable when no packet gets there and back, or why the connection ended before it stood.
// Done must call Handle of the end it is given.
func (n *Node) Dial(to, service string, done func(*Conn, error)) {
	w := n.world
	w.After(w.Network.delay(), func() { n.knock(to, service, done) })
}

// knock is the arrival of a call where it goes.
func (n *Node) knock(to, service string, done func(*Conn, error)) {
	w := n.world
	if n.crashed {
		return
	}
	if !w.Network.Open(n.name, to) || !w.Network.Open(to, n.name) {
		n.Later(w.Network.Patience, func() { done(nil, fmt.Errorf("dial %s of %s: %w", service, to, ErrUnreachable)) })
		return
	}
	target := w.nodes[to]
	if target == nil || target.services[service] == nil {
		n.Later(w.Network.delay(), func() { done(nil, fmt.Errorf("dial %s of %s: %w", service, to, ErrRefused)) })
		return
	}
	near, far := w.Connect(n, target)
	near.Handle(func(any) {
		near.Handle(nil, nil) // whatever done does, it isn't called again
		done(near, nil)
	}, func(reason error) {
		done(nil, fmt.Errorf("dial %s of %s: %w", service, to, reason))
	})
	target.Later(0, func() {
		far.Send(greeting{})
		target.services[service](far)
	})
}

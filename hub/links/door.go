package links

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/rs/zerolog"
	"google.golang.org/grpc/credentials"

	"truechimer/messages"
)

// door lets connections in: not too many that have no link yet, and not too many of one agent.
// So neither strangers nor an agent gone mad take the hub's memory or the others' places.
type door struct {
	net.Listener
	limits limits
	count  func(kind string)
	log    zerolog.Logger

	mu     sync.Mutex
	guests map[*visitor]struct{} // those that have no link yet
	agents map[string]int        // connections of each agent
	closed bool
}

// visitor is a connection that was let in.
type visitor struct {
	net.Conn
	door  *door
	agent string // empty: it has shown no certificate yet, or has left
}

// caller is who is at the other end of a connection, as its certificate says. gRPC hands it to the stream.
type caller struct {
	credentials.TLSInfo
	agent   string
	visitor *visitor
}

func newDoor(listener net.Listener, limits limits, count func(kind string), log zerolog.Logger) *door {
	return &door{
		Listener: listener, limits: limits, count: count, log: log,
		guests: make(map[*visitor]struct{}), agents: make(map[string]int),
	}
}

// passing is an error of the listener that will pass, as when the system runs out of descriptors or a packet filter
// says no. By its method gRPC knows that it shall try again; it waits from 5 ms to 1 s.
type passing struct{ error }

func (passing) Temporary() bool { return true }

// Accept waits for the next connection that there is a place for. Only closing the door ends that.
func (d *door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if err != nil {
			d.log.Error().Err(err).Msg("a connection of an agent can't be accepted")
			return nil, passing{err}
		}
		if v, ok := d.admit(conn); ok {
			return v, nil
		}
		d.count(countTurnedAway)
		conn.Close()
	}
}

func (d *door) admit(conn net.Conn) (*visitor, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.guests) >= d.limits.guests {
		return nil, false
	}
	v := &visitor{Conn: conn, door: d}
	d.guests[v] = struct{}{}
	return v, true
}

// know notes whose connection a guest is.
func (d *door) know(v *visitor, agent string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, there := d.guests[v]; !there {
		return net.ErrClosed
	}
	if d.agents[agent] >= d.limits.ofOne {
		return fmt.Errorf("agent %s has %d connections already", agent, d.agents[agent])
	}
	v.agent = agent
	d.agents[agent]++
	return nil
}

// seat notes that a guest has made its link.
func (d *door) seat(v *visitor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.guests, v)
}

// Close closes the connection and gives its place free.
func (v *visitor) Close() error {
	v.door.leave(v)
	return v.Conn.Close()
}

func (d *door) leave(v *visitor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.guests, v)
	if v.agent == "" {
		return
	}
	if d.agents[v.agent]--; d.agents[v.agent] == 0 {
		delete(d.agents, v.agent)
	}
	v.agent = ""
}

// Close lets nobody in any more and sends the guests away: gRPC, when it stops, would wait for what they have to say.
func (d *door) Close() error {
	d.mu.Lock()
	d.closed = true
	for v := range d.guests {
		v.Conn.Close()
	}
	d.mu.Unlock()
	return d.Listener.Close()
}

// keeper is gRPC's TLS for connections from a door.
type keeper struct {
	credentials.TransportCredentials
	door *door
}

// ServerHandshake finds out who has come. Who isn't an agent doesn't get as far as HTTP/2.
func (k keeper) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := k.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, k.refuse(raw, err)
	}
	agent, err := agentOf(info)
	v := raw.(*visitor)
	if err == nil {
		err = k.door.know(v, agent)
	}
	if err != nil {
		conn.Close()
		return nil, nil, k.refuse(raw, err)
	}
	return conn, caller{TLSInfo: info.(credentials.TLSInfo), agent: agent, visitor: v}, nil
}

func (k keeper) refuse(raw net.Conn, why error) error {
	k.door.log.Debug().Err(why).Stringer("remote", raw.RemoteAddr()).Msg("somebody was turned away")
	k.door.count(countTurnedAway)
	return fmt.Errorf("let an agent in: %w", why)
}

// agentOf is the agent's name in a certificate of the hub's authority.
func agentOf(info credentials.AuthInfo) (string, error) {
	tls, is := info.(credentials.TLSInfo)
	if !is || len(tls.State.VerifiedChains) == 0 {
		return "", errors.New("no certificate of this hub's authority")
	}
	agent := tls.State.PeerCertificates[0].Subject.CommonName
	if err := messages.ValidAgentName(agent); err != nil {
		return "", fmt.Errorf("the certificate names no agent: %w", err)
	}
	return agent, nil
}

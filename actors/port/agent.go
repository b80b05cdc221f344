package port

import (
	"net/netip"

	"truechimer/messages"
	"truechimer/pool"
)

// Prober sends NTP queries.
type Prober interface {
	// Query asks a server for the time, once, from the local address where that is valid.
	// What goes wrong is a sample too. The answer comes within schedule.QueryTimeout.
	Query(server netip.AddrPort, local netip.Addr, answer func(pool.Sample))
}

// Resolver looks host names up.
type Resolver interface {
	// Resolve answers with the addresses of a host name in a stable order, or an address itself.
	Resolve(host string, answer func(Resolved))
}

// Resolved is what became of a look-up.
type Resolved struct {
	Addrs []netip.Addr
	Err   error
}

// Link is the agent's end of its connection with a hub.
type Link interface {
	// Dial opens the connection. While it is up, the hub's messages reach the actors that they name: the first one,
	// a messages.Welcome, the actor "agent"; and what the agent's actors send to the hub's reaches the hub.
	// The answer comes once, when the connection is down again or could not be opened. Dialling again ends the earlier
	// connection, whose answer comes all the same.
	Dial(answer func(LinkEnded))

	// Close ends the connection or the attempt at one, after what was sent before has left. Nothing that the hub
	// sends is delivered afterwards. Without either it does nothing.
	Close()
}

// LinkEnded says why a connection ended.
type LinkEnded struct {
	Err error // nil: it was closed in order
}

// Presence shows over MQTT that the agent is there.
type Presence interface {
	// Announce publishes the agent's status with this access from now on, and leaves the offline one as a will.
	// It replaces an earlier access.
	Announce(access *messages.LiveAccess, status *messages.LiveAgent)

	// Withdraw publishes the offline status and ends.
	Withdraw()
}

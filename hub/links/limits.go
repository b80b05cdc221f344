package links

import (
	"time"

	"truechimer/messages"
)

const (
	// pingAfter and pingWithin find an agent that is gone without a word within 15 s.
	pingAfter  = 10 * time.Second
	pingWithin = 5 * time.Second

	// pingLeast is how often agents may ping: half of what they do, so that one whose pings come late and then early
	// isn't taken for a flood.
	pingLeast = 5 * time.Second

	// maxHeaders bounds what an agent may say in HTTP/2 headers, in bytes. gRPC's own take 300.
	maxHeaders = 8 << 10

	// window is how many bytes of an agent may wait here to be read: a whole frame. It is fixed, since gRPC would let
	// it grow to 16 MiB for an agent that sends faster than it may.
	window = messages.MaxFrame

	// readBuffer is small since most links are silent most of the time, and gRPC's own 32 KiB a link would be most of
	// what a link takes. What has come already is in TLS's buffer, so that small reads cost no system call.
	readBuffer = 4 << 10

	// joined is how many bytes small messages are joined to before they are sent: gRPC cuts frames into pieces of
	// 16 KiB, so more saves nothing. It keeps frames within messages.DecodeDown's bounds too, since the 8192 messages
	// that a frame may have in all take two bytes each at least.
	joined = 16 << 10

	// messageCost is what a message costs of an agent's rate besides its bytes: 1024 messages a second, where one
	// that keeps to the protocol sends four.
	messageCost = 4 << 10
)

// limits are those that tests make smaller.
type limits struct {
	guests     int           // connections that have no link yet
	ofOne      int           // connections of one agent
	handshake  time.Duration // from the connection to the certificate, and from there to the stream
	linger     time.Duration // from the end of a link to that of its connection, sent or not
	queue      int           // messages that wait for one agent
	queueBytes int           // and their bytes
	rate       int           // bytes a second from one agent
	ahead      time.Duration // how long it may have been silent to send that much at once
}

func defaultLimits() limits {
	return limits{
		// 10,000 agents come back to a hub that starts anew within 2 s, each with a handshake of 1 ms; one that finds
		// the door full comes again. A guest takes up to 40 kB.
		guests: 1024,
		// An agent that has lost its way dials every 2 s at first, and what it left behind is found dead after 15 s.
		ofOne: 8,
		// Three round trips to the other end of the world, each with a packet lost, take half of it.
		handshake: 10 * time.Second,
		// A dismissal, and what was queued before it, take one round trip.
		linger: 3 * time.Second,
		// All orders for 10,000 servers are 10 messages, and a batch is answered by one. An agent that lets so many
		// pile up doesn't read any more; it will be told everything when it comes back.
		queue: 1024,
		// All orders for 10,000 servers take 3 MB, over both IP versions.
		queueBytes: 8 << 20,
		// A full spool of 64 MiB is told within 16 s; the busiest agent's samples are 100 kB a second.
		rate:  4 << 20,
		ahead: 2 * time.Second,
	}
}

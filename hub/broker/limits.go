package broker

import "time"

const (
	// protocol is MQTT 3.1.1. Version 5 is refused: in mochi 2.7.9 one short version 5 packet stops the process
	// (mochi-mqtt issue 501), and no client of ours speaks it.
	protocol = 4

	// maxQoS is 1: there is no exactly once, as nothing here needs it.
	maxQoS = 1

	// maxPacket bounds a packet, in bytes; mochi makes room for it before it knows who sends it. Our largest
	// messages have about 1 kB.
	maxPacket = 64 << 10

	// maxPending bounds the messages that wait for one client to be encoded. Encoding never waits for the network
	// (see conn), so a few are enough to keep it busy, and even the largest fill no more than half of what may wait
	// to be sent.
	maxPending = 8

	// maxFilters bounds the subscriptions of a client. The richest client of ours has four.
	maxFilters = 64

	// maxClientsOfOne bounds the connections under one name, so that none takes the places of all others.
	maxClientsOfOne = 64

	// chunk is how many bytes are sent within one stall limit: a slow link that still moves isn't a stuck one.
	chunk = 16 << 10

	// kernelBuffer is what the system may hold for one client, in bytes; by itself it takes some megabytes for one
	// that doesn't read. It lets a client at the other end of the world (300 ms) take 800 kB/s.
	kernelBuffer = 256 << 10

	// farewell bounds how long the last bytes, such as a refusal, may take to leave once a connection is closed.
	farewell = time.Second

	// The door waits so long when the system has no descriptors left: next to nothing after an error that comes
	// alone, and not so long at most that anyone would notice once there are some again.
	firstAcceptPause   = 5 * time.Millisecond
	longestAcceptPause = time.Second
)

// limits are those that tests make smaller.
type limits struct {
	connections int           // open at a time, admitted or not
	connect     time.Duration // from the connection to the first packet, TLS included
	keepalive   uint16        // the longest silence in seconds that a client may ask for; mochi grants half as much again
	stall       time.Duration // within it a chunk must have left
	queue       int           // bytes that wait for one client
	takeover    time.Duration // within it an old connection must have gone when a new one takes its place
}

func defaultLimits() limits {
	return limits{
		// A few times the vantage points of the NTP Pool with as many watchers; each costs about 30 kB.
		connections: 2048,
		// Ten seconds let a slow link shake hands, and a silent peer hold its place no longer.
		connect: 10 * time.Second,
		// An agent that is gone without a word is known to be within 7.5 minutes, whatever it asked for.
		keepalive: 300,
		// Longer than a lost packet or two take to be sent again.
		stall: 10 * time.Second,
		// The scores of 2,500 servers at once.
		queue: 1 << 20,
		// The old connection waits for nothing but the processor.
		takeover: 5 * time.Second,
	}
}

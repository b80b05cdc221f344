package ntp

import (
	"bytes"
	"fmt"
	"net"
	"time"
)

// socket is a UDP socket that talks to one server only.
type socket interface {
	net.Conn

	// receive is Read that also tells when the kernel got the datagram; zero: the kernel didn't say.
	receive(b []byte) (n int, at time.Time, err error)

	// sentAt tells when the kernel sent the one datagram that was written; zero: the kernel didn't say.
	// It is asked after the reply has come, and so never has to wait for the answer.
	sentAt() time.Time
}

// exchange is one query and its reply: the connection that beevik/ntp writes to and reads from.
type exchange struct {
	socket
	now    func() time.Time
	origin []byte // the transmit timestamp of our query, which a reply to it names as its origin
	heard  heard
}

// heard is what came back for a query, and the two timestamps taken here.
type heard struct {
	reply    []byte    // the header of the datagram that answers the query; nil: none came
	sent     time.Time // T1 of RFC 5905 section 8
	received time.Time // T4
	kernel   bool      // whether both timestamps are the kernel's
}

// Write sends the query and remembers what its reply must say.
func (x *exchange) Write(query []byte) (int, error) {
	x.origin = bytes.Clone(query[transmitAt:headerSize])
	x.heard.sent = x.now()
	return x.socket.Write(query)
}

// Read waits for the datagram that answers the query; beevik/ntp itself would take the first that comes.
// Others don't end the wait: they are a server's mistake at best, and at worst from somebody who forges its address
// but hasn't seen our query. Only when the wait is over without a reply they are what there is to report.
// The socket is connected, so that what comes from other addresses never gets here.
func (x *exchange) Read(b []byte) (int, error) {
	var stray error
	for {
		n, at, err := x.receive(b)
		if err != nil && stray != nil {
			return 0, stray
		}
		if err != nil {
			return 0, err
		}
		if stray = x.mismatch(b[:n]); stray == nil {
			x.stamp(at)
			x.heard.reply = bytes.Clone(b[:headerSize])
			disarm(b)
			return n, nil
		}
	}
}

// disarm takes poll interval and precision out of a reply before beevik/ntp gets it: version 1.6.0 panics where either
// is 2 to the power of -128, so that any server could end the process. We read the precision ourselves.
func disarm(reply []byte) {
	reply[pollAt], reply[precisionAt] = 0, 0
}

// strayError says why a datagram from the server isn't the reply to our query.
type strayError struct{ why string }

func (e *strayError) Error() string { return e.why }

// mismatch tells why a datagram doesn't answer our query, nil if it does (RFC 5905 section 8, the bogus test).
func (x *exchange) mismatch(b []byte) error {
	if len(b) < headerSize {
		return &strayError{fmt.Sprintf("a reply has %d bytes, the header alone takes %d", len(b), headerSize)}
	}
	if !bytes.Equal(b[originAt:receiveAt], x.origin) {
		return &strayError{"a reply names an origin timestamp that isn't ours"}
	}
	return nil
}

// stamp settles when the query left and the reply, which the kernel got at received, came.
// The kernel's pair counts only when it lies between the readings of our clock before and after. Else the kernel left
// one of them out (it is zero then), the clock was set meanwhile, or servers are to be compared with another clock.
func (x *exchange) stamp(received time.Time) {
	before, after, sent := x.heard.sent, x.now(), x.sentAt()
	if before.After(sent) || sent.After(received) || received.After(after) {
		x.heard.received = after
		return
	}
	x.heard.sent, x.heard.received, x.heard.kernel = sent, received, true
}

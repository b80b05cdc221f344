// Package ntp asks one NTP server once and says what came of it as a pool.Sample.
//
// Queries are written, replies checked and parsed by beevik/ntp. This package gives it a connection of its own, which
// goes on waiting when a datagram comes that doesn't answer the query, and which takes the send and the receive
// timestamp from the kernel, both or neither. Offset and RTT are computed here, from those two and the server's two.
//
// It leaves to others: how many queries make a probe and which of them counts (pool/schedule), what a sample is
// worth (pool/scoring), and whether an address may be probed at all (pool.AddrIsPublic).
package ntp

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/beevik/ntp"

	"truechimer/pool"
)

// defaultTimeout is long enough for a reply from the other side of the earth over a satellite (about 1 s),
// and no more than a burst of queries 2 s apart can afford to wait.
const defaultTimeout = 3 * time.Second

// version of the protocol that queries are written in: RFC 5905.
const version = 4

// Options of a client. The zero value is what a monitor uses.
type Options struct {
	Timeout time.Duration    // how long a query waits for its reply; 0: 3 s
	Now     func() time.Time // the clock that servers are compared with; nil: the system's
}

// Client sends queries, any number at once. It holds nothing open between them.
type Client struct {
	timeout time.Duration
	now     func() time.Time
	open    func(ctx context.Context, server netip.AddrPort, local netip.Addr) (socket, error)
}

// New makes a client.
func New(options Options) *Client {
	c := &Client{timeout: options.Timeout, now: options.Now, open: openUDP}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c
}

// Query asks server once, from the address local, or from whichever the system picks where local is invalid, and from
// a fresh random port. It returns when the reply is there, when none can come any more, after the client's timeout,
// or when ctx ends; a caller who ends ctx early has no use for the sample.
//
// It never fails. What the sample says:
//   - Offset and RTT: a well-formed reply that answers the query. Warning tells what is odd about it. Its stratum and
//     leap are the server's own words, whatever they are worth.
//   - Kiss: the kiss code that came instead of time. RTT, no Offset; Stratum is 0.
//   - neither Offset nor Kiss nor Error, and Stratum 0: the server answers, but serves no time. RTT, no Offset.
//   - Error: a reply that is malformed, or datagrams from the server none of which answers the query. No Offset;
//     Stratum is 0 there too, for it isn't known.
//   - NoReply: silence, or an ICMP error, or the query couldn't be sent; Warning names the cause where it isn't silence.
func (c *Client) Query(ctx context.Context, server netip.AddrPort, local netip.Addr) pool.Sample {
	at := c.now().UTC().Truncate(time.Microsecond)
	x := &exchange{now: c.now}
	dial := func(string, string) (net.Conn, error) {
		var err error
		x.socket, err = c.open(ctx, server, local)
		return x, err
	}
	response, err := ntp.QueryWithOptions(server.String(), ntp.QueryOptions{
		Version:       version,
		Timeout:       c.timeout,
		GetSystemTime: c.now, // and so no kernel timestamps of beevik/ntp's own: it would take those of receipt alone
		Dialer:        dial,
	})
	sample := judge(x.heard, response, err)
	sample.At = at
	return sample
}

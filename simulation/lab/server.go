package lab

import (
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/rs/zerolog"
)

// server answers the queries that come to one address, one after the other.
type server struct {
	Server
	character character
	conn      *net.UDPConn
	began     time.Time // when the lab started: a clock that drifts was right then
	random    *rand.Rand
	log       zerolog.Logger
}

// maxQuery is more than any query has, with extension fields and all. What is longer is cut and answered all the same.
const maxQuery = 1024

// serve answers until the socket is closed.
func (s *server) serve() {
	incoming, outgoing := make([]byte, maxQuery), make([]byte, 0, packetSize)
	for {
		n, client, err := s.conn.ReadFromUDPAddrPort(incoming)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn().Err(err).Msg("query not read")
			continue
		}
		reply := s.answer(outgoing, incoming[:n], s.clock())
		if reply == nil {
			continue
		}
		if _, err := s.conn.WriteToUDPAddrPort(reply, client); err != nil {
			s.log.Warn().Err(err).Stringer("client", client).Msg("reply not sent")
		}
	}
}

// clock is the server's own time.
func (s *server) clock() time.Time {
	now := time.Now()
	if s.character.ahead == nil {
		return now
	}
	return now.Add(s.character.ahead(now.Sub(s.began)))
}

// answer is what the server sends, written over buffer, for a datagram that it received at a time of its own clock;
// nil: nothing.
func (s *server) answer(buffer, datagram []byte, received time.Time) []byte {
	q, ok := parseQuery(datagram)
	if !ok || s.drops() {
		return nil
	}
	reply := truth(q, received)
	reply.transmit = timestampOf(s.clock())
	if s.character.claim != nil {
		s.character.claim(&reply)
	}
	buffer = reply.append(buffer[:0])
	if s.character.spoil != nil {
		buffer = s.character.spoil(s.random, buffer)
	}
	return buffer
}

// drops decides whether a query goes unanswered.
func (s *server) drops() bool {
	return s.character.loss > 0 && s.random.Float64() < s.character.loss
}

// What a good server says of itself.
const (
	goodStratum = 1

	// goodPrecision is what reading a clock in user space is good for: 2^-20 s, about a microsecond.
	goodPrecision = -20

	// goodDispersion is 2^-13 s, about 0.1 ms: what a primary server with a clock of its own may be off.
	goodDispersion shortTime = 1 << 3

	// goodUpdate is how often its clock is set: the least interval at which a server polls its source by default.
	goodUpdate = 64 * time.Second
)

// truth is what a good server answers, but for the transmit timestamp, which belongs to the last moment.
// Its source is the clock of this host (RFC 5905 figure 12 calls that LOCL), to which it has no delay.
func truth(q query, received time.Time) packet {
	return packet{
		version:        q.version,
		mode:           modeServer,
		stratum:        goodStratum,
		poll:           q.poll,
		precision:      goodPrecision,
		rootDispersion: goodDispersion,
		referenceID:    [4]byte{'L', 'O', 'C', 'L'},
		reference:      timestampOf(received.Truncate(goodUpdate)),
		origin:         q.transmit,
		receive:        timestampOf(received),
	}
}

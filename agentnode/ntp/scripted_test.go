package ntp

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"truechimer/pool"
)

// The test's clock stands still but for the wait for a reply: the query leaves at start, its reply comes at start + wait.
const wait = 10 * time.Millisecond

var start = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// scripted is a socket whose server is a function: it gives the datagrams that come back for a query, all of them
// at start + wait. When they are used up, the next receive fails with end, which is the deadline's if nil.
type scripted struct {
	net.Conn // nil: nothing else of it is used
	answer   func(query []byte) [][]byte
	end      error

	kernelSent, kernelReceived time.Time

	arrived [][]byte
	now     time.Time
}

func (s *scripted) Write(query []byte) (int, error) {
	s.arrived = s.answer(query)
	return len(query), nil
}

func (s *scripted) receive(b []byte) (int, time.Time, error) {
	s.now = start.Add(wait)
	if len(s.arrived) == 0 {
		return 0, time.Time{}, s.end
	}
	n := copy(b, s.arrived[0])
	s.arrived = s.arrived[1:]
	return n, s.kernelReceived, nil
}

func (s *scripted) sentAt() time.Time           { return s.kernelSent }
func (s *scripted) SetDeadline(time.Time) error { return nil }
func (s *scripted) Close() error                { return nil }

// query asks a scripted server.
func (s *scripted) query(tb testing.TB) pool.Sample {
	s.now = start
	if s.end == nil {
		s.end = os.ErrDeadlineExceeded
	}
	c := New(Options{Now: func() time.Time { return s.now }})
	c.open = func(context.Context, netip.AddrPort, netip.Addr) (socket, error) { return s, nil }
	return c.Query(tb.Context(), netip.MustParseAddrPort("192.0.2.1:123"), netip.Addr{})
}

// goodReply is what a server that is synchronised and 5 ms ahead of us answers: it gets the query 4 ms after we sent
// it, takes 2 ms, and its reply is another 4 ms on the way.
func goodReply(query []byte) []byte {
	const ahead = 5 * time.Millisecond
	reply := make([]byte, headerSize)
	reply[leapVersionModeAt] = 4<<3 | modeServer
	reply[stratumAt] = 2
	reply[pollAt] = 6                                 // poll: 64 s
	reply[precisionAt] = 0xec                         // -20: about a microsecond
	binary.BigEndian.PutUint32(reply[4:], 1<<16/64)   // root delay: 15.625 ms
	binary.BigEndian.PutUint32(reply[8:], 1<<16/128)  // root dispersion: 7.8125 ms
	copy(reply[referenceIDAt:], []byte{192, 0, 2, 9}) // whom it is synchronised to
	setTime(reply, referenceTimeAt, start.Add(-time.Minute))
	copy(reply[originAt:], query[transmitAt:headerSize])
	setTime(reply, receiveAt, start.Add(4*time.Millisecond+ahead))
	setTime(reply, transmitAt, start.Add(6*time.Millisecond+ahead))
	return reply
}

// setTime writes an NTP timestamp: seconds since 1900 and, in the lower half, their fraction (RFC 5905 section 6).
func setTime(reply []byte, at int, t time.Time) {
	const from1900to1970 = 2_208_988_800
	fraction := uint64(t.Nanosecond()) << 32 / 1e9
	binary.BigEndian.PutUint64(reply[at:], uint64(t.Unix()+from1900to1970)<<32|fraction)
}

package lab

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clientPacket is a query as any client writes it.
func clientPacket(version, mode, poll uint8, transmit uint64) []byte {
	b := make([]byte, packetSize)
	b[0], b[2] = version<<3|mode, poll
	binary.BigEndian.PutUint64(b[40:], transmit)
	return b
}

// A server answers the clients of all versions up to its own, and nobody else.
func TestOnlyClientsAreAnswered(t *testing.T) {
	good := clientPacket(4, modeClient, 6, 42)
	rows := []struct {
		name     string
		datagram []byte
		want     query
		ok       bool
	}{
		{"version 4", good, query{4, 6, 42}, true},
		{"version 1", clientPacket(1, modeClient, 0, 7), query{1, 0, 7}, true},
		{"with extension fields", append(bytes.Clone(good), make([]byte, 28)...), query{4, 6, 42}, true},
		{"version 0", clientPacket(0, modeClient, 6, 42), query{}, false},
		{"version 5", clientPacket(5, modeClient, 6, 42), query{}, false},
		{"a server's packet: answers would go to and fro for ever", clientPacket(4, modeServer, 6, 42), query{}, false},
		{"a control message", clientPacket(4, 6, 6, 42), query{}, false},
		{"too short", good[:packetSize-1], query{}, false},
		{"empty", nil, query{}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			have, ok := parseQuery(row.datagram)
			if have != row.want || ok != row.ok {
				t.Errorf("have %+v, %v, want %+v, %v", have, ok, row.want, row.ok)
			}
		})
	}
}

// Each field stands where RFC 5905 figure 8 has it.
func TestThePacketIsLaidOutAsInTheRFC(t *testing.T) {
	p := packet{
		leap: 3, version: 4, mode: 4, stratum: 2, poll: 6, precision: -20,
		rootDelay: 0x01020304, rootDispersion: 0x05060708, referenceID: [4]byte{9, 10, 11, 12},
		reference: 0x1111111122222222, origin: 0x3333333344444444, receive: 0x5555555566666666, transmit: 0x7777777788888888,
	}
	want := []byte{
		0b11_100_100, 2, 6, 0xec,
		1, 2, 3, 4,
		5, 6, 7, 8,
		9, 10, 11, 12,
		0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22,
		0x33, 0x33, 0x33, 0x33, 0x44, 0x44, 0x44, 0x44,
		0x55, 0x55, 0x55, 0x55, 0x66, 0x66, 0x66, 0x66,
		0x77, 0x77, 0x77, 0x77, 0x88, 0x88, 0x88, 0x88,
	}
	if diff := cmp.Diff(want, p.append(nil)); diff != "" {
		t.Errorf("packet (-want +have):\n%s", diff)
	}
}

// Timestamps count from 1900, and from 2036 in the next era.
func TestTimestampsOfKnownTimes(t *testing.T) {
	rows := []struct {
		name string
		time time.Time
		want timestamp
	}{
		{"1900, where they begin", time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), 0},
		{"1970, as RFC 5905 figure 4 has it", time.Unix(0, 0), 2_208_988_800 << 32},
		{"half a second", time.Unix(0, 500_000_000), 2_208_988_800<<32 | 1<<31},
		{"the last second of the era", time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC), 0xffffffff << 32},
		{"the next era", time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC), 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if have := timestampOf(row.time); have != row.want {
				t.Errorf("have %016x, want %016x", have, row.want)
			}
		})
	}
}

// FuzzQuery gives every kind of server any datagram: none panics, none answers with more than it got, and a good one
// answers clients alone, with a server's packet that names their transmit timestamp as its origin.
func FuzzQuery(f *testing.F) {
	good := clientPacket(4, modeClient, 6, 42)
	for _, seed := range [][]byte{good, good[:10], {}, append(bytes.Clone(good), 1, 2, 3, 4), clientPacket(7, 7, 255, 0)} {
		f.Add(seed, uint64(1))
	}
	f.Fuzz(func(t *testing.T, datagram []byte, seed uint64) {
		for _, b := range everyBehaviour() {
			s := unconnected(t, b, seed)
			reply := s.answer(nil, datagram, time.Now())
			if len(reply) > len(datagram) {
				t.Errorf("%s: %d bytes for %d", b, len(reply), len(datagram))
			}
			if b != Good || reply == nil {
				continue
			}
			if datagram[0]&7 != modeClient || reply[0]&7 != modeServer || len(reply) != packetSize ||
				!bytes.Equal(reply[24:32], datagram[40:48]) {
				t.Errorf("% x for % x", reply, datagram)
			}
		}
	})
}

// everyBehaviour is all there are.
func everyBehaviour() []Behaviour {
	return append(Default(), KissDeny, Stratum0, Stratum16, Malformed, Mismatched, Garbage)
}

// unconnected is a server that is asked without a network.
func unconnected(t *testing.T, b Behaviour, seed uint64) *server {
	t.Helper()
	c, known := characterOf(b)
	if !known {
		t.Fatalf("no such behaviour: %s", b)
	}
	return &server{Server: Server{Name: string(b)}, character: c, began: time.Now(), random: rand.New(rand.NewPCG(seed, 0))}
}

package lab

import (
	"encoding/binary"
	"time"
)

// Modes of RFC 5905 figure 10, and the leap indicator of figure 9, that a server of the lab needs.
const (
	modeClient  = 3
	modeServer  = 4
	leapUnknown = 3
)

// newestVersion is the version of RFC 5905. Queries in later ones are not for us to read.
const newestVersion = 4

// packetSize is the size of the header in bytes. All that may follow it (extension fields, a MAC) is ignored.
const packetSize = 48

// packet is the header of an NTP packet, in the order of RFC 5905 figure 8:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|LI | VN  |Mode |    Stratum     |     Poll      |  Precision   |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Root Delay                            |
//	|                         Root Dispersion                       |
//	|                          Reference ID                         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                     Reference Timestamp (64)                  |
//	|                      Origin Timestamp (64)                    |
//	|                      Receive Timestamp (64)                   |
//	|                      Transmit Timestamp (64)                  |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type packet struct {
	leap, version, mode uint8
	stratum             uint8
	poll, precision     int8 // exponents of 2, in seconds
	rootDelay           shortTime
	rootDispersion      shortTime
	referenceID         [4]byte

	reference, origin, receive, transmit timestamp
}

// shortTime is a duration in units of 2^-16 s (NTP short format, RFC 5905 section 6).
type shortTime uint32

// timestamp is a time in units of 2^-32 s since 1900, or since its next era's start in 2036
// (NTP timestamp format, RFC 5905 section 6).
type timestamp uint64

// timestampOf is t as a timestamp.
func timestampOf(t time.Time) timestamp {
	const from1900to1970 = 2_208_988_800 // seconds: 70 years, 17 of them leap years
	seconds := uint64(t.Unix() + from1900to1970)
	return timestamp(seconds<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second))
}

// append writes the packet at the end of b.
func (p *packet) append(b []byte) []byte {
	b = append(b, p.leap<<6|p.version<<3|p.mode, p.stratum, byte(p.poll), byte(p.precision))
	b = binary.BigEndian.AppendUint32(b, uint32(p.rootDelay))
	b = binary.BigEndian.AppendUint32(b, uint32(p.rootDispersion))
	b = append(b, p.referenceID[:]...)
	for _, t := range []timestamp{p.reference, p.origin, p.receive, p.transmit} {
		b = binary.BigEndian.AppendUint64(b, uint64(t))
	}
	return b
}

// query is what a server needs to know of a client's packet.
type query struct {
	version  uint8
	poll     int8
	transmit timestamp
}

// parseQuery reads a client's packet; false: it isn't one that a server answers.
func parseQuery(datagram []byte) (query, bool) {
	if len(datagram) < packetSize {
		return query{}, false
	}
	version, mode := datagram[0]>>3&7, datagram[0]&7
	if mode != modeClient || version == 0 || version > newestVersion {
		return query{}, false
	}
	transmit := timestamp(binary.BigEndian.Uint64(datagram[40:]))
	return query{version: version, poll: int8(datagram[2]), transmit: transmit}, true
}

package messages

import (
	"math"
	"net/netip"
	"time"
)

// maxMillis is the longest duration in ms, so that what comes from the wire can't overflow into a negative one.
const maxMillis = math.MaxInt64 / uint64(time.Millisecond)

// fromTime is a time in µs since the Unix epoch, truncated; 0 for the zero time.
func fromTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func toTime(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// toSeconds is a time in s since the Unix epoch. It has no word for the zero time, which no grant has.
func toSeconds(s int64) time.Time { return time.Unix(s, 0).UTC() }

// fromMillis is a duration in ms, truncated; 0 for a negative one.
func fromMillis(d time.Duration) uint64 {
	return uint64(max(0, d.Milliseconds()))
}

func toMillis(ms uint64) time.Duration {
	return time.Duration(min(ms, maxMillis)) * time.Millisecond
}

// fromNanos is a duration in ns; 0 for a negative one.
func fromNanos(d time.Duration) uint64 {
	return uint64(max(0, d))
}

func toNanos(ns uint64) time.Duration {
	return time.Duration(min(ns, math.MaxInt64))
}

// fromAddr is an address as 4 or 16 bytes, none for an invalid one. An IPv4 address mapped into IPv6 has 4:
// it is the same host.
func fromAddr(addr netip.Addr) []byte {
	return addr.Unmap().AsSlice()
}

// toAddr is the address in 4 or 16 bytes; any other number of bytes makes an invalid one.
func toAddr(ip []byte) netip.Addr {
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}

func toAddrPort(ip []byte, port uint32) netip.AddrPort {
	return netip.AddrPortFrom(toAddr(ip), uint16(port))
}

// each converts a list; an empty one becomes nil, as it is after a journey over the wire.
func each[A, B any](list []A, convert func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	converted := make([]B, len(list))
	for i, item := range list {
		converted[i] = convert(item)
	}
	return converted
}

// fromOptional converts what may be missing into a message that isn't set then.
func fromOptional[A, M any](value *A, from func(A) *M) *M {
	if value == nil {
		return nil
	}
	return from(*value)
}

// toOptional converts a message that may not be set.
func toOptional[M, A any](m *M, to func(*M) A) *A {
	if m == nil {
		return nil
	}
	value := to(m)
	return &value
}

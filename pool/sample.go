package pool

import (
	"time"
)

// Leap is the leap indicator of an NTP packet (RFC 5905 section 7.3).
type Leap uint8

// The four values of the leap indicator.
const (
	LeapNone    Leap = 0 // no warning
	LeapInsert  Leap = 1 // the last minute of the day has 61 seconds
	LeapDelete  Leap = 2 // the last minute of the day has 59 seconds
	LeapUnknown Leap = 3 // the server's clock is not synchronised
)

// Kiss is the four-letter code that a server of stratum 0 sends in its reference id (RFC 5905 section 7.4).
// It is empty where there is none.
type Kiss string

// The kiss codes that the rules name. A server may send any other.
const (
	KissRate     Kiss = "RATE" // the client asks too often
	KissDeny     Kiss = "DENY" // the client is refused
	KissRestrict Kiss = "RSTR" // the client is refused by policy
)

// Sample is what one probe says of a server: the best of its queries, or why there is none.
// A sample with an error or a kiss code has no offset.
type Sample struct {
	// At is when the sample was taken by the monitor's clock, in UTC, truncated to the microsecond:
	// together with monitor and server it is the sample's identity.
	At time.Time

	// Offset is server minus local clock (RFC 5905 section 8, theta), nil where it could not be measured.
	Offset *time.Duration

	// RTT is the round-trip delay (RFC 5905 section 8, delta), nil where nothing came back.
	RTT *time.Duration

	Stratum        uint8
	Leap           Leap
	RootDelay      time.Duration
	RootDispersion time.Duration
	ReferenceID    uint32
	Precision      time.Duration // the server's, as it says itself

	NoReply bool   // nothing came back, an ICMP error included
	Kiss    Kiss   // the kiss code that came instead of time
	Error   string // why the reply can't be used; empty where it can
	Warning string // what is odd about a usable reply

	// KernelTimestamps tells that both the send and the receive timestamp came from the kernel;
	// else both came from user space.
	KernelTimestamps bool
}

// Valid tells whether the sample carries time: a well-formed reply with an offset.
func (s Sample) Valid() bool {
	return !s.NoReply && s.Kiss == "" && s.Error == "" && s.Offset != nil
}

// RootDistance is how far the server may be from the primary reference clock,
// seen from here: half the root delay and RTT, and the dispersion (RFC 5905 appendix A.5.5.2 without ageing).
func (s Sample) RootDistance() time.Duration {
	var rtt time.Duration
	if s.RTT != nil {
		rtt = *s.RTT
	}
	return (s.RootDelay+rtt)/2 + s.RootDispersion
}

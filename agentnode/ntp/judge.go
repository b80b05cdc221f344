package ntp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/beevik/ntp"

	"truechimer/pool"
)

// Where the fields stand that are read here, not by beevik/ntp alone (RFC 5905 section 7.3, figure 8):
//
//	byte 0    leap indicator (2 bits), version (3), mode (3)
//	     1    stratum             12  reference id
//	     2    poll                16  reference timestamp
//	     3    precision           24  origin timestamp
//	     4    root delay          32  receive timestamp
//	     8    root dispersion     40  transmit timestamp
const (
	leapVersionModeAt = 0
	stratumAt         = 1
	pollAt            = 2
	precisionAt       = 3
	referenceIDAt     = 12
	referenceTimeAt   = 16
	originAt          = 24
	receiveAt         = 32
	transmitAt        = 40
	headerSize        = 48
)

// modeServer is the mode of a reply to a client (RFC 5905 figure 10).
const modeServer = 4

// maxRootDistance is the root distance beyond which a server isn't fit to be synchronised to
// (MAXDIST in RFC 5905 appendix A.1.1).
const maxRootDistance = time.Second

// judge says what a query came to: heard is what our connection saw of it,
// response and err are what beevik/ntp made of that.
func judge(h heard, response *ntp.Response, err error) pool.Sample {
	switch {
	case h.reply == nil:
		return unanswered(err)
	case servesNoTime(h.reply):
		return withoutTime(h)
	case err != nil:
		return malformed(h, err.Error())
	case unset(h.reply, receiveAt):
		return malformed(h, "no receive timestamp in response")
	}
	return withTime(h, response)
}

// unset tells whether one of a reply's timestamps is zero, which says that there is none (RFC 5905 section 6);
// beevik/ntp reads it as the year 2036.
func unset(reply []byte, at int) bool {
	return binary.BigEndian.Uint64(reply[at:]) == 0
}

// unanswered is the sample where no datagram answered the query.
func unanswered(err error) pool.Sample {
	if stray, ok := errors.AsType[*strayError](err); ok {
		return pool.Sample{Error: stray.why}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) { // closed: the caller's context ended
		return pool.Sample{NoReply: true}
	}
	return pool.Sample{NoReply: true, Warning: cause(err)}
}

// cause is what the system says went wrong, without the addresses and the random port that net wraps around it.
func cause(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}

// servesNoTime tells a server's reply of stratum 0. It is recognised before beevik/ntp is asked, which refuses some of
// them for their timestamps: in a kiss these mean nothing (RFC 4330 section 8).
func servesNoTime(reply []byte) bool {
	return reply[leapVersionModeAt]&7 == modeServer && reply[stratumAt] == 0
}

// withoutTime is the sample of a reply of stratum 0: a kiss code, or a server that has no time to serve.
// Its RTT includes the time that the server took, for its timestamps tell nothing.
func withoutTime(h heard) pool.Sample {
	rtt := roundTrip(h)
	return pool.Sample{
		RTT:              &rtt,
		Leap:             pool.Leap(h.reply[leapVersionModeAt] >> 6),
		ReferenceID:      binary.BigEndian.Uint32(h.reply[referenceIDAt:]),
		Kiss:             kissCode(h.reply[referenceIDAt:referenceTimeAt]),
		KernelTimestamps: h.kernel,
	}
}

// kissCode reads the four letters of a kiss code from the reference id; empty where they aren't letters
// (RFC 5905 section 7.4: four ASCII characters; experimental ones begin with X).
func kissCode(referenceID []byte) pool.Kiss {
	for _, c := range referenceID {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return pool.Kiss(referenceID)
}

// malformed is the sample of a reply that answers our query and yet can't be used.
func malformed(h heard, why string) pool.Sample {
	rtt := roundTrip(h)
	return pool.Sample{RTT: &rtt, Error: "malformed reply: " + why, KernelTimestamps: h.kernel}
}

// withTime is the sample of a well-formed reply.
func withTime(h heard, response *ntp.Response) pool.Sample {
	t1, t2, t3, t4 := h.sent, response.Timestamps.ServerRecv, response.Timestamps.ServerXmit, h.received
	offset, rtt := offsetOf(t1, t2, t3, t4), rttOf(t1, t2, t3, t4)
	sample := pool.Sample{
		Offset:           &offset,
		RTT:              &rtt,
		Stratum:          response.Stratum,
		Leap:             pool.Leap(response.Leap),
		RootDelay:        response.RootDelay,
		RootDispersion:   response.RootDispersion,
		ReferenceID:      response.ReferenceID,
		Precision:        precisionOf(int8(h.reply[precisionAt])),
		KernelTimestamps: h.kernel,
	}
	sample.Warning = oddities(sample, h.reply, response)
	return sample
}

// offsetOf is how far the server's clock is ahead of ours (theta in RFC 5905 section 8).
func offsetOf(t1, t2, t3, t4 time.Time) time.Duration {
	return (t2.Sub(t1) + t3.Sub(t4)) / 2
}

// rttOf is the time on the way there and back (delta in RFC 5905 section 8). A server can claim to have held the
// query for longer than we waited; the RFC then takes the precision of our clock, which is nothing beside a microsecond.
func rttOf(t1, t2, t3, t4 time.Time) time.Duration {
	return max(0, t4.Sub(t1)-t3.Sub(t2))
}

// roundTrip is how long we waited for a reply whose timestamps can't be used.
func roundTrip(h heard) time.Duration {
	return max(0, h.received.Sub(h.sent))
}

// precisionOf is 2 to the power of exponent, in seconds. What a server says beyond 16 s, the most that
// RFC 5905 allows any error to be (MAXDISP in appendix A.1.1), tells nothing more, and would overflow.
func precisionOf(exponent int8) time.Duration {
	const mostExponent = 4
	if exponent >= 0 {
		return time.Second << min(exponent, mostExponent)
	}
	return time.Second >> -int(exponent)
}

// oddities names what is odd about a usable reply.
func oddities(sample pool.Sample, reply []byte, response *ntp.Response) string {
	var odd []string
	if response.Version != version {
		odd = append(odd, fmt.Sprintf("reply in version %d", response.Version))
	}
	if distance := sample.RootDistance(); distance > maxRootDistance {
		odd = append(odd, fmt.Sprintf("root distance %s", distance.Round(time.Millisecond)))
	}
	if !unset(reply, referenceTimeAt) && response.ReferenceTime.After(response.Timestamps.ServerXmit) {
		odd = append(odd, "reference time in the future")
	}
	return strings.Join(odd, "; ")
}

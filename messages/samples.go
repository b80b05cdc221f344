package messages

import (
	"errors"
	"fmt"
	"time"

	"truechimer/pool"
)

// What a sample may say. The limits are those of NTP itself, or so far out that no clock and no path gets there:
// a server may be as wrong as it likes, and its sample must still count against it.
const (
	// earliest and latest bound all times, in s since the Unix epoch: from 2020, before this program existed,
	// to 2100. A clock outside of them is not fit to judge others.
	earliest, latest = 1577836800, 4102444800

	microsPerSecond = 1e6

	// maxOffset is one NTP era, 2^32 s or 136 years (RFC 5905 section 6): what a server says is taken to lie within
	// one era around today, so no two clocks can be further apart.
	maxOffset = time.Second << 32

	// maxRTT is far beyond the 3 s for which a monitor waits.
	maxRTT = time.Minute

	// maxRoot is what the short format of NTP can't reach with its 16 bits of seconds (RFC 5905 section 6).
	maxRoot = time.Second << 16

	maxStratum = 255 // a byte in the packet
	maxLeap    = 3   // two bits in the packet
	maxKiss    = 4   // a reference id has four bytes (RFC 5905 section 7.4)
)

// FromSample makes the message of a sample. Its texts are made legible, so that no server can keep a monitor's
// sample from being sent by what it answers.
func FromSample(s pool.Sample) *Sample {
	return &Sample{
		AtUs:             fromTime(s.At),
		OffsetNs:         (*int64)(s.Offset),
		RttNs:            (*int64)(s.RTT),
		Stratum:          uint32(s.Stratum),
		Leap:             uint32(s.Leap),
		RootDelayNs:      fromNanos(s.RootDelay),
		RootDispersionNs: fromNanos(s.RootDispersion),
		ReferenceId:      s.ReferenceID,
		PrecisionNs:      fromNanos(s.Precision),
		NoReply:          s.NoReply,
		Kiss:             Legible(string(s.Kiss)),
		Error:            Legible(s.Error),
		Warning:          Legible(s.Warning),
		KernelTimestamps: s.KernelTimestamps,
	}
}

// ToSample checks a monitor's sample and converts it. The error is fit to be told to the agent.
func ToSample(m *Sample) (pool.Sample, error) {
	if err := checkSample(m); err != nil {
		return pool.Sample{}, fmt.Errorf("sample: %w", err)
	}
	return toSample(m), nil
}

// toSample converts a sample that has been checked before.
func toSample(m *Sample) pool.Sample {
	return pool.Sample{
		At:               toTime(m.AtUs),
		Offset:           (*time.Duration)(m.OffsetNs),
		RTT:              (*time.Duration)(m.RttNs),
		Stratum:          uint8(m.Stratum),
		Leap:             pool.Leap(m.Leap),
		RootDelay:        toNanos(m.RootDelayNs),
		RootDispersion:   toNanos(m.RootDispersionNs),
		ReferenceID:      m.ReferenceId,
		Precision:        toNanos(m.PrecisionNs),
		NoReply:          m.NoReply,
		Kiss:             pool.Kiss(m.Kiss),
		Error:            m.Error,
		Warning:          m.Warning,
		KernelTimestamps: m.KernelTimestamps,
	}
}

func checkSample(m *Sample) error {
	if m == nil {
		return errors.New("not set")
	}
	if err := checkMeasures(m); err != nil {
		return err
	}
	if err := checkConsistency(m); err != nil {
		return err
	}
	if err := checkText("kiss code", m.Kiss, maxKiss); err != nil {
		return err
	}
	if err := checkText("error", m.Error, MaxText); err != nil {
		return err
	}
	return checkText("warning", m.Warning, MaxText)
}

// checkMeasures checks each number by itself.
func checkMeasures(m *Sample) error {
	offset, rtt := time.Duration(m.GetOffsetNs()), time.Duration(m.GetRttNs())
	switch {
	case !isOnTheLink(m.AtUs):
		return fmt.Errorf("taken at %d µs, not between 2020 and 2100", m.AtUs)
	case offset < -maxOffset || offset > maxOffset:
		return fmt.Errorf("offset %s is more than an NTP era", offset)
	case rtt < 0 || rtt > maxRTT:
		return fmt.Errorf("RTT %s is not between 0 and %s", rtt, maxRTT)
	case m.Stratum > maxStratum:
		return fmt.Errorf("stratum %d is more than %d", m.Stratum, maxStratum)
	case m.Leap > maxLeap:
		return fmt.Errorf("leap %d is more than %d", m.Leap, maxLeap)
	case max(m.RootDelayNs, m.RootDispersionNs, m.PrecisionNs) > uint64(maxRoot):
		return fmt.Errorf("root delay, root dispersion or precision is more than %s", maxRoot)
	}
	return nil
}

// isOnTheLink tells whether a time in µs is one that may be said on the link.
func isOnTheLink(us int64) bool {
	return us >= earliest*microsPerSecond && us < latest*microsPerSecond
}

// checkConsistency checks what the parts of a sample say about each other.
func checkConsistency(m *Sample) error {
	unusable := m.NoReply || m.Kiss != "" || m.Error != ""
	switch {
	case m.OffsetNs != nil && unusable:
		return errors.New("an offset, and a reason why there is none")
	case m.OffsetNs != nil && m.RttNs == nil:
		return errors.New("an offset without the RTT that was measured with it")
	case m.NoReply && (m.RttNs != nil || m.Kiss != "" || m.Error != ""):
		return errors.New("no reply, and what a reply said")
	}
	return nil
}

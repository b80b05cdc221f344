package ntp

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"truechimer/pool"
)

// Whoever forges the server's address but hasn't seen the query can't speak in its name, nor cut the query short.
func TestStrayDatagramsDontEndTheWait(t *testing.T) {
	server := &scripted{answer: func(query []byte) [][]byte {
		reply := goodReply(query)
		forged := bytes.Clone(reply)
		forged[originAt]++
		echo := bytes.Clone(query)
		return [][]byte{forged, {}, reply[:headerSize-1], echo, reply}
	}}
	sample := server.query(t)
	if !sample.Valid() || sample.Stratum != 2 {
		t.Errorf("want the reply that answers the query, have %+v", sample)
	}
}

// A query gives nothing away: it is 48 bytes of version 4, client mode, and a random transmit timestamp.
func TestAQuerySaysNothingButItsRandomTimestamp(t *testing.T) {
	var queries [][]byte
	server := &scripted{answer: func(query []byte) [][]byte {
		queries = append(queries, bytes.Clone(query))
		return nil
	}}
	server.query(t)
	server.query(t)
	for _, query := range queries {
		if len(query) != headerSize || query[0] != 4<<3|3 || !bytes.Equal(query[1:transmitAt], make([]byte, transmitAt-1)) {
			t.Errorf("query % x, want 23, zeros, and eight random bytes", query)
		}
	}
	if bytes.Equal(queries[0], queries[1]) {
		t.Errorf("two queries are alike: % x", queries[0])
	}
}

// Kernel timestamps count as a pair that our own clock brackets; else both come from user space.
func TestTheKernelsTimestampsCountBothOrNeither(t *testing.T) {
	sent, received := start, start.Add(wait) // as user space reads them
	const µs = time.Microsecond
	rows := []struct {
		name                       string
		kernelSent, kernelReceived time.Time
		kernel                     bool
	}{
		{"both", sent.Add(100 * µs), received.Add(-300 * µs), true},
		{"at the same moments as ours", sent, received, true},
		{"none", time.Time{}, time.Time{}, false},
		{"receive alone", time.Time{}, received.Add(-300 * µs), false},
		{"send alone", sent.Add(100 * µs), time.Time{}, false},
		{"sent before it was written", sent.Add(-µs), received.Add(-300 * µs), false},
		{"received after it was read", sent.Add(100 * µs), received.Add(µs), false},
		{"received before it was sent", sent.Add(200 * µs), sent.Add(100 * µs), false},
		{"of a clock an hour ahead", sent.Add(time.Hour), received.Add(time.Hour), false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			server := &scripted{
				answer:         func(query []byte) [][]byte { return [][]byte{goodReply(query)} },
				kernelSent:     row.kernelSent,
				kernelReceived: row.kernelReceived,
			}
			sample := server.query(t)
			wantOffset, wantRTT := *ms(5), *ms(8)
			if row.kernel { // the query left later than we thought, and the reply came earlier
				later, earlier := row.kernelSent.Sub(sent), received.Sub(row.kernelReceived)
				wantOffset += (earlier - later) / 2
				wantRTT -= later + earlier
			}
			if sample.KernelTimestamps != row.kernel {
				t.Errorf("kernel timestamps: %v, want %v", sample.KernelTimestamps, row.kernel)
			}
			if (*sample.Offset-wantOffset).Abs() > µs || (*sample.RTT-wantRTT).Abs() > µs {
				t.Errorf("offset %s, RTT %s, want %s, %s", *sample.Offset, *sample.RTT, wantOffset, wantRTT)
			}
		})
	}
}

// FuzzReply feeds a client any datagram, with the right origin timestamp where asked: it never panics, and what it
// says is always one of the five things that Query promises.
func FuzzReply(f *testing.F) {
	query := make([]byte, headerSize)
	binary.BigEndian.PutUint64(query[transmitAt:], 1)
	good := goodReply(query)
	kiss := bytes.Clone(good)
	kiss[stratumAt] = 0
	copy(kiss[referenceIDAt:], "DENY")
	bomb := bytes.Clone(good)
	bomb[pollAt], bomb[precisionAt] = 0x80, 0x80
	for _, seed := range [][]byte{good, kiss, bomb, good[:20], append(bytes.Clone(good), 1, 2, 3, 4), {}, make([]byte, 48)} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, datagram []byte, answersUs bool) {
		server := &scripted{answer: func(query []byte) [][]byte {
			reply := bytes.Clone(datagram)
			if answersUs && len(reply) >= headerSize {
				copy(reply[originAt:], query[transmitAt:headerSize])
			}
			return [][]byte{reply}
		}}
		requireConsistent(t, server.query(t))
	})
}

// requireConsistent fails the test unless a sample of a reply is one of: time, kiss, no time, error.
func requireConsistent(t *testing.T, s pool.Sample) {
	t.Helper()
	kinds := 0
	for _, is := range []bool{
		s.Offset != nil && s.RTT != nil && s.Stratum != 0,
		s.Kiss != "" && len(s.Kiss) == 4 && s.RTT != nil && s.Stratum == 0,
		s.Kiss == "" && s.Error == "" && s.Offset == nil && s.RTT != nil && s.Stratum == 0,
		s.Error != "" && s.Stratum == 0,
	} {
		if is {
			kinds++
		}
	}
	if kinds != 1 || s.NoReply {
		t.Errorf("a sample of %d kinds, want one: %+v", kinds, s)
	}
	if s.Offset != nil && (s.Kiss != "" || s.Error != "") {
		t.Errorf("an offset beside a kiss or an error: %+v", s)
	}
	if s.Warning != "" && !s.Valid() {
		t.Errorf("a warning of a reply that can't be used: %+v", s)
	}
	if s.RTT != nil && *s.RTT < 0 || s.Precision < 0 || s.RootDelay < 0 || s.RootDispersion < 0 || s.Leap > 3 {
		t.Errorf("a figure out of range: %+v", s)
	}
	if s.At != start.Truncate(time.Microsecond) {
		t.Errorf("at %v, want %v", s.At, start)
	}
}

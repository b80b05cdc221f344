package ntp

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"truechimer/pool"
)

// nearly lets durations differ by the few nanoseconds that are lost in the fractions of NTP timestamps.
func nearly() cmp.Option {
	const rounding = 5 * time.Nanosecond
	return cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= rounding })
}

func ms(d float64) *time.Duration {
	duration := time.Duration(d * float64(time.Millisecond))
	return &duration
}

// Each kind of reply gives the sample that the rules of steps can tell from the others.
func TestEachReplyGivesItsSample(t *testing.T) {
	// What goodReply gives; the rows below say what they change of it.
	good := pool.Sample{
		Offset: ms(5), RTT: ms(8),
		Stratum: 2, RootDelay: *ms(15.625), RootDispersion: *ms(7.8125), ReferenceID: 0xc0000209,
		Precision: 953 * time.Nanosecond,
	}
	altered := func(alter func(*pool.Sample)) pool.Sample {
		sample := good
		alter(&sample)
		return sample
	}
	noTime := pool.Sample{RTT: ms(10), Leap: pool.LeapUnknown}

	rows := []struct {
		name  string
		spoil func(reply []byte)
		want  pool.Sample
	}{
		{"good", func([]byte) {}, good},
		{
			"leap 3 is reported with the offset", func(r []byte) { r[0] |= 3 << 6 },
			altered(func(s *pool.Sample) { s.Leap = pool.LeapUnknown }),
		},
		{
			"leap 1", func(r []byte) { r[0] |= 1 << 6 },
			altered(func(s *pool.Sample) { s.Leap = pool.LeapInsert }),
		},
		{
			"stratum 16 is reported as it is", func(r []byte) { r[1] = 16 },
			altered(func(s *pool.Sample) { s.Stratum = 16 }),
		},
		{
			"stratum 255 is reported as it is", func(r []byte) { r[1] = 255 },
			altered(func(s *pool.Sample) { s.Stratum = 255 }),
		},
		{
			"another version is odd", func(r []byte) { r[0] = 3<<3 | modeServer },
			altered(func(s *pool.Sample) { s.Warning = "reply in version 3" }),
		},
		{
			"a great root distance is odd", func(r []byte) { binary.BigEndian.PutUint32(r[4:], 3<<16) },
			altered(func(s *pool.Sample) {
				s.RootDelay, s.Warning = 3*time.Second, "root distance 1.512s"
			}),
		},
		{
			"a reference time in the future is odd", func(r []byte) { setTime(r, referenceTimeAt, start.Add(time.Hour)) },
			altered(func(s *pool.Sample) { s.Warning = "reference time in the future" }),
		},
		{"no reference time isn't odd", func(r []byte) { clear(r[referenceTimeAt:originAt]) }, good},
		{
			"two oddities", func(r []byte) { r[0] = 1<<3 | modeServer; setTime(r, referenceTimeAt, start.Add(time.Hour)) },
			altered(func(s *pool.Sample) { s.Warning = "reply in version 1; reference time in the future" }),
		},
		{"a server that claims to have taken longer than we waited", func(r []byte) {
			setTime(r, receiveAt, start)
			setTime(r, transmitAt, start.Add(20*time.Millisecond))
		}, altered(func(s *pool.Sample) { s.Offset, s.RTT = ms(5), ms(0) })},
		{"the poll interval on which beevik/ntp panics", func(r []byte) { r[pollAt] = 0x80 }, good},
		{
			"the precision on which beevik/ntp panics", func(r []byte) { r[precisionAt] = 0x80 },
			altered(func(s *pool.Sample) { s.Precision = 0 }),
		},
		{
			"a precision that overflows", func(r []byte) { r[precisionAt] = 127 },
			altered(func(s *pool.Sample) { s.Precision = 16 * time.Second }),
		},
		{
			"kiss RATE", func(r []byte) { r[0] |= 3 << 6; r[1] = 0; copy(r[12:], "RATE") },
			pool.Sample{RTT: ms(10), Leap: pool.LeapUnknown, ReferenceID: 0x52415445, Kiss: pool.KissRate},
		},
		{"an experimental kiss without timestamps", func(r []byte) {
			r[0], r[1] = 3<<6|4<<3|modeServer, 0
			copy(r[12:], "XFOO")
			clear(r[receiveAt:])
		}, pool.Sample{RTT: ms(10), Leap: pool.LeapUnknown, ReferenceID: 0x58464f4f, Kiss: "XFOO"}},
		{"stratum 0 without a kiss code", func(r []byte) { r[0] |= 3 << 6; r[1] = 0; clear(r[12:16]) }, noTime},
		{
			"stratum 0 with an address for a code", func(r []byte) { r[0] |= 3 << 6; r[1] = 0 },
			pool.Sample{RTT: ms(10), Leap: pool.LeapUnknown, ReferenceID: 0xc0000209},
		},
		{
			"a broadcast", func(r []byte) { r[0] = 4<<3 | 5 },
			pool.Sample{RTT: ms(10), Error: "malformed reply: invalid mode in response"},
		},
		{
			"a kiss that isn't a server's", func(r []byte) { r[0], r[1] = 4<<3|3, 0; copy(r[12:], "DENY") },
			pool.Sample{RTT: ms(10), Error: "malformed reply: invalid mode in response"},
		},
		{
			"no transmit timestamp", func(r []byte) { clear(r[transmitAt:]) },
			pool.Sample{RTT: ms(10), Error: "malformed reply: invalid transmit time in response"},
		},
		{
			"no receive timestamp", func(r []byte) { clear(r[receiveAt:transmitAt]) },
			pool.Sample{RTT: ms(10), Error: "malformed reply: no receive timestamp in response"},
		},
		{
			"sent before it was received", func(r []byte) { setTime(r, transmitAt, start) },
			pool.Sample{RTT: ms(10), Error: "malformed reply: server clock ticked backwards"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			server := &scripted{answer: func(query []byte) [][]byte {
				reply := goodReply(query)
				row.spoil(reply)
				return [][]byte{reply}
			}}
			have := server.query(t)
			if diff := cmp.Diff(row.want, have, nearly(), cmpopts.IgnoreFields(pool.Sample{}, "At")); diff != "" {
				t.Errorf("sample (-want +have):\n%s", diff)
			}
		})
	}
}

// A sample's time is that of its query in UTC, to the microsecond: it is the sample's identity.
func TestTheSampleIsDatedToTheMicrosecond(t *testing.T) {
	elsewhere := func() time.Time { return start.In(time.FixedZone("east", 3600)) }
	have := New(Options{Now: elsewhere}).Query(t.Context(), closedPort(t), netip.Addr{}).At
	if want := start.Truncate(time.Microsecond); have != want {
		t.Errorf("at %v, want %v", have, want)
	}
}

// Offset and RTT are those of RFC 5905 section 8, whichever way the clocks are apart.
func TestOffsetAndRTTFollowTheFourTimestamps(t *testing.T) {
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	rows := []struct {
		name           string
		t1, t2, t3, t4 time.Time
		offset, rtt    time.Duration
	}{
		{"clocks agree", at(0), at(10), at(11), at(21), 0, *ms(20)},
		{"server ahead", at(0), at(1010), at(1011), at(21), time.Second, *ms(20)},
		{"server behind", at(0), at(-990), at(-989), at(21), -time.Second, *ms(20)},
		{"the way back is longer", at(0), at(10), at(10), at(40), *ms(-10), *ms(40)},
		{
			"decades apart", at(0), at(0).AddDate(-50, 0, 0), at(0).AddDate(-50, 0, 0), at(0),
			at(0).AddDate(-50, 0, 0).Sub(at(0)), 0,
		},
		{"never negative", at(0), at(0), at(30), at(10), *ms(10), 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if have := offsetOf(row.t1, row.t2, row.t3, row.t4); have != row.offset {
				t.Errorf("offset %s, want %s", have, row.offset)
			}
			if have := rttOf(row.t1, row.t2, row.t3, row.t4); have != row.rtt {
				t.Errorf("RTT %s, want %s", have, row.rtt)
			}
		})
	}
}

// Silence, refusal and rubbish are told apart, and none of them shows addresses or ports of this host.
func TestWhatEndsAQueryWithoutReply(t *testing.T) {
	refused := &net.OpError{Op: "read", Net: "udp", Err: os.NewSyscallError("read", syscall.ECONNREFUSED)}
	rows := []struct {
		name     string
		arriving [][]byte
		end      error
		want     pool.Sample
	}{
		{"silence", nil, os.ErrDeadlineExceeded, pool.Sample{NoReply: true}},
		{"given up", nil, net.ErrClosed, pool.Sample{NoReply: true}},
		{"refused", nil, refused, pool.Sample{NoReply: true, Warning: syscall.ECONNREFUSED.Error()}},
		{"something else", nil, errors.New("no luck"), pool.Sample{NoReply: true, Warning: "no luck"}},
		{
			"an empty datagram",
			[][]byte{{}},
			os.ErrDeadlineExceeded,
			pool.Sample{Error: "a reply has 0 bytes, the header alone takes 48"},
		},
		{
			"a short one",
			[][]byte{make([]byte, 47)},
			os.ErrDeadlineExceeded,
			pool.Sample{Error: "a reply has 47 bytes, the header alone takes 48"},
		},
		{
			"another's reply",
			[][]byte{make([]byte, 48)},
			os.ErrDeadlineExceeded,
			pool.Sample{Error: "a reply names an origin timestamp that isn't ours"},
		},
		{
			"a short one, then refused",
			[][]byte{{1}},
			refused,
			pool.Sample{Error: "a reply has 1 bytes, the header alone takes 48"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			server := &scripted{answer: func([]byte) [][]byte { return row.arriving }, end: row.end}
			have := server.query(t)
			if diff := cmp.Diff(row.want, have, cmpopts.IgnoreFields(pool.Sample{}, "At")); diff != "" {
				t.Errorf("sample (-want +have):\n%s", diff)
			}
		})
	}
}

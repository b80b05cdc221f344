package ntp

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"truechimer/pool"
)

func loopback() netip.Addr { return netip.MustParseAddr("127.0.0.1") }

// listen starts a server on a free loopback port that answers a query with what answer gives, for the test's length.
func listen(tb testing.TB, answer func(conn *net.UDPConn, query []byte, from netip.AddrPort)) netip.AddrPort {
	tb.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback(), 0)))
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		query := make([]byte, 1024)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(query)
			if err != nil {
				return // closed by the test's end
			}
			answer(conn, query[:n], from)
		}
	}()
	tb.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// closedPort is a loopback port that nobody listens on.
func closedPort(tb testing.TB) netip.AddrPort {
	tb.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback(), 0)))
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// serveTime answers with the time of the system's clock.
func serveTime(conn *net.UDPConn, query []byte, from netip.AddrPort) {
	reply := goodReply(query)
	setTime(reply, receiveAt, time.Now())
	setTime(reply, transmitAt, time.Now())
	_, _ = conn.WriteToUDPAddrPort(reply, from)
}

// Over a real socket both ends of which read one clock, the offset is no more than the way there and back explains.
func TestOneClockHasNoOffset(t *testing.T) {
	sample := New(Options{}).Query(t.Context(), listen(t, serveTime), netip.Addr{})
	if !sample.Valid() {
		t.Fatalf("want a valid sample, have %+v", sample)
	}
	if sample.Offset.Abs() > *sample.RTT/2+time.Microsecond {
		t.Errorf("offset %s, want at most half the RTT, %s", *sample.Offset, *sample.RTT)
	}
}

// The clock that is compared is the client's, even where the kernel's is another.
func TestTheClientsOwnClockIsCompared(t *testing.T) {
	const slow = time.Hour
	client := New(Options{Now: func() time.Time { return time.Now().Add(-slow) }})
	sample := client.Query(t.Context(), listen(t, serveTime), netip.Addr{})
	if !sample.Valid() || sample.KernelTimestamps {
		t.Fatalf("want a valid sample with timestamps from user space, have %+v", sample)
	}
	if (*sample.Offset - slow).Abs() > *sample.RTT/2+time.Microsecond {
		t.Errorf("offset %s, want %s give or take half the RTT, %s", *sample.Offset, slow, *sample.RTT)
	}
}

// Probes leave from the address they are told to, each from a port of its own.
func TestProbesLeaveFromTheLocalAddress(t *testing.T) {
	const queries = 8 // two random ports are alike once in 28,000 times, all eight never
	from := make(chan netip.AddrPort, queries)
	server := listen(t, func(conn *net.UDPConn, query []byte, client netip.AddrPort) {
		from <- client
		serveTime(conn, query, client)
	})
	local := netip.MustParseAddr("127.0.0.7")
	ports := make(map[uint16]bool)
	for range queries {
		if sample := New(Options{}).Query(t.Context(), server, local); !sample.Valid() {
			t.Fatalf("want a valid sample, have %+v", sample)
		}
		client := <-from
		if client.Addr().Unmap() != local {
			t.Errorf("query from %s, want %s", client.Addr(), local)
		}
		ports[client.Port()] = true
	}
	if len(ports) == 1 {
		t.Errorf("%d queries from one port", queries)
	}
}

// A query that can't be sent, or that nobody takes, is no reply, and says why.
func TestNoReplyNamesItsCause(t *testing.T) {
	rows := []struct {
		name   string
		server netip.AddrPort
		local  netip.Addr
		want   syscall.Errno
	}{
		{"nobody listens", closedPort(t), netip.Addr{}, syscall.ECONNREFUSED},
		{"the local address isn't ours", closedPort(t), netip.MustParseAddr("192.0.2.1"), syscall.EADDRNOTAVAIL},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			have := New(Options{}).Query(t.Context(), row.server, row.local)
			want := pool.Sample{NoReply: true, Warning: row.want.Error()}
			if diff := cmp.Diff(want, have, cmpopts.IgnoreFields(pool.Sample{}, "At")); diff != "" {
				t.Errorf("sample (-want +have):\n%s", diff)
			}
		})
	}
}

// A silent server costs the timeout, no more.
func TestSilenceEndsWithTheTimeout(t *testing.T) {
	const timeout, patience = 50 * time.Millisecond, 2 * time.Second
	server := listen(t, func(*net.UDPConn, []byte, netip.AddrPort) {})
	began := time.Now()
	sample := New(Options{Timeout: timeout}).Query(t.Context(), server, netip.Addr{})
	if took := time.Since(began); took < timeout || took > patience {
		t.Errorf("took %s, want %s", took, timeout)
	}
	if !sample.NoReply || sample.Warning != "" {
		t.Errorf("want no reply and no warning, have %+v", sample)
	}
}

// The end of the context ends the query at once.
func TestTheContextEndsAQuery(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := listen(t, func(*net.UDPConn, []byte, netip.AddrPort) { cancel() })
	began := time.Now()
	sample := New(Options{}).Query(ctx, server, netip.Addr{})
	if took := time.Since(began); took >= defaultTimeout {
		t.Errorf("took %s", took)
	}
	if !sample.NoReply {
		t.Errorf("want no reply, have %+v", sample)
	}
	if sample = New(Options{}).Query(ctx, server, netip.Addr{}); !sample.NoReply {
		t.Errorf("after the end of the context: want no reply, have %+v", sample)
	}
}

// The zero address is nobody's.
func TestNoAddressIsNoReply(t *testing.T) {
	if sample := New(Options{}).Query(t.Context(), netip.AddrPort{}, netip.Addr{}); !sample.NoReply {
		t.Errorf("want no reply, have %+v", sample)
	}
}

// watchedContext counts who waits for its end, which never comes.
type watchedContext struct {
	context.Context
	done      chan struct{}
	ever, now atomic.Int32
}

func (c *watchedContext) Done() <-chan struct{} { return c.done }

// AfterFunc is what package context asks, where a context has it, for a call at its end.
func (c *watchedContext) AfterFunc(func()) (stop func() bool) {
	c.ever.Add(1)
	c.now.Add(1)
	return func() bool {
		c.now.Add(-1)
		return true
	}
}

// A query leaves nothing behind in a context that outlives it: an agent's lives as long as the agent.
func TestAQueryLeavesNothingInItsContext(t *testing.T) {
	ctx := &watchedContext{Context: context.Background(), done: make(chan struct{})}
	if sample := New(Options{}).Query(ctx, listen(t, serveTime), netip.Addr{}); !sample.Valid() {
		t.Fatalf("want a valid sample, have %+v", sample)
	}
	if ctx.ever.Load() == 0 || ctx.now.Load() != 0 {
		t.Errorf("%d waited for the context's end, %d still do, want some and none", ctx.ever.Load(), ctx.now.Load())
	}
}

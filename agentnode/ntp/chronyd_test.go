//go:build integration

package ntp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"truechimer/pool"
)

// startChronyd runs a real NTP server on a free loopback port for the length of a test, and waits until it serves time.
func startChronyd(tb testing.TB) netip.AddrPort {
	tb.Helper()
	path, err := exec.LookPath("chronyd")
	if err != nil {
		path = "/usr/sbin/chronyd" // where it is, outside of most users' PATH
	}
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("no chronyd to test against (%v): apt-get install chrony", err)
	}
	server, folder := freePort(tb), tb.TempDir()
	config := fmt.Sprintf("local stratum 1\nport %d\nbindaddress 127.0.0.1\nallow 127.0.0.0/8\ncmdport 0\n"+
		"pidfile %s/pid\n", server.Port(), folder)
	file := filepath.Join(folder, "chrony.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		tb.Fatalf("write chronyd's configuration: %v", err)
	}
	// -d stays in the foreground, -x leaves the system's clock alone, -U does without being root.
	chronyd := exec.Command(path, "-d", "-x", "-U", "-f", file)
	chronyd.Stderr = tb.Output()
	if err := chronyd.Start(); err != nil {
		tb.Fatalf("start chronyd: %v", err)
	}
	tb.Cleanup(func() {
		_ = chronyd.Process.Signal(os.Interrupt)
		_ = chronyd.Wait()
	})
	awaitTime(tb, server)
	return server
}

// freePort is a loopback address that nobody listens on.
func freePort(tb testing.TB) netip.AddrPort {
	tb.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		tb.Fatalf("find a free port: %v", err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// awaitTime waits until a server gives a valid reply.
func awaitTime(tb testing.TB, server netip.AddrPort) {
	tb.Helper()
	const patience, pause = 10 * time.Second, 20 * time.Millisecond
	client, tick, late := New(Options{}), time.NewTicker(pause), time.After(patience)
	defer tick.Stop()
	for {
		sample := client.Query(tb.Context(), server, netip.Addr{})
		if sample.Valid() {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			tb.Fatalf("chronyd serves no time after %s: %+v", patience, sample)
		}
	}
}

// What a monitor says of a real, well-kept server is what that server is.
func TestChronydIsMeasuredAsItIs(t *testing.T) {
	server := startChronyd(t)
	sample := New(Options{}).Query(t.Context(), server, netip.MustParseAddr("127.0.0.1"))
	if !sample.Valid() || sample.Warning != "" {
		t.Fatalf("want a valid sample without a warning, have %+v", sample)
	}
	// Both ends read one clock, so that all the offset there is comes from the way there and back.
	if limit := *sample.RTT/2 + sample.Precision + time.Microsecond; sample.Offset.Abs() > limit {
		t.Errorf("offset %s, want at most half the RTT, %s", *sample.Offset, limit)
	}
	if sample.Stratum != 1 || sample.Leap != pool.LeapNone {
		t.Errorf("stratum %d leap %d, want 1 and 0", sample.Stratum, sample.Leap)
	}
	if !sample.KernelTimestamps {
		t.Error("timestamps come from user space, want the kernel's")
	}
}

// BenchmarkOffsetOfChronyd compares kernel timestamps with those of user space: the clocks are one,
// so that the median of the absolute offset is what the measurement itself adds.
func BenchmarkOffsetOfChronyd(b *testing.B) {
	server := startChronyd(b)
	stamping := New(Options{})
	for _, row := range []struct {
		name   string
		client *Client
	}{
		{"kernel timestamps", stamping},
		{"user space timestamps", withoutStamps(stamping)},
	} {
		b.Run(row.name, func(b *testing.B) {
			var offsets, rtts []time.Duration
			kernel := 0
			for b.Loop() {
				sample := row.client.Query(b.Context(), server, netip.Addr{})
				if !sample.Valid() {
					b.Fatalf("no valid reply: %+v", sample)
				}
				offsets, rtts = append(offsets, sample.Offset.Abs()), append(rtts, *sample.RTT)
				if sample.KernelTimestamps {
					kernel++
				}
			}
			slices.Sort(offsets)
			slices.Sort(rtts)
			b.ReportMetric(float64(offsets[len(offsets)/2].Nanoseconds()), "ns-offset-median")
			b.ReportMetric(float64(rtts[len(rtts)/2].Nanoseconds()), "ns-rtt-median")
			b.ReportMetric(float64(kernel)/float64(len(offsets)), "kernel")
		})
	}
}

// withoutStamps is a client whose sockets have no kernel timestamps.
func withoutStamps(c *Client) *Client {
	plain := *c
	plain.open = func(ctx context.Context, server netip.AddrPort, local netip.Addr) (socket, error) {
		opened, err := openUDP(ctx, server, local)
		if err == nil {
			opened.(*udpSocket).stamps = false
		}
		return opened, err
	}
	return &plain
}

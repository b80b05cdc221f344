package ntp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// udpSocket is a connected UDP socket.
type udpSocket struct {
	*net.UDPConn
	unwatch func() bool
	stamps  bool // whether the kernel was asked for timestamps, and agreed
}

// openUDP connects a socket to server, from local if that is valid. Its port is a random free one, fresh from the
// system. The end of ctx closes it.
func openUDP(ctx context.Context, server netip.AddrPort, local netip.Addr) (socket, error) {
	var dialer net.Dialer
	if local.IsValid() {
		dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(local.Unmap(), 0))
	}
	address := netip.AddrPortFrom(server.Addr().Unmap(), server.Port())
	conn, err := dialer.DialContext(ctx, "udp", address.String())
	if err != nil {
		return nil, fmt.Errorf("open a socket to %s: %w", address, err)
	}
	s := &udpSocket{UDPConn: conn.(*net.UDPConn)}
	s.stamps = askForStamps(s.UDPConn)
	s.unwatch = context.AfterFunc(ctx, func() { s.UDPConn.Close() })
	return s, nil
}

// Close ends the socket and its watch on the context.
func (s *udpSocket) Close() error {
	s.unwatch()
	return s.UDPConn.Close()
}

func (s *udpSocket) receive(b []byte) (int, time.Time, error) {
	if !s.stamps {
		n, err := s.UDPConn.Read(b)
		return n, time.Time{}, err
	}
	return readStamped(s.UDPConn, b)
}

func (s *udpSocket) sentAt() time.Time {
	if !s.stamps {
		return time.Time{}
	}
	return readSendStamp(s.UDPConn)
}

//go:build !linux

package ntp

import (
	"net"
	"time"
)

// askForStamps declines: where no timestamp of both directions can be had from the kernel, user space takes both.
func askForStamps(*net.UDPConn) bool { return false }

// readStamped reads a datagram that has no timestamp.
func readStamped(conn *net.UDPConn, b []byte) (int, time.Time, error) {
	n, err := conn.Read(b)
	return n, time.Time{}, err
}

// readSendStamp has none to give.
func readSendStamp(*net.UDPConn) time.Time { return time.Time{} }

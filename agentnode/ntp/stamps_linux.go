package ntp

import (
	"encoding/binary"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// stampFlags ask for software timestamps of what is sent and of what is received, and for the send timestamp
// without a copy of the datagram, which some systems keep from unprivileged users.
const stampFlags = unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_RX_SOFTWARE |
	unix.SOF_TIMESTAMPING_SOFTWARE | unix.SOF_TIMESTAMPING_OPT_TSONLY

// controlSize is room for the control messages of one datagram: three timestamps (64 bytes with their header), and
// beside a send timestamp the extended error that announces it with an IPv6 address (64 bytes); twice that.
const controlSize = 256

// askForStamps turns kernel timestamps on, in both directions. False: this kernel has none.
func askForStamps(conn *net.UDPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var refused error
	err = raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPING, stampFlags)
	})
	return err == nil && refused == nil
}

// readStamped reads a datagram and when the kernel got it; a zero time where it has no timestamp.
func readStamped(conn *net.UDPConn, b []byte) (int, time.Time, error) {
	var control [controlSize]byte
	n, controlled, _, _, err := conn.ReadMsgUDPAddrPort(b, control[:])
	if err != nil {
		return 0, time.Time{}, err
	}
	return n, stampIn(control[:controlled]), nil
}

// readSendStamp takes the send timestamp from the socket's error queue; a zero time where there is none.
// The kernel queues it when it hands the datagram to the network, so once the reply has come it is there or never
// will be: there is nothing to wait for.
func readSendStamp(conn *net.UDPConn) time.Time {
	raw, err := conn.SyscallConn()
	if err != nil {
		return time.Time{}
	}
	var sent time.Time
	err = raw.Control(func(fd uintptr) {
		var control [controlSize]byte
		_, controlled, _, _, err := unix.Recvmsg(int(fd), nil, control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err == nil {
			sent = stampIn(control[:controlled])
		}
	})
	if err != nil {
		return time.Time{}
	}
	return sent
}

// stampIn finds the software timestamp among control messages; a zero time where there is none.
// It is the first of three; the others are hardware's, which we don't ask for.
func stampIn(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Time{}
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPING {
			return firstOfThree(m.Data)
		}
	}
	return time.Time{}
}

// firstOfThree reads the first of three timespecs: seconds and nanoseconds, as wide as a word of this machine.
func firstOfThree(timespecs []byte) time.Time {
	var seconds, nanoseconds int64
	switch word := len(timespecs) / 6; word {
	case 8:
		seconds = int64(binary.NativeEndian.Uint64(timespecs))
		nanoseconds = int64(binary.NativeEndian.Uint64(timespecs[word:]))
	case 4:
		seconds = int64(int32(binary.NativeEndian.Uint32(timespecs)))
		nanoseconds = int64(int32(binary.NativeEndian.Uint32(timespecs[word:])))
	}
	if seconds == 0 && nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, nanoseconds)
}

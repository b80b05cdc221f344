package clockcheck

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ntpPort is where NTP servers listen (RFC 5905 section 7.2).
const ntpPort = 123

// Reference is a server by which a clock is checked.
type Reference struct {
	Host string // a name, or an address as text
	Port uint16
}

// ParseReference reads a reference as it is configured: host or host:port. An IPv6 address with a port is in brackets.
func ParseReference(text string) (Reference, error) {
	if at, err := netip.ParseAddrPort(text); err == nil && at.Port() != 0 {
		return Reference{Host: at.Addr().String(), Port: at.Port()}, nil
	}
	bare := text
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		bare = text[1 : len(text)-1]
	}
	if addr, err := netip.ParseAddr(bare); err == nil {
		return Reference{Host: addr.String(), Port: ntpPort}, nil
	}
	host, port, given := strings.Cut(text, ":")
	if host == "" || strings.ContainsAny(host, "[]/ ") {
		return Reference{}, fmt.Errorf("reference %q is neither host nor host:port", text)
	}
	if !given {
		return Reference{Host: host, Port: ntpPort}, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Reference{}, fmt.Errorf("reference %q: port %q is not between 1 and 65535", text, port)
	}
	return Reference{Host: host, Port: uint16(n)}, nil
}

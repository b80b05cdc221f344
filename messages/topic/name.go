package topic

import (
	"errors"
	"fmt"
	"net/netip"
)

// ErrName says that a name can't stand in a topic.
var ErrName = errors.New("not a name for a topic")

// longestName is more than a host name can have (253), as agents are named like hosts; the whole of a topic
// then stays far below what MQTT allows (65,535 bytes).
const longestName = 255

// CheckName tells whether a name can stand as one level of a topic and as a client's name: 1 to 255 letters,
// digits, dots, hyphens and underscores of ASCII. So it holds no slash and no wildcard, which would change the
// topic's meaning, and no colon, which ends the name in a client id.
func CheckName(name string) error {
	if name == "" {
		return fmt.Errorf("%w: empty", ErrName)
	}
	if len(name) > longestName {
		return fmt.Errorf("%w: %d bytes are more than %d", ErrName, len(name), longestName)
	}
	for i := range len(name) {
		if !plain(name[i]) {
			return fmt.Errorf("%w: %q", ErrName, name)
		}
	}
	return nil
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
}

// checkAddr tells whether an address names a server in a topic. A zone is of one host alone, and an IPv4 address
// mapped into IPv6 would be a second spelling of a server that has one already.
func checkAddr(addr netip.Addr) error {
	if !addr.IsValid() || addr.Zone() != "" || addr.Is4In6() {
		return fmt.Errorf("%w: address %s", ErrName, addr)
	}
	return nil
}

// Package pool holds the words of the domain: servers and monitors, what a probe says, and what is kept of it.
//
// It and the packages below it are pure. They know no clock, no randomness of their own, no I/O, no actors:
// what they need they are given, what they decide they return, with the reason.
package pool

import (
	"net/netip"
	"time"
)

// Identities. Zero stands for none.
type (
	ServerID  uint32
	MonitorID uint32
	AccountID uint32
	LogID     uint64 // of a row in log_scores; ids of one server grow in the order in which its samples were scored
	ShardID   uint16
)

// IPVersion is 4 or 6.
type IPVersion uint8

// The two versions.
const (
	IPv4 IPVersion = 4
	IPv6 IPVersion = 6
)

// VersionOf tells the IP version of an address; an IPv4 address mapped into IPv6 is version 4.
func VersionOf(addr netip.Addr) IPVersion {
	if addr.Unmap().Is4() {
		return IPv4
	}
	return IPv6
}

// String is "v4" or "v6", as stored.
func (v IPVersion) String() string {
	if v == IPv6 {
		return "v6"
	}
	return "v4"
}

// Status is what a monitor is for one server.
type Status string

// The statuses of a pair of monitor and server, from best to none.
const (
	Active    Status = "active"
	Testing   Status = "testing"
	Candidate Status = "candidate"
	Paused    Status = "paused"
)

// GlobalStatus is what a monitor is to the whole pool.
type GlobalStatus string

// The global statuses. Any other word counts as unknown, which blocks.
const (
	GlobalPending GlobalStatus = "pending"
	GlobalTesting GlobalStatus = "testing"
	GlobalActive  GlobalStatus = "active"
	GlobalPaused  GlobalStatus = "paused"
	GlobalDeleted GlobalStatus = "deleted"
)

// Server is an NTP server under watch: one IP address and port.
type Server struct {
	ID       ServerID
	Addr     netip.AddrPort
	Account  AccountID // 0: none
	Hostname string
	Deletion time.Time // from then on it is not probed; zero: never

	Score   float64   // the overall score
	ScoreAt time.Time // when it was computed; zero: never
	Stratum uint8     // of its newest sample whose stratum isn't 0
}

// Monitor is one vantage point for one IP version. Both monitors of a dual-stack host have the same Agent.
type Monitor struct {
	ID       MonitorID
	Agent    string // the agent's name: the name in its certificate (monitors.tls_name)
	Account  AccountID
	Version  IPVersion
	Addr     netip.Addr // invalid: not known yet
	Status   GlobalStatus
	Config   MonitorConfig
	LastSeen time.Time // when its agent was last seen; zero: not recorded
}

// MonitorConfig is the JSON in monitors.config. Unset fields take the defaults.
type MonitorConfig struct {
	Samples    int      `json:"samples,omitempty"`     // queries in a burst, 1 to 8; 0: the default, 3
	NatIP      string   `json:"nat_ip,omitempty"`      // the local address that probes leave from
	BaseChecks []string `json:"base_checks,omitempty"` // the reference servers of its clock check: host or host:port
}

// Scorer is a row in monitors of type "score": an overall score, computed from all monitors' samples.
type Scorer struct {
	ID   MonitorID
	Name ScorerName
}

// ScorerName says which overall score it is.
type ScorerName string

// The two scorers.
const (
	RecentMedian ScorerName = "recentmedian"
	Every        ScorerName = "every"
)

// AddrIsPublic tells whether probes may be sent to an address: not loopback, private, link-local,
// multicast, unspecified, or otherwise not a unicast address of the internet.
func AddrIsPublic(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsValid() && addr.IsGlobalUnicast() && !addr.IsPrivate() && !addr.IsLoopback() &&
		addr.Zone() == "" && addr != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

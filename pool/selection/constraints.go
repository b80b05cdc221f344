package selection

import (
	"encoding/binary"
	"net/netip"

	"truechimer/pool"
)

// Violation names a constraint that a monitor breaks, as it is stored; empty: none.
type Violation string

// The constraints, in the order in which they are looked at.
const (
	SameSubnet       Violation = "network_same_subnet" // it shares a /24 or /48 with the server
	SameAccount      Violation = "account"             // it shares the account with the server
	Limit            Violation = "limit"               // better ones of its account have all its places
	NetworkDiversity Violation = "network_diversity"   // a better one shares its /20 or /44
)

// How many leading bits of two addresses make them neighbours.
const (
	subnetBits4, subnetBits6   = 24, 48 // what one site is given: the least that is routed
	networkBits4, networkBits6 = 20, 44 // what one provider is given: such neighbours fail together
)

// pauses tells whether a monitor that breaks it can't watch the server at all: it would judge its own.
func (v Violation) pauses() bool {
	return v == SameSubnet || v == SameAccount
}

// sameSubnet tells whether a monitor and the server are at one site.
func sameSubnet(monitor, server netip.Addr) bool {
	subnet := networkOf(monitor, subnetBits4, subnetBits6)
	return subnet != noNetwork && subnet == networkOf(server, subnetBits4, subnetBits6)
}

// sameAccount tells whether a monitor and the server have one owner. What belongs to nobody has none.
func sameAccount(monitor, server pool.AccountID) bool {
	return monitor != 0 && monitor == server
}

// network is the leading bits of an address, with its IP version in front: networks of two versions are never equal.
type network uint64

// noNetwork is that of an address which isn't known.
const noNetwork network = 0

// networkOf is the network around an address, of at most 56 bits. An IPv4 address mapped into IPv6 is an IPv4 address,
// and a zone counts for nothing.
func networkOf(addr netip.Addr, bits4, bits6 int) network {
	addr = addr.Unmap()
	if !addr.IsValid() {
		return noNetwork
	}
	version := network(pool.VersionOf(addr)) << 56
	if addr.Is4() {
		bytes := addr.As4()
		return version | network(binary.BigEndian.Uint32(bytes[:])>>(32-bits4))
	}
	bytes := addr.As16()
	return version | network(binary.BigEndian.Uint64(bytes[:8])>>(64-bits6))
}

// findViolations finds the first constraint that each monitor breaks as things are. One that leaves anyway counts in
// nobody else's limit or diversity. The members must be in their order; the headcounts are those of the start after it.
func (d *draft) findViolations() {
	for i := range d.members {
		m := &d.members[i]
		switch {
		case sameSubnet(m.Addr, d.server.Addr):
			m.violation = SameSubnet
		case sameAccount(m.Account, d.server.Account):
			m.violation = SameAccount
		}
		m.leaves = m.violation.pauses() || blocked(m.Global) || m.Global == pool.GlobalPending
	}
	// Active before testing, and best first: whoever has come before is the better one, and keeps its place.
	for _, status := range []pool.Status{pool.Active, pool.Testing} {
		for _, m := range d.order {
			if m.status != status {
				continue
			}
			if m.violation == "" {
				m.violation = d.crowdedOut(m)
			}
			d.count(m, +1)
			if !m.leaves {
				d.networks[m.network]++
			}
		}
	}
}

// crowdedOut is what a monitor breaks besides those that were counted before it.
func (d *draft) crowdedOut(m *member) Violation {
	taken := d.accounts[m.account]
	switch {
	case m.account == nobodys:
	case m.status == pool.Active && taken.active >= m.limit:
		return Limit
	case m.status == pool.Testing && taken.testing > m.limit: // one more may be tested than be active
		return Limit
	}
	if m.network != nowhere && d.networks[m.network] > 0 {
		return NetworkDiversity
	}
	return ""
}

// against is what a monitor would break with the status that it would get. In an emergency an account may have
// more active than else, and neighbours are better than nobody.
func (d *draft) against(m *member, to pool.Status) Violation {
	switch {
	case m.violation.pauses():
		return m.violation
	case d.emergency && to == pool.Active:
		return ""
	case d.breaksLimit(m, to):
		return Limit
	case d.breaksDiversity(m):
		return NetworkDiversity
	}
	return ""
}

// breaksLimit tells whether an account has no place left for one of its monitors, itself not counted: fewer than
// L may be active, L at most testing, and L + 1 at most both together. The counts are those after the changes so far.
func (d *draft) breaksLimit(m *member, to pool.Status) bool {
	if m.account == nobodys {
		return false
	}
	others := d.accounts[m.account]
	if !m.leaves {
		others.add(m.status, -1)
	}
	if to == pool.Active && others.active >= m.limit || to == pool.Testing && others.testing > m.limit {
		return true
	}
	return others.active+others.testing-1 > m.limit
}

// breaksDiversity tells whether another of its network was active or testing at the start, or was promoted since.
func (d *draft) breaksDiversity(m *member) bool {
	if m.network == nowhere {
		return false
	}
	others := d.networks[m.network]
	if !m.leaves && placed(m.Status) {
		others--
	}
	return others > 0
}

// placed tells whether a status is one of those that count for diversity.
func placed(status pool.Status) bool {
	return status == pool.Active || status == pool.Testing
}

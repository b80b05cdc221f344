package selection

import (
	"fmt"
	"net/netip"

	"truechimer/pool"
)

// Welcome makes candidates of the monitors that have nothing to do with the server yet and may watch it: those that
// are globally active or testing, and would judge neither their own site nor their own account's server. Who pends is
// looked at when it is let in. One whose address is of the other IP version can't reach the server and stays out;
// of one without an address that isn't known, and who calls leaves out those of the other version.
//
// Where a server is new, a round upon what Welcome changes makes its beginning at once.
func Welcome(view View) []Change {
	var changes []Change
	for _, m := range gather(view) {
		if m.Status != "" || !welcomeGlobally(m.Global) || otherVersion(m.Addr, view.Server.Addr) ||
			sameSubnet(m.Addr, view.Server.Addr) || sameAccount(m.Account, view.Server.Account) {
			continue
		}
		reason := fmt.Sprintf("new here: globally %s, breaks neither %s nor %s", m.Global, SameSubnet, SameAccount)
		changes = append(changes, Change{Monitor: m.ID, To: pool.Candidate, Reason: reason})
	}
	return changes
}

// otherVersion tells whether two known addresses are of different IP versions.
func otherVersion(a, b netip.Addr) bool {
	return a.IsValid() && b.IsValid() && pool.VersionOf(a) != pool.VersionOf(b)
}

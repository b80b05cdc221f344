package messages

// What the certificates of the link say, on both sides.
const (
	// HubCertificateName is the name in every hub's certificate. Agents check it and the authority, not the address:
	// a hub may move.
	HubCertificateName = "hub.truechimer.internal"

	// HubHeader is the header of an agent's identity (a PEM file) that says where its hub is, as host:port.
	HubHeader = "Hub"
)

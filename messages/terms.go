package messages

import (
	"fmt"
	"net/netip"
	"time"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

const (
	// maxReferences is many times the three or four references that a clock check wants.
	maxReferences = 64

	// maxHost is the longest host name (RFC 1035 section 2.3.4: 253 characters as text) with a colon and a port.
	maxHost = 253 + 6

	// maxSpacing is a month: far beyond all use, and far from overflowing.
	maxSpacing = pool.LongestInterval
)

// MonitorTerms are how a monitor works, whatever the server.
type MonitorTerms struct {
	Status  pool.GlobalStatus // an unknown word is to be taken as paused
	Config  pool.MonitorConfig
	Spacing time.Duration // least time between two of its probes of one server
}

// FromTerms makes the message of the terms that a monitor's row and the settings set. A number of queries that a
// burst can't have becomes the nearest that it can.
func FromTerms(n pool.Monitor, s pool.Settings) *Terms {
	return &Terms{
		Status:     string(n.Status),
		Samples:    uint32(min(max(n.Config.Samples, 0), schedule.MaxQueries)),
		NatIp:      n.Config.NatIP,
		BaseChecks: n.Config.BaseChecks,
		SpacingMs:  fromMillis(s.Spacing),
	}
}

// ToTerms checks the terms that a hub sets and converts them.
func ToTerms(m *Terms) (MonitorTerms, error) {
	if err := checkTerms(m); err != nil {
		return MonitorTerms{}, fmt.Errorf("terms: %w", err)
	}
	return MonitorTerms{
		Status: pool.GlobalStatus(m.GetStatus()),
		Config: pool.MonitorConfig{
			Samples:    int(m.GetSamples()),
			NatIP:      m.GetNatIp(),
			BaseChecks: m.GetBaseChecks(),
		},
		Spacing: toMillis(m.GetSpacingMs()),
	}, nil
}

func checkTerms(m *Terms) error {
	if err := checkText("status", m.GetStatus(), MaxText); err != nil {
		return err
	}
	switch {
	case m.GetSamples() > schedule.MaxQueries:
		return fmt.Errorf("%d queries in a burst are more than %d", m.GetSamples(), schedule.MaxQueries)
	case toMillis(m.GetSpacingMs()) > maxSpacing:
		return fmt.Errorf("spacing %s is more than %s", toMillis(m.GetSpacingMs()), maxSpacing)
	case len(m.GetBaseChecks()) > maxReferences:
		return fmt.Errorf("%d references are more than %d", len(m.GetBaseChecks()), maxReferences)
	}
	for _, reference := range m.GetBaseChecks() {
		if err := checkText("reference", reference, maxHost); err != nil {
			return err
		}
	}
	return checkNatIP(m.GetNatIp())
}

func checkNatIP(text string) error {
	if text == "" {
		return nil
	}
	if err := checkText("nat_ip", text, MaxText); err != nil {
		return err
	}
	if _, err := netip.ParseAddr(text); err != nil {
		return fmt.Errorf("nat_ip %q is not an address", text)
	}
	return nil
}

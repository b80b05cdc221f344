package messages

import (
	"fmt"

	"truechimer/pool"
)

// Vitals are how one IP version of an agent is.
type Vitals struct {
	Version     pool.IPVersion
	Fit         bool   // its clock may judge others
	Reason      string // why it isn't fit
	Assignments int
	Spooled     int // samples not acknowledged yet
}

// FromPulse makes the message of an agent's vitals, at most one for each IP version. Reasons are made legible.
func FromPulse(vitals []Vitals) *Pulse {
	return &Pulse{Monitors: each(vitals, FromVitals)}
}

// FromVitals makes the message of one IP version's vitals.
func FromVitals(v Vitals) *MonitorPulse {
	return &MonitorPulse{
		IpVersion:   uint32(v.Version),
		Fit:         v.Fit,
		Reason:      Legible(v.Reason),
		Assignments: uint32(max(0, v.Assignments)),
		Spooled:     uint32(max(0, v.Spooled)),
	}
}

// ToPulse checks an agent's pulse and converts it.
func ToPulse(m *Pulse) ([]Vitals, error) {
	if err := checkPulse(m); err != nil {
		return nil, fmt.Errorf("pulse: %w", err)
	}
	return each(m.GetMonitors(), func(p *MonitorPulse) Vitals {
		return Vitals{
			Version:     pool.IPVersion(p.GetIpVersion()),
			Fit:         p.GetFit(),
			Reason:      p.GetReason(),
			Assignments: int(p.GetAssignments()),
			Spooled:     int(p.GetSpooled()),
		}
	}), nil
}

func checkPulse(m *Pulse) error {
	if n := len(m.GetMonitors()); n > maxPulses {
		return fmt.Errorf("%d monitors are more than %d", n, maxPulses)
	}
	for i, p := range m.GetMonitors() {
		if err := checkIPVersion(p.GetIpVersion()); err != nil {
			return err
		}
		if i > 0 && p.GetIpVersion() == m.GetMonitors()[0].GetIpVersion() {
			return fmt.Errorf("IP version %d twice", p.GetIpVersion())
		}
		if err := checkText("reason", p.GetReason(), MaxText); err != nil {
			return err
		}
	}
	return nil
}

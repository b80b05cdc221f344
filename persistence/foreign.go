package persistence

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"

	"truechimer/pool"
)

// What other programs and people wrote into the database is read with care: what can't be read takes its default.

// parseAddr reads an address as stored; invalid where there is none to be read.
func parseAddr(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return storedAddr(addr)
}

// storedAddr is an address in the form that is stored: one host has one form.
func storedAddr(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// addrText is an address as stored; empty for none.
func addrText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return storedAddr(addr).String()
}

// parseVersion reads an IP version as stored, or else tells it from the address.
func parseVersion(text string, addr netip.Addr) pool.IPVersion {
	switch {
	case text == pool.IPv4.String():
		return pool.IPv4
	case text == pool.IPv6.String():
		return pool.IPv6
	case addr.IsValid():
		return pool.VersionOf(addr)
	}
	return pool.IPv4
}

// maxSamples is the largest burst that a monitor may be told to send, so that a slip of the keyboard floods nobody.
const maxSamples = 8

// parseConfig reads monitors.config. Unknown keys are ignored; the error names what can't be read,
// and the configuration is usable all the same.
func parseConfig(text string) (pool.MonitorConfig, error) {
	var config pool.MonitorConfig
	if text == "" {
		return config, nil
	}
	err := json.Unmarshal([]byte(text), &config)
	if config.Samples < 0 || config.Samples > maxSamples {
		err = cmp.Or(err, fmt.Errorf("samples is %d, which is not 1 to %d", config.Samples, maxSamples))
		config.Samples = 0
	}
	if _, bad := netip.ParseAddr(config.NatIP); config.NatIP != "" && bad != nil {
		err = cmp.Or(err, fmt.Errorf("nat_ip: %w", bad))
		config.NatIP = ""
	}
	return config, err
}

// checkConfig refuses a configuration that couldn't be read back.
func checkConfig(config pool.MonitorConfig) error {
	_, err := parseConfig(configText(config))
	return err
}

// quotas are what an account's flags say of how many monitors it may have. The selection reads the flags for itself.
type quotas struct {
	MonitorLimit   int   `json:"monitor_limit"`   // 0 or less: no limit
	MonitorEnabled *bool `json:"monitor_enabled"` // nil: as true
}

// parseQuotas reads accounts.flags. Flags that aren't JSON limit nothing: they are a slip, not a decision.
func parseQuotas(flags string) quotas {
	var q quotas
	_ = json.Unmarshal([]byte(flags), &q)
	return q
}

// refusal says why an account that has so many monitors may not have more; nil: it may.
func (q quotas) refusal(has, more int) error {
	switch {
	case q.MonitorEnabled != nil && !*q.MonitorEnabled:
		return fmt.Errorf("monitor_enabled is false: %w", ErrMonitorsRefused)
	case q.MonitorLimit > 0 && has+more > q.MonitorLimit:
		return fmt.Errorf("monitor_limit is %d, and it has %d: %w", q.MonitorLimit, has, ErrMonitorsRefused)
	}
	return nil
}

// overlaid is a stored JSON object with those of its fields that are ours taken from another one, so that what others
// keep in it stays. What isn't an object is replaced.
func overlaid(stored, ours string, fields ...string) string {
	object := make(map[string]json.RawMessage)
	if err := json.Unmarshal([]byte(stored), &object); err != nil || object == nil {
		return ours
	}
	for _, field := range fields {
		delete(object, field)
	}
	if err := json.Unmarshal([]byte(ours), &object); err != nil {
		panic(err) // ours is an object that we made
	}
	text, err := json.Marshal(object)
	if err != nil {
		panic(err) // what was just read marshals
	}
	return string(text)
}

// overlaidConfig is the stored configuration of a monitor with ours in it.
func overlaidConfig(stored string, config pool.MonitorConfig) string {
	return overlaid(stored, configText(config), "samples", "nat_ip", "base_checks")
}

// overlaidSettings is the stored settings with ours in them.
func overlaidSettings(stored string, settings pool.Settings) string {
	return overlaid(stored, settings.JSON(), "lab") // the only one that may be left out
}

// configText is a monitor's configuration as stored.
func configText(config pool.MonitorConfig) string {
	text, err := json.Marshal(config)
	if err != nil {
		panic(err) // numbers and strings always marshal
	}
	return string(text)
}

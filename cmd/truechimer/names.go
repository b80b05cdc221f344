package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"truechimer/persistence"
	"truechimer/pool"
)

// ntpPort is NTP's own (RFC 5905 section 7.2).
const ntpPort = 123

// serverHelp says what a SERVER on the command line is.
const serverHelp = "SERVER is a host name or an address, with :port if it isn't 123 ([address]:port for IPv6).\n" +
	"Every address that a name resolves to is a server of its own."

// resolveServers finds the addresses of servers that a person named, each once, in the order in which they were named.
// All of them must be good, or none is taken.
func resolveServers(ctx context.Context, names []string, allowPrivate bool) ([]pool.Server, error) {
	var servers []pool.Server
	for _, name := range names {
		found, err := resolveServer(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if err := checkMayBeProbed(name, s.Addr.Addr(), allowPrivate); err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(servers, func(other pool.Server) bool { return other.Addr == s.Addr }) {
				servers = append(servers, s)
			}
		}
	}
	return servers, nil
}

// checkMayBeProbed refuses what no agent would probe, and an address that means something on this machine alone.
func checkMayBeProbed(name string, addr netip.Addr, allowPrivate bool) error {
	is := fmt.Sprintf("%s is %s, which isn't", name, addr)
	if name == addr.String() {
		is = name + " isn't"
	}
	if addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() {
		return fmt.Errorf("%s the address of one server", is)
	}
	if !allowPrivate && !pool.AddrIsPublic(addr) {
		return fmt.Errorf("%s an address of the internet; it is probed only in tests and labs, with --allow-private", is)
	}
	return nil
}

// resolveServer finds the addresses of one server.
func resolveServer(ctx context.Context, name string) ([]pool.Server, error) {
	host, port, err := splitServer(name)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		port = ntpPort
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return []pool.Server{{Addr: netip.AddrPortFrom(addr.Unmap(), port)}}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("find the address of %s: %w; check the name, or give an address", host, err)
	}
	var servers []pool.Server
	for _, addr := range addrs {
		servers = append(servers, pool.Server{Addr: netip.AddrPortFrom(addr.Unmap(), port), Hostname: host})
	}
	slices.SortFunc(servers, func(a, b pool.Server) int { return a.Addr.Compare(b.Addr) })
	return servers, nil
}

// splitServer takes the port from host, host:port, address, address:port, [address] or [address]:port; 0: it has none.
func splitServer(name string) (host string, port uint16, err error) {
	if bare := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"); isAddress(bare) && (bare == name || len(bare) == len(name)-2) {
		return bare, 0, nil
	}
	host, text, err := net.SplitHostPort(name)
	hasPort := err == nil
	if !hasPort {
		host = name
	}
	host = strings.TrimSuffix(host, ".") // of the root: it is the same host without
	if !isAddress(host) && !isHostName(host) {
		return "", 0, usagef("%q is neither a host name nor an address, with or without :port", name)
	}
	if !hasPort {
		return host, 0, nil
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return "", 0, usagef("%q has no port between 1 and 65535", name)
	}
	return host, uint16(number), nil
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

func isForeignToNames(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
}

// isHostName takes labels of letters, digits, hyphens and underscores (RFC 1123 section 2.1, and what is in use).
func isHostName(text string) bool {
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || strings.ContainsFunc(label, isForeignToNames) {
			return false
		}
	}
	return true
}

// checkPorts finds out beforehand whether all of some servers can be added: an address is watched at one port only.
func checkPorts(listed []persistence.ServerListing, servers []pool.Server) error {
	ports := make(map[netip.Addr]uint16)
	for _, s := range listed {
		if s.Deletion.IsZero() {
			ports[s.Addr.Addr()] = s.Addr.Port()
		}
	}
	for _, s := range servers {
		addr := s.Addr.Addr()
		if port, there := ports[addr]; there && port != s.Addr.Port() {
			return fmt.Errorf("%s can't be watched at port %d, since it is at port %d; remove that first: truechimer servers remove %s",
				addr, s.Addr.Port(), port, addr)
		}
		ports[addr] = s.Addr.Port()
	}
	return nil
}

// chooseServers finds the servers that a person named among those listed, by address, host name or id.
// All must be there, or none is chosen.
func chooseServers(listed []persistence.ServerListing, names []string) ([]persistence.ServerListing, error) {
	var chosen []persistence.ServerListing
	for _, name := range names {
		found := false
		for _, s := range listed {
			if !isNamed(s, name) {
				continue
			}
			found = true
			if !slices.ContainsFunc(chosen, func(other persistence.ServerListing) bool { return other.ID == s.ID }) {
				chosen = append(chosen, s)
			}
		}
		if !found {
			return nil, fmt.Errorf("no server %s is watched; truechimer servers list shows those that are", name)
		}
	}
	return chosen, nil
}

// isNamed tells whether a person means this server.
func isNamed(s persistence.ServerListing, name string) bool {
	if name == strconv.FormatUint(uint64(s.ID), 10) {
		return true
	}
	host, port, err := splitServer(name)
	if err != nil || port != 0 && port != s.Addr.Port() {
		return false
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap() == s.Addr.Addr()
	}
	return strings.EqualFold(host, s.Hostname)
}

package main

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"truechimer/persistence/privatedb"
	"truechimer/pool"
	"truechimer/simulation/lab"
)

// labAddress is the address that the lab's monitor counts as: one that is nobody's (RFC 5737).
const labAddress = "192.0.2.1"

// openLab starts the lab, and opens a database of its own: its scores are no real servers'.
func (u *up) openLab(ctx context.Context) (err error) {
	if err := u.home.sign(true); err != nil {
		return err
	}
	u.lab, err = lab.Start(lab.Options{Log: u.log, Port: uint16(u.labPort)})
	if err != nil {
		return fmt.Errorf("%w; choose another port with --lab-port, or servers to watch: truechimer up SERVER", err)
	}
	for _, s := range u.lab.Servers() {
		u.servers = append(u.servers, pool.Server{Addr: s.Addr, Hostname: s.Name})
	}
	dir := filepath.Join(u.home.dir, labFolder)
	if u.db, err = openPrivate(ctx, privatedb.Start, privatedb.Options{Dir: databaseDir(dir), Log: u.log}, openStore); err != nil {
		return err
	}
	return u.removeMoved(ctx)
}

// removeMoved removes the lab's servers that were at another port before: an address is watched at one port only.
// They keep their scores when they are added again.
func (u *up) removeMoved(ctx context.Context) error {
	stored, err := u.db.Servers(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, s := range watchedOf(stored, now) {
		if s.Addr.Port() == uint16(u.labPort) {
			continue
		}
		if err := u.db.RemoveServer(ctx, who(), s.ID, now); err != nil {
			return err
		}
	}
	return nil
}

// labSettings let a person see scores move: a probe of one query every 5 s, with no spacing, which nobody minds
// but our own servers.
func labSettings() pool.Settings {
	return pool.Settings{
		IntervalActive:    5 * time.Second,
		IntervalTesting:   5 * time.Second,
		IntervalCandidate: 5 * time.Second,
		Lab:               true,
	}
}

// labMonitor counts as an address of nobody's, and checks its clock against the lab's good servers.
func labMonitor(l *lab.Lab) pool.Monitor {
	var good []string
	for _, s := range l.Servers() {
		if s.Behaviour == lab.Good {
			good = append(good, s.Addr.String())
		}
	}
	return pool.Monitor{
		Version: pool.IPv4,
		Addr:    netip.MustParseAddr(labAddress),
		Status:  pool.GlobalActive,
		Config:  pool.MonitorConfig{Samples: 1, BaseChecks: good},
	}
}

package messages

import (
	"errors"
	"fmt"
	"math"
	"time"

	"truechimer/pool"
	"truechimer/pool/ticket"
)

const (
	maxInterval = pool.LongestInterval

	// maxTicket is three times the size of a ticket: agents don't look into it, and newer hubs may make longer ones.
	maxTicket = 3 * ticket.Size
)

// Granted is an assignment with the grant that it was given under, and the ticket that proves it.
type Granted struct {
	Assignment pool.Assignment
	Grant      ticket.Grant // its Agent is not said: it is whoever the link leads to
	Ticket     []byte       // to be shown with each sample; what is in it is the hubs' affair
}

// FromAssignment makes the message of an assignment with its grant and the ticket that proves it.
// The grant's life is in whole seconds and the cadence in whole milliseconds: what is finer is cut off.
func FromAssignment(a pool.Assignment, g ticket.Grant, proof []byte) *Assignment {
	return &Assignment{
		ServerId:   uint32(a.Server),
		Ip:         fromAddr(a.Addr.Addr()),
		Port:       uint32(a.Addr.Port()),
		MonitorId:  uint32(a.Monitor),
		Status:     string(a.Status),
		IntervalMs: fromMillis(a.Cadence.Interval),
		PhaseMs:    fromMillis(a.Cadence.Phase),
		WindowMs:   fromMillis(a.Cadence.Window),
		Seed:       a.Cadence.Seed,
		StartUs:    fromTime(a.Start),
		AtOnce:     a.AtOnce,
		FromS:      g.From.Unix(),
		UntilS:     g.Until.Unix(),
		Ticket:     proof,
	}
}

// ToAssignment checks a hub's order and converts it. Whether this monitor may probe that address, and whether the
// order still lives, is for the agent to see.
func ToAssignment(m *Assignment) (Granted, error) {
	if err := checkAssignment(m); err != nil {
		return Granted{}, fmt.Errorf("assignment of server %d: %w", m.GetServerId(), err)
	}
	a := pool.Assignment{
		Server:  pool.ServerID(m.ServerId),
		Addr:    toAddrPort(m.Ip, m.Port),
		Monitor: pool.MonitorID(m.MonitorId),
		Status:  pool.Status(m.Status),
		Cadence: pool.Cadence{
			Interval: toMillis(m.IntervalMs),
			Phase:    toMillis(m.PhaseMs),
			Window:   toMillis(m.WindowMs),
			Seed:     m.Seed,
		},
		Start:  toTime(m.StartUs),
		AtOnce: m.AtOnce,
	}
	g := ticket.Grant{
		Monitor:  a.Monitor,
		Server:   a.Server,
		Interval: a.Cadence.Interval,
		From:     toSeconds(m.FromS),
		Until:    toSeconds(m.UntilS),
	}
	return Granted{Assignment: a, Grant: g, Ticket: m.Ticket}, nil
}

func checkAssignment(m *Assignment) error {
	switch {
	case m.GetServerId() == 0:
		return errors.New("no server")
	case m.MonitorId == 0:
		return errors.New("no monitor")
	case !toAddr(m.Ip).IsValid():
		return fmt.Errorf("an address of %d bytes", len(m.Ip))
	case m.Port == 0 || m.Port > math.MaxUint16:
		return fmt.Errorf("port %d", m.Port)
	}
	if err := checkProbed(pool.Status(m.Status)); err != nil {
		return err
	}
	if err := checkCadence(m); err != nil {
		return err
	}
	if n := len(m.Ticket); n == 0 || n > maxTicket {
		return fmt.Errorf("a ticket of %d bytes", n)
	}
	if m.StartUs != 0 && !isOnTheLink(m.StartUs) {
		return fmt.Errorf("a start at %d µs, not between 2020 and 2100", m.StartUs)
	}
	return checkLife(m.FromS, m.UntilS)
}

// checkProbed checks that a monitor with this status for a server probes it.
func checkProbed(status pool.Status) error {
	switch status {
	case pool.Active, pool.Testing, pool.Candidate:
		return nil
	}
	return errors.New("a status in which a monitor doesn't probe")
}

// checkCadence checks the bounds that pool.Cadence names.
func checkCadence(m *Assignment) error {
	if err := checkInterval(m.IntervalMs); err != nil {
		return err
	}
	switch {
	case m.PhaseMs >= m.IntervalMs:
		return fmt.Errorf("phase %d ms is not within an interval of %d ms", m.PhaseMs, m.IntervalMs)
	case m.WindowMs == 0 || m.WindowMs > m.IntervalMs:
		return fmt.Errorf("window %d ms is not within an interval of %d ms", m.WindowMs, m.IntervalMs)
	}
	return nil
}

func checkInterval(ms uint64) error {
	if ms == 0 || ms > uint64(maxInterval/time.Millisecond) {
		return fmt.Errorf("interval %d ms is not between 1 ms and %s", ms, maxInterval)
	}
	return nil
}

// checkLife checks when a grant begins and ends.
func checkLife(from, until int64) error {
	if from < earliest || until >= latest || from >= until {
		return fmt.Errorf("a life from %d s to %d s", from, until)
	}
	return nil
}

// Package ticket lets an agent prove that a sample was asked for.
//
// The hub that made an assignment may be gone when the sample comes, and agents keep samples for days. So no hub
// remembers assignments: each goes out with a ticket, comes back with the samples that were taken on it, and any
// hub that has the keys can tell whether it is genuine.
//
//	ticket  =  key id, 4 bytes big-endian  |  first 16 bytes of HMAC-SHA-256(key, grant)
//
// The package leaves to others where the keys are kept, what a sample says, and whether it came before.
package ticket

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"truechimer/pool"
)

const (
	// Lifetime is how long an assignment lives. An agent that is cut off goes on so long by itself: it covers the
	// restart of a hub and most outages, yet a monitor that was taken off a server soon leaves it alone.
	Lifetime = 4 * time.Hour

	// RenewBefore is how long before the end of its life an assignment is renewed: half of it, so that an agent whose
	// link breaks just then can still go on for 2 h, and one that keeps its link costs 12 tickets a day and server.
	RenewBefore = 2 * time.Hour

	// Leeway is by how much the clocks of agent and hub may differ. A monitor takes no samples while its clock
	// is more than 10 ms off, but that of the hub is not under watch.
	Leeway = 60 * time.Second

	// Shelf is how long after it was taken a sample may arrive. An agent that was cut off over a holiday
	// still delivers; the days that are open for late samples are bounded.
	Shelf = 15 * 24 * time.Hour
)

// Grant is what a ticket proves: that an agent's monitor was to probe a server.
// Times count to the microsecond, as everywhere in the pool; what is finer may be lost on the way.
type Grant struct {
	Agent    string // the agent's name
	Monitor  pool.MonitorID
	Server   pool.ServerID
	Interval time.Duration // of the cadence: bounds how many samples may come
	From     time.Time     // when it was issued
	Until    time.Time     // the end of its life
}

// Size of a ticket in bytes.
const Size = keyIDSize + macSize

const (
	keyIDSize = 4

	// macSize makes a forgery succeed once in 2^128 tries; the second half of the hash would add 16 bytes to every
	// assignment and every batch of samples, and no safety (RFC 2104 section 5).
	macSize = 16
)

// Ticket is the key's id and the MAC; t[:] is its encoding.
type Ticket [Size]byte

// Parse reads the encoding of a ticket. Any Size bytes are a ticket, if not a genuine one.
func Parse(b []byte) (Ticket, error) {
	if len(b) != Size {
		return Ticket{}, fmt.Errorf("parse ticket: have %d bytes, want %d", len(b), Size)
	}
	return Ticket(b), nil
}

// KeyID is the id of the key that the ticket claims to be made with.
func (t Ticket) KeyID() uint32 {
	return binary.BigEndian.Uint32(t[:keyIDSize])
}

// Why a ticket, or a sample on it, is refused.
var (
	// ErrUnknownKey may mean that this hub hasn't heard yet of a key that another hub issues with already:
	// look for new keys before refusing a sample for good.
	ErrUnknownKey = errors.New("ticket of an unknown key")

	ErrForged  = errors.New("ticket doesn't fit the assignment")
	ErrEarly   = errors.New("sample taken before the assignment began") // by more than Leeway
	ErrExpired = errors.New("sample taken after the assignment ended")
	ErrFuture  = errors.New("sample taken in the future") // by more than Leeway
	ErrStale   = errors.New("sample arrived too late")    // more than Shelf after it was taken
)

// Issue makes a ticket with the newest key.
func (k Keyring) Issue(g Grant) Ticket {
	newest := k.keys[len(k.keys)-1]
	return sign(newest, g)
}

// Check tells whether a sample that was taken at one time and arrives now counts: nil if the ticket was issued for
// this grant, the sample was taken in its life, and it has arrived in time. Else the error is one of those above.
func (k Keyring) Check(g Grant, t Ticket, taken, now time.Time) error {
	key, known := k.find(t.KeyID())
	if !known {
		return ErrUnknownKey
	}
	if want := sign(key, g); !hmac.Equal(want[:], t[:]) {
		return ErrForged
	}
	switch {
	case taken.Before(g.From.Add(-Leeway)):
		return ErrEarly
	case taken.After(g.Until):
		return ErrExpired
	case taken.After(now.Add(Leeway)):
		return ErrFuture
	case now.Sub(taken) > Shelf:
		return ErrStale
	}
	return nil
}

// grantTag keeps the MACs of grants apart from all others that are made with the same keys.
const grantTag = "truechimer grant 1\n"

func sign(key Key, g Grant) Ticket {
	message := make([]byte, 0, 128) // enough for names of up to 69 bytes without growing
	message = append(message, grantTag...)
	message = binary.BigEndian.AppendUint64(message, uint64(len(g.Agent)))
	message = append(message, g.Agent...)
	message = binary.BigEndian.AppendUint32(message, uint32(g.Monitor))
	message = binary.BigEndian.AppendUint32(message, uint32(g.Server))
	message = binary.BigEndian.AppendUint64(message, uint64(g.Interval))
	message = binary.BigEndian.AppendUint64(message, uint64(g.From.UnixMicro()))
	message = binary.BigEndian.AppendUint64(message, uint64(g.Until.UnixMicro()))

	var t Ticket
	binary.BigEndian.PutUint32(t[:keyIDSize], key.ID)
	copy(t[keyIDSize:], mac(key, message))
	return t
}

func mac(key Key, message []byte) []byte {
	h := hmac.New(sha256.New, key.Secret)
	h.Write(message)
	return h.Sum(nil)
}

package ticket

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"truechimer/pool"
)

// SecretSize is the size of a key's secret in bytes: that of the hash, beyond which HMAC gains nothing
// (RFC 2104 section 3).
const SecretSize = 32

// Key makes and checks tickets. Whoever knows a secret can forge them.
type Key struct {
	ID     uint32 // a newer key has a higher one
	Secret []byte // SecretSize bytes
}

// Keyring is all the keys that are in use: the newest issues tickets, all check them. It never changes, so it can be
// shared. NewKeyring makes one; the zero Keyring knows no ticket and can't make any (it panics).
//
// A key is retired when the last sample on its tickets is past its shelf: Lifetime and Shelf after a newer key took
// over. Until then a ring without it would refuse good samples. A key that has leaked goes at once.
type Keyring struct {
	keys []Key // by id
}

// NewKeyring makes a ring of one key or more. It fails when there is none, when two have the same id,
// or when a secret hasn't the right size.
func NewKeyring(keys ...Key) (Keyring, error) {
	if len(keys) == 0 {
		return Keyring{}, errors.New("make keyring: there is no key")
	}
	ring := make([]Key, len(keys))
	for i, key := range keys {
		if len(key.Secret) != SecretSize {
			return Keyring{}, fmt.Errorf("make keyring: secret of key %d has %d bytes, want %d", key.ID, len(key.Secret), SecretSize)
		}
		ring[i] = Key{ID: key.ID, Secret: slices.Clone(key.Secret)}
	}
	slices.SortFunc(ring, func(a, b Key) int { return cmp.Compare(a.ID, b.ID) })
	for i := 1; i < len(ring); i++ {
		if ring[i].ID == ring[i-1].ID {
			return Keyring{}, fmt.Errorf("make keyring: two keys have the id %d", ring[i].ID)
		}
	}
	return Keyring{keys: ring}, nil
}

func (k Keyring) find(id uint32) (Key, bool) {
	i, found := slices.BinarySearchFunc(k.keys, id, func(key Key, id uint32) int { return cmp.Compare(key.ID, id) })
	if !found {
		return Key{}, false
	}
	return k.keys[i], true
}

// seedTag keeps seeds apart from the MACs of grants.
const seedTag = "truechimer seed 1\n"

// Seed is the seed of a monitor's cadence for a server: always the same, also after a restart and on any hub,
// and as secret as the key that it is made from. It takes nothing to store and tells nothing of other seeds.
//
// It is made from the oldest key, for a new seed moves every probe of the pool within its window and has every
// assignment sent anew. Rings are often given a new key, and hubs that learn of it one after the other must not
// disagree in between. Seeds change when the oldest key goes; one that hasn't leaked may stay for their sake.
func (k Keyring) Seed(monitor pool.MonitorID, server pool.ServerID) uint64 {
	message := []byte(seedTag)
	message = binary.BigEndian.AppendUint32(message, uint32(monitor))
	message = binary.BigEndian.AppendUint32(message, uint32(server))
	oldest := k.keys[0]
	return binary.BigEndian.Uint64(mac(oldest, message))
}

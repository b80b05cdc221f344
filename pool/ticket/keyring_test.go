package ticket_test

import (
	"errors"
	"strings"
	"testing"

	"truechimer/pool"
	"truechimer/pool/ticket"
)

// The newest key issues, whatever the order in which the keys come.
func TestTheNewestKeyIssues(t *testing.T) {
	ring := keyring(t, key(2), key(9), key(4))
	if have := ring.Issue(grant).KeyID(); have != 9 {
		t.Errorf("key: have %d, want 9", have)
	}
}

// After a rotation tickets of the old key are good as long as it is on the ring, and no longer.
func TestOldKeysStillCheck(t *testing.T) {
	issued := keyring(t, key(1)).Issue(grant)
	if err := keyring(t, key(1), key(2)).Check(grant, issued, noon, noon); err != nil {
		t.Errorf("with the old key: %v", err)
	}
	if err := keyring(t, key(2)).Check(grant, issued, noon, noon); !errors.Is(err, ticket.ErrUnknownKey) {
		t.Errorf("without the old key: have %v, want %v", err, ticket.ErrUnknownKey)
	}
	other := key(2)
	other.ID = 1
	if err := keyring(t, other).Check(grant, issued, noon, noon); !errors.Is(err, ticket.ErrForged) {
		t.Errorf("with another key of the same id: have %v, want %v", err, ticket.ErrForged)
	}
}

// A ring is its own: who made it may wipe the secret that he gave.
func TestAKeyringNeverChanges(t *testing.T) {
	k := key(1)
	ring := keyring(t, k)
	issued := ring.Issue(grant)
	clear(k.Secret)
	if ring.Issue(grant) != issued {
		t.Error("the ring changed with the secret")
	}
}

// What can't keep a secret isn't a keyring.
func TestBadKeyringsAreRefused(t *testing.T) {
	tests := []struct {
		name string
		keys []ticket.Key
		want string
	}{
		{"no key", nil, "there is no key"},
		{"no secret", []ticket.Key{{ID: 1}}, "secret of key 1 has 0 bytes, want 32"},
		{"short secret", []ticket.Key{{ID: 5, Secret: make([]byte, 31)}}, "secret of key 5 has 31 bytes, want 32"},
		{"same id", []ticket.Key{key(1), key(2), key(1)}, "two keys have the id 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ticket.NewKeyring(tt.keys...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("have %v, want %q", err, tt.want)
			}
		})
	}
}

// The ring that nobody made takes no ticket.
func TestTheZeroKeyringKnowsNoTicket(t *testing.T) {
	issued := keyring(t, key(1)).Issue(grant)
	if err := (ticket.Keyring{}).Check(grant, issued, noon, noon); !errors.Is(err, ticket.ErrUnknownKey) {
		t.Errorf("have %v, want %v", err, ticket.ErrUnknownKey)
	}
}

// A seed is the same after a restart, on any hub, and when a key is added; another pair or another oldest key
// has another.
func TestSeedsStayTheSame(t *testing.T) {
	want := keyring(t, key(1)).Seed(7, 4711)
	if have := keyring(t, key(3), key(2), key(1)).Seed(7, 4711); have != want {
		t.Errorf("with newer keys: have %x, want %x", have, want)
	}
	others := map[string]uint64{
		"other key":                 keyring(t, key(2)).Seed(7, 4711),
		"other monitor":             keyring(t, key(1)).Seed(8, 4711),
		"other server":              keyring(t, key(1)).Seed(7, 4712),
		"monitor and server change": keyring(t, key(1)).Seed(4711, 7),
	}
	for name, have := range others {
		if have == want {
			t.Errorf("%s: same seed %x", name, have)
		}
	}
	const pinned = uint64(0x0eae2392aa92fbff) // moments would move with an upgrade if it changed
	if want != pinned {
		t.Errorf("seed: have %#x, want %#x", want, pinned)
	}
}

// Seeds are as good as random: none of 20,000 is there twice.
func TestSeedsDiffer(t *testing.T) {
	ring := keyring(t, key(1))
	seen := map[uint64]bool{}
	for monitor := range 200 {
		for server := range 100 {
			seen[ring.Seed(pool.MonitorID(monitor), pool.ServerID(server))] = true
		}
	}
	if have, want := len(seen), 200*100; have != want {
		t.Errorf("different seeds: have %d, want %d", have, want)
	}
}

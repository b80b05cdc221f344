package ticket_test

import (
	"encoding/hex"
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/ticket"
)

// key is a key whose secret is its id, over and over.
func key(id byte) ticket.Key {
	secret := make([]byte, ticket.SecretSize)
	for i := range secret {
		secret[i] = id
	}
	return ticket.Key{ID: uint32(id), Secret: secret}
}

func keyring(t testing.TB, keys ...ticket.Key) ticket.Keyring {
	ring, err := ticket.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

var (
	noon  = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	grant = ticket.Grant{
		Agent: "agent.example", Monitor: 7, Server: 4711,
		Interval: 9 * time.Minute, From: noon, Until: noon.Add(ticket.Lifetime),
	}
)

// A sample counts if it was taken in the assignment's life, by clocks that may differ by a minute, and arrives
// within 15 days.
func TestWhichSamplesCount(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		name  string
		taken time.Duration // after noon
		now   time.Duration // after noon
		want  error
	}{
		{"at once", 0, 0, nil},
		{"in its life", time.Hour, time.Hour, nil},
		{"agent's clock is a minute behind", -time.Minute, 0, nil},
		{"before its life", -time.Minute - time.Microsecond, 0, ticket.ErrEarly},
		{"at the end", 4 * time.Hour, 5 * time.Hour, nil},
		{"after the end", 4*time.Hour + time.Microsecond, 5 * time.Hour, ticket.ErrExpired},
		{"hub's clock is a minute behind", time.Hour, time.Hour - time.Minute, nil},
		{"in the future", time.Hour, time.Hour - time.Minute - time.Microsecond, ticket.ErrFuture},
		{"after 15 days", time.Hour, time.Hour + 15*day, nil},
		{"after more than 15 days", time.Hour, time.Hour + 15*day + time.Microsecond, ticket.ErrStale},
		{"after a lifetime", time.Hour, 80 * 365 * day, ticket.ErrStale},
	}
	ring := keyring(t, key(1))
	issued := ring.Issue(grant)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := ring.Check(grant, issued, noon.Add(tt.taken), noon.Add(tt.now))
			if !errors.Is(err, tt.want) {
				t.Errorf("have %v, want %v", err, tt.want)
			}
		})
	}
}

// Times that no clock shows don't get past the check either, however far apart they are.
func TestExtremeTimesAreRefused(t *testing.T) {
	ring := keyring(t, key(1))
	issued := ring.Issue(grant)
	year1, year9999 := time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := ring.Check(grant, issued, year1, noon); !errors.Is(err, ticket.ErrEarly) {
		t.Errorf("taken in year 1: %v", err)
	}
	if err := ring.Check(grant, issued, year9999, noon); !errors.Is(err, ticket.ErrExpired) {
		t.Errorf("taken in year 9999: %v", err)
	}
	if err := ring.Check(grant, issued, noon, year9999); !errors.Is(err, ticket.ErrStale) {
		t.Errorf("arrived in year 9999: %v", err)
	}
	if err := ring.Check(grant, issued, noon, year1); !errors.Is(err, ticket.ErrFuture) {
		t.Errorf("arrived in year 1: %v", err)
	}
}

func anyGrant(t *rapid.T) ticket.Grant {
	from := noon.Add(time.Duration(rapid.Int64().Draw(t, "from")))
	return ticket.Grant{
		Agent:    rapid.String().Draw(t, "agent"),
		Monitor:  pool.MonitorID(rapid.Uint32().Draw(t, "monitor")),
		Server:   pool.ServerID(rapid.Uint32().Draw(t, "server")),
		Interval: time.Duration(rapid.Int64().Draw(t, "interval")),
		From:     from,
		Until:    from.Add(ticket.Lifetime),
	}
}

// Each field of a grant is bound by its ticket: change any, and the ticket is worth nothing.
func TestEveryFieldIsBound(t *testing.T) {
	changes := map[string]func(t *rapid.T, g *ticket.Grant){
		"Agent": func(t *rapid.T, g *ticket.Grant) {
			g.Agent = rapid.String().Filter(func(s string) bool { return s != g.Agent }).Draw(t, "other agent")
		},
		"Monitor": func(t *rapid.T, g *ticket.Grant) {
			g.Monitor += pool.MonitorID(rapid.Uint32Min(1).Draw(t, "more"))
		},
		"Server": func(t *rapid.T, g *ticket.Grant) {
			g.Server += pool.ServerID(rapid.Uint32Min(1).Draw(t, "more"))
		},
		"Interval": func(t *rapid.T, g *ticket.Grant) {
			g.Interval += time.Duration(rapid.Int64Min(1).Draw(t, "more"))
		},
		"From": func(t *rapid.T, g *ticket.Grant) {
			g.From = g.From.Add(-time.Duration(rapid.Int64Range(1, 1<<50).Draw(t, "earlier")) * time.Microsecond)
		},
		"Until": func(t *rapid.T, g *ticket.Grant) {
			g.Until = g.Until.Add(time.Duration(rapid.Int64Range(1, 1<<50).Draw(t, "later")) * time.Microsecond)
		},
	}
	for field := range reflect.TypeFor[ticket.Grant]().Fields() {
		t.Run(field.Name, func(t *testing.T) {
			change := changes[field.Name]
			if change == nil {
				t.Fatal("nobody knows how to change it")
			}
			ring := keyring(t, key(1))
			rapid.Check(t, func(t *rapid.T) {
				g := anyGrant(t)
				issued := ring.Issue(g)
				if err := ring.Check(g, issued, g.From, g.From); err != nil {
					t.Fatalf("check the grant as issued: %v", err)
				}
				change(t, &g)
				if err := ring.Check(g, issued, g.From, g.From); !errors.Is(err, ticket.ErrForged) {
					t.Fatalf("check the changed grant: have %v, want %v", err, ticket.ErrForged)
				}
			})
		})
	}
}

// A grant that went over the wire or through the database is the same grant: neither the zone nor what is
// finer than a microsecond counts.
func TestTimesCountToTheMicrosecond(t *testing.T) {
	ring := keyring(t, key(1))
	g := grant
	g.From, g.Until = g.From.Add(999*time.Nanosecond).In(time.FixedZone("", 3600)), g.Until.Add(999*time.Nanosecond)
	if ring.Issue(g) != ring.Issue(grant) {
		t.Error("the ticket changed with the nanoseconds or the zone")
	}
}

// A ticket with any bit changed is refused: it is forged, or of a key that nobody has.
func TestEveryBitOfATicketCounts(t *testing.T) {
	ring := keyring(t, key(1), key(2))
	issued := ring.Issue(grant)
	for bit := range 8 * ticket.Size {
		changed := issued
		changed[bit/8] ^= 1 << (bit % 8)
		err := ring.Check(grant, changed, noon, noon)
		want := ticket.ErrForged
		if bit < 32 {
			want = ticket.ErrUnknownKey
		}
		if !errors.Is(err, want) {
			t.Errorf("bit %d: have %v, want %v", bit, err, want)
		}
	}
}

// Tickets stay what they are from one release to the next: samples on tickets of the last one are still to come.
// The MAC was computed by another implementation (Python's hmac) from the bytes as documented.
func TestTicketsArePinned(t *testing.T) {
	issued := keyring(t, key(1)).Issue(grant)
	const want = "00000001ed776baa7d83e453b76044e2bc971d16"
	if have := hex.EncodeToString(issued[:]); have != want {
		t.Errorf("have %s, want %s", have, want)
	}
}

// Whatever bytes come from outside: only those of the right length are a ticket, they stay what they are,
// and only the genuine ones are good.
func FuzzParse(f *testing.F) {
	ring := keyring(f, key(1))
	genuine := ring.Issue(grant)
	f.Add(genuine[:])
	f.Add(genuine[:ticket.Size-1])
	f.Add(append(genuine[:], 0))
	f.Add([]byte{})
	f.Add(make([]byte, ticket.Size))
	f.Fuzz(func(t *testing.T, b []byte) {
		parsed, err := ticket.Parse(b)
		if (err == nil) != (len(b) == ticket.Size) {
			t.Fatalf("parse %d bytes: %v", len(b), err)
		}
		if err != nil {
			return
		}
		if string(parsed[:]) != string(b) {
			t.Fatalf("%x was parsed as %x", b, parsed)
		}
		if err := ring.Check(grant, parsed, noon, noon); (err == nil) != (parsed == genuine) {
			t.Fatalf("check %x: %v", b, err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	ring := keyring(b, key(1), key(2), key(3))
	issued := ring.Issue(grant)
	for b.Loop() {
		if err := ring.Check(grant, issued, noon, noon); err != nil {
			b.Fatal(err)
		}
	}
}

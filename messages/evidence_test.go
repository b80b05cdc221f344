package messages

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/ticket"
)

// Evidence reaches the hub with everything that its ticket proves.
func TestEvidenceReachesTheHub(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) Claim {
		return Claim{
			Grant:  grants().Draw(t, "granted").Grant,
			Ticket: drawn[ticket.Ticket]().Draw(t, "ticket"),
			Sample: samples().Draw(t, "sample"),
		}
	})
	journey(draw, fromClaim, func(m *Evidence) Claim {
		claim, err := ToEvidence(m)
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return claim
	})(t)
}

func fromClaim(c Claim) *Evidence { return FromEvidence(c.Grant, c.Ticket[:], c.Sample) }

// What an agent takes from an order it can show as evidence, and the hub that gave it takes it.
func TestATicketComesBackAsProof(t *testing.T) {
	keys, err := ticket.NewKeyring(ticket.Key{ID: 1, Secret: make([]byte, ticket.SecretSize)})
	if err != nil {
		t.Fatalf("make the keys: %v", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		given := grants().Draw(t, "granted")
		given.Grant.Agent = "fra1"
		issued := keys.Issue(given.Grant)
		given.Ticket = issued[:]
		taken, err := ToAssignment(overTheWire(t, fromGranted(given)))
		if err != nil {
			t.Fatalf("assignment refused: %v", err)
		}
		sample := pool.Sample{At: taken.Grant.From, NoReply: true}
		claim, err := ToEvidence(overTheWire(t, FromEvidence(taken.Grant, taken.Ticket, sample)))
		if err != nil {
			t.Fatalf("evidence refused: %v", err)
		}
		claim.Grant.Agent = "fra1"
		if err := keys.Check(claim.Grant, claim.Ticket, claim.Sample.At, claim.Sample.At); err != nil {
			t.Errorf("%+v proves nothing: %v", claim, err)
		}
	})
}

// Evidence that can prove nothing is refused, and the error says why.
func TestEvidenceThatProvesNothingIsRefused(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*Evidence)
		want  string
	}{
		{"no server", func(m *Evidence) { m.ServerId = 0 }, "no server"},
		{"no monitor", func(m *Evidence) { m.MonitorId = 0 }, "no monitor"},
		{"no interval", func(m *Evidence) { m.IntervalMs = 0 }, "interval"},
		{"interval without end", func(m *Evidence) { m.IntervalMs = math.MaxUint64 }, "interval"},
		{"ends before it begins", func(m *Evidence) { m.UntilS = m.FromS - 1 }, "life"},
		{"no ticket", func(m *Evidence) { m.Ticket = nil }, "ticket: have"},
		{"a ticket too long", func(m *Evidence) { m.Ticket = append(m.Ticket, 0) }, "ticket: have"},
		{"no sample", func(m *Evidence) { m.Sample = nil }, "sample: not set"},
		{"a sample that can't be", func(m *Evidence) { m.Sample.Leap = 4 }, "sample: leap 4"},
	} {
		m := goodEvidence()
		if _, err := ToEvidence(m); err != nil {
			t.Fatalf("the good evidence is refused: %v", err)
		}
		row.spoil(m)
		if _, err := ToEvidence(m); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: want an error with %q, have %v", row.name, row.want, err)
		}
	}
	if _, err := ToEvidence(nil); err == nil {
		t.Error("no evidence at all: want an error")
	}
}

// Whatever bytes an agent sends for evidence, it is refused or means what it says.
func FuzzToEvidence(f *testing.F) {
	f.Add(encode(f, goodEvidence()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		m := new(Evidence)
		if proto.Unmarshal(wire, m) != nil {
			return
		}
		claim, err := ToEvidence(m)
		if err != nil {
			if Legible(err.Error()) != err.Error() {
				t.Errorf("the reason isn't fit to be told: %q", err)
			}
			return
		}
		if !claim.Grant.From.Before(claim.Grant.Until) || claim.Grant.Interval <= 0 {
			t.Errorf("taken: %+v", claim)
		}
		again, err := ToEvidence(fromClaim(claim))
		if diff := cmp.Diff(claim, again, same()); err != nil || diff != "" {
			t.Errorf("not the same when sent again: %v %s", err, diff)
		}
	})
}

// A busy hub takes 20,000 samples a second.
func BenchmarkToEvidence(b *testing.B) {
	m := goodEvidence()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ToEvidence(m); err != nil {
			b.Fatal(err)
		}
	}
}

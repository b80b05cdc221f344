package messages

import (
	"errors"
	"math"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// What one actor of the hub tells another arrives as it was sent, on whichever hub the other one lives.
func TestNothingIsLostBetweenActorsOfTheHub(t *testing.T) {
	t.Run("server", journey(drawn[pool.Server](), FromServer, ToServer))
	t.Run("monitor", journey(drawn[pool.Monitor](), FromMonitor, ToMonitor))
	t.Run("account", journey(drawn[pool.Account](), FromAccount, ToAccount))
	t.Run("scorer", journey(drawn[pool.Scorer](), FromScorer, ToScorer))
	t.Run("settings", journey(drawn[pool.Settings](), FromSettings, ToSettings))
	t.Run("roster", journey(drawn[pool.Roster](), FromRoster, ToRoster))
	t.Run("cadence", journey(drawn[pool.Cadence](), FromCadence, ToCadence))
	t.Run("kept", journey(drawn[pool.Kept](), FromKept, ToKept))
	t.Run("pair status", journey(drawn[pool.PairStatus](), FromPairStatus, ToPairStatus))
	t.Run("review", journey(drawn[pool.Review](), FromReview, ToReview))
	t.Run("assigned", journey(drawn[pool.Assigned](), FromAssigned, ToAssigned))
	t.Run("agent image", journey(drawn[pool.AgentImage](), FromAgentImage, ToAgentImage))
	t.Run("agent seen", journey(drawn[pool.AgentSeen](), FromAgentSeen, ToAgentSeen))
	t.Run("ref", journey(drawn[pool.Ref](), FromRef, ToRef))
	t.Run("log row", journey(drawn[pool.LogRow](), FromLogRow, ToLogRow))
	t.Run("pair score", journey(drawn[pool.PairScore](), FromPairScore, ToPairScore))
	t.Run("overall", journey(drawn[pool.Overall](), FromOverall, ToOverall))
}

// A pair has its server from the message that it comes in.
func TestAPairTravelsWithItsServer(t *testing.T) {
	const server = 7
	pairs := rapid.Map(drawn[pool.Pair](), func(p pool.Pair) pool.Pair {
		p.Server = server
		return p
	})
	t.Run("pair", journey(pairs, FromPair, func(m *Pair) pool.Pair { return ToPair(server, m) }))
	t.Run("server image", journey(rapid.Map(drawn[pool.ServerImage](), ownPairs), FromServerImage, ToServerImage))
}

// A shard's image takes along the epoch that its commits will have to show, and the roster.
func TestAShardTravelsWithItsRoster(t *testing.T) {
	type opened struct {
		Image  pool.ShardImage
		Roster pool.Roster
	}
	draw := rapid.Map(drawn[opened](), func(o opened) opened {
		for i, server := range o.Image.Servers {
			o.Image.Servers[i] = ownPairs(server)
		}
		return o
	})
	journey(draw,
		func(o opened) *ShardImage { return FromShardImage(o.Image, FromRoster(o.Roster)) },
		func(m *ShardImage) opened { return opened{ToShardImage(m), ToRoster(m.Roster)} },
	)(t)
}

// ownPairs makes the pairs of an image those of its server.
func ownPairs(image pool.ServerImage) pool.ServerImage {
	for i := range image.Pairs {
		image.Pairs[i].Server = image.Server.ID
	}
	return image
}

// A commit and its outcome keep the id by which the asker knows them.
func TestACommitIsKnownByItsID(t *testing.T) {
	type asked struct {
		ID     uint64
		Commit pool.ServerCommit
	}
	journey(drawn[asked](),
		func(a asked) *Commit { return FromServerCommit(a.ID, a.Commit) },
		func(m *Commit) asked { return asked{m.Id, ToServerCommit(m)} },
	)(t)
}

// A commit is kept, fenced or refused, and its asker hears which, and why.
func TestACommitHasOneOfThreeOutcomes(t *testing.T) {
	for name, outcome := range map[string]pool.CommitOutcome{
		"kept":                  {IDs: []pool.LogID{3, 0, 1 << 63}},
		"kept, no rows":         {},
		"fenced":                {Fenced: true},
		"refused":               {Err: errors.New("score is out of range")},
		"refused for no reason": {Err: errors.New("")},
	} {
		t.Run(name, journey(rapid.Just(outcome),
			func(o pool.CommitOutcome) *Committed { return FromCommitOutcome(9, o) }, ToCommitOutcome))
	}
}

// A database's error reaches the asker even if it isn't text: protobuf would refuse to send it.
func TestAnErrorThatIsNotTextIsTold(t *testing.T) {
	m := FromCommitOutcome(1, pool.CommitOutcome{Err: errors.New("bad value '\xff'")})
	if _, err := proto.Marshal(m); err != nil {
		t.Errorf("encode: %v", err)
	}
	if want := "bad value '\ufffd'"; m.Reason != want {
		t.Errorf("want %q, have %q", want, m.Reason)
	}
}

// Nothing that a hub's own actors send each other can make one panic: not even nothing at all.
func TestNothingAtAllIsZero(t *testing.T) {
	have := []any{
		ToServer(nil), ToReview(nil), ToServerImage(nil), ToShardImage(nil), ToCadence(nil), ToKept(nil),
		ToPair(0, nil), ToPairStatus(nil), ToRoster(nil), ToMonitor(nil), ToAccount(nil), ToScorer(nil),
		ToSettings(nil), ToAgentImage(nil), ToAssigned(nil), ToAgentSeen(nil), ToServerCommit(nil),
		ToCommitOutcome(nil), ToLogRow(nil), ToRef(nil), ToPairScore(nil), ToOverall(nil),
	}
	for _, x := range have {
		if zero := reflect.Zero(reflect.TypeOf(x)).Interface(); !cmp.Equal(zero, x, same()) {
			t.Errorf("want the zero %T, have %+v", x, x)
		}
	}
}

// Numbers beyond what their words can hold are cut off; they never turn a duration negative.
func TestNumbersAreCutOff(t *testing.T) {
	c := ToCadence(&Cadence{IntervalMs: math.MaxUint64, PhaseMs: 1 << 60, WindowMs: maxMillis + 1})
	if min(c.Interval, c.Phase, c.Window) <= 0 {
		t.Errorf("want positive durations, have %+v", c)
	}
	row := ToLogRow(&LogRow{Sample: &Sample{RootDelayNs: math.MaxUint64}})
	if row.Sample.RootDelay <= 0 {
		t.Errorf("want a positive root delay, have %s", row.Sample.RootDelay)
	}
	if have := FromCadence(pool.Cadence{Interval: -time.Second}).IntervalMs; have != 0 {
		t.Errorf("want no negative duration on the wire, have %d", have)
	}
}

// One host has one address: an IPv4 address mapped into IPv6 is IPv4, on the wire and behind it.
func TestAMappedAddressIsIPv4(t *testing.T) {
	mapped, plain := netip.MustParseAddrPort("[::ffff:192.0.2.1]:123"), netip.MustParseAddrPort("192.0.2.1:123")
	sent := FromServer(pool.Server{Addr: mapped})
	if have := ToServer(&Server{Ip: mapped.Addr().AsSlice(), Port: 123}).Addr; len(sent.Ip) != 4 || have != plain {
		t.Errorf("server: sent as %v, arrives as %s", sent.Ip, have)
	}
	seen := FromAgentSeen(pool.AgentSeen{Addr: mapped.Addr()})
	if have := ToAgentSeen(&MonitorSeen{Ip: mapped.Addr().String()}).Addr; seen.Ip != "192.0.2.1" || have != plain.Addr() {
		t.Errorf("agent: sent as %s, arrives as %s", seen.Ip, have)
	}
}

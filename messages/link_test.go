package messages

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
)

// What an agent may say reaches the hub as it was said.
func TestWhatAnAgentSaysReachesTheHub(t *testing.T) {
	for _, want := range upSpecimens() {
		envelope, err := WrapUp("hub/gateway/session/a.1", "agent/uplink", want)
		if err != nil {
			t.Fatalf("wrap: %v", err)
		}
		up, err := DecodeUp(encode(t, &Up{Messages: []*FromAgent{envelope}}))
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		have, err := UnwrapUp(up.Messages[0])
		if diff := cmp.Diff(want, have, protocmp.Transform()); err != nil || diff != "" {
			t.Errorf("%T: %v\nwant -, have +:\n%s", want, err, diff)
		}
	}
}

// What a hub may say reaches the agent as it was said.
func TestWhatAHubSaysReachesTheAgent(t *testing.T) {
	for _, want := range downSpecimens() {
		envelope, err := WrapDown("agent/probe/v4", "", want)
		if err != nil {
			t.Fatalf("wrap: %v", err)
		}
		down, err := DecodeDown(encode(t, &Down{Messages: []*FromHub{envelope}}))
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		have, err := UnwrapDown(down.Messages[0])
		if diff := cmp.Diff(want, have, protocmp.Transform()); err != nil || diff != "" {
			t.Errorf("%T: %v\nwant -, have +:\n%s", want, err, diff)
		}
	}
}

// The lists in link.proto are all that travels: every message on them does (the specimens do), and no other.
func TestTheListsAreAllThatTravels(t *testing.T) {
	for _, row := range []struct {
		name      string
		envelope  proto.Message
		specimens []proto.Message
	}{
		{"up", &FromAgent{}, upSpecimens()},
		{"down", &FromHub{}, downSpecimens()},
	} {
		known := make(map[protoreflect.FullName]bool)
		for _, m := range row.specimens {
			known[m.ProtoReflect().Descriptor().FullName()] = true
		}
		listed := row.envelope.ProtoReflect().Descriptor().Oneofs().ByName("message").Fields()
		for i := range listed.Len() {
			if name := listed.Get(i).Message().FullName(); !known[name] {
				t.Errorf("%s: no specimen of %s", row.name, name)
			}
		}
		if listed.Len() != len(known) {
			t.Errorf("%s: %d messages are listed, %d have a specimen", row.name, listed.Len(), len(known))
		}
	}
	for _, m := range append(downSpecimens(), &Commit{}, nil) {
		if envelope, err := WrapUp("hub", "", m); err == nil {
			t.Errorf("%T goes up: %v", m, envelope)
		}
	}
	for _, m := range append(upSpecimens(), &Commit{}, nil) {
		if envelope, err := WrapDown("agent", "", m); err == nil {
			t.Errorf("%T goes down: %v", m, envelope)
		}
	}
}

// A peer that is newer than this program may say what it doesn't know; that is told from a message that is broken.
func TestANewerPeerIsToldFromABrokenOne(t *testing.T) {
	news := protowire.AppendBytes(protowire.AppendTag(nil, 99, protowire.BytesType), []byte("news"))
	newer, empty := &FromAgent{To: "hub"}, &FromAgent{To: "hub"}
	newer.ProtoReflect().SetUnknown(news)
	up, err := DecodeUp(encode(t, &Up{Messages: []*FromAgent{newer, empty}}))
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	if _, err := UnwrapUp(up.Messages[0]); !errors.Is(err, ErrUnknownMessage) {
		t.Errorf("a newer agent: want %v, have %v", ErrUnknownMessage, err)
	}
	if _, err := UnwrapUp(up.Messages[1]); err == nil || errors.Is(err, ErrUnknownMessage) {
		t.Errorf("an empty envelope from an agent: have %v", err)
	}

	newerHub := &FromHub{To: "agent"}
	newerHub.ProtoReflect().SetUnknown(news)
	down, err := DecodeDown(encode(t, &Down{Messages: []*FromHub{newerHub, {To: "agent"}}}))
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	if _, err := UnwrapDown(down.Messages[0]); !errors.Is(err, ErrUnknownMessage) {
		t.Errorf("a newer hub: want %v, have %v", ErrUnknownMessage, err)
	}
	if _, err := UnwrapDown(down.Messages[1]); err == nil || errors.Is(err, ErrUnknownMessage) {
		t.Errorf("an empty envelope from a hub: have %v", err)
	}
}

// A message that a known one has grown by a field still arrives.
func TestANewFieldIsIgnored(t *testing.T) {
	hello := &Hello{Version: "v9"}
	hello.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))
	envelope, err := WrapUp("hub", "", hello)
	if err != nil {
		t.Fatalf("wrap: %v", err)
	}
	up, err := DecodeUp(encode(t, &Up{Messages: []*FromAgent{envelope}}))
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	if have, err := UnwrapUp(up.Messages[0]); err != nil || have.(*Hello).Version != "v9" {
		t.Errorf("have %v, %v", have, err)
	}
}

// A message goes from an actor to an actor: whatever else stands in their place is refused, on either side.
func TestOnlyActorsTalk(t *testing.T) {
	for _, row := range []struct {
		name, to, from string
		want           bool
	}{
		{"both named", "hub/gateway/session/fra1.example.7", "agent/probe/v4", true},
		{"no sender", "agent", "", true},
		{"names that protoactor gives", "future$1Zz", "agent/$~+", true},
		{"no receiver", "", "agent", false},
		{"a space", "agent probe", "", false},
		{"a line break", "agent", "hub\n", false},
		{"not ASCII", "agent", "hüb", false},
		{"200 bytes", strings.Repeat("a", 200), "", true},
		{"201 bytes", strings.Repeat("a", 201), "", false},
	} {
		_, wrapUp := WrapUp(row.to, row.from, &Goodbye{})
		_, wrapDown := WrapDown(row.to, row.from, &Dismissal{})
		_, unwrapUp := UnwrapUp(&FromAgent{To: row.to, From: row.from, Message: &FromAgent_Goodbye{Goodbye: &Goodbye{}}})
		_, unwrapDown := UnwrapDown(&FromHub{To: row.to, From: row.from, Message: &FromHub_Dismissal{Dismissal: &Dismissal{}}})
		for _, err := range []error{wrapUp, wrapDown, unwrapUp, unwrapDown} {
			if have := err == nil; have != row.want {
				t.Errorf("%s: want allowed %v, have error %v", row.name, row.want, err)
			}
		}
	}
}

// Each side knows the other's actors by an address: agents have theirs from their names, the hub is the hub.
func TestBothEndsHaveAnAddress(t *testing.T) {
	if have := AgentAddress("fra1"); have != "agent:fra1" || HubAddress != "hub" {
		t.Errorf("have %q and %q", have, HubAddress)
	}
}

// An agent's name is fit for a certificate, a topic, an actor's id and a file.
func TestAnAgentHasADecentName(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "7": true, "local": true, "fra1-19s4p.mon.example": true, strings.Repeat("a", 63): true,
		"": false, strings.Repeat("a", 64): false, "Local": false, "a_b": false, "a/b": false, "a+": false, "a:b": false,
		".a": false, "-a": false, "..": false, "a\n": false, "ä": false, "a\x00": false,
	} {
		if err := ValidAgentName(name); (err == nil) != want {
			t.Errorf("%q: want a name %v, have error %v", name, want, err)
		}
	}
	for _, name := range []string{"a", strings.Repeat("a", maxAgentName)} {
		if err := checkActorID("hub/gateway/session/" + name + ".18446744073709551615"); err != nil {
			t.Errorf("a session of %q: %v", name, err)
		}
	}
}

func encode(t testing.TB, m proto.Message) []byte {
	t.Helper()
	wire, err := proto.Marshal(m)
	if err != nil {
		t.Fatalf("encode a %T: %v", m, err)
	}
	return wire
}

package messages

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// spoiled is a specimen of a message with something wrong.
func spoiled[M proto.Message](specimens []proto.Message, spoil func(M)) proto.Message {
	for _, m := range specimens {
		if m, is := m.(M); is {
			spoil(m)
			return m
		}
	}
	panic("no specimen of this kind")
}

func up[M proto.Message](spoil func(M)) proto.Message { return spoiled(upSpecimens(), spoil) }

func down[M proto.Message](spoil func(M)) proto.Message { return spoiled(downSpecimens(), spoil) }

// What an agent says out of all measure is refused, and the error says what it was.
func TestAnAgentIsHeldToTheBounds(t *testing.T) {
	long := strings.Repeat("x", MaxText+1)
	for _, row := range []struct {
		want string
		m    proto.Message
	}{
		{"version", up(func(m *Hello) { m.Version = long })},
		{"feature can't", up(func(m *Hello) { m.Features = []string{"a\nb"} })},
		{"33 features", up(func(m *Hello) { m.Features = make([]string, 33) })},
		{"501 samples", up(func(m *Batch) { m.Evidence = make([]*Evidence, 501) })},
		{"IP version 5", up(func(m *Batch) { m.IpVersion = 5 })},
		{"3 monitors", up(func(m *Pulse) { m.Monitors = append(m.Monitors, m.Monitors...)[:3] })},
		{"version 4 twice", up(func(m *Pulse) { m.Monitors[1].IpVersion = 4 })},
		{"IP version 0", up(func(m *Pulse) { m.Monitors[0].IpVersion = 0 })},
		{"reason", up(func(m *Pulse) { m.Monitors[1].Reason = long })},
	} {
		envelope, err := WrapUp("hub", "agent", row.m)
		if err != nil {
			t.Fatalf("wrap: %v", err)
		}
		if m, err := UnwrapUp(envelope); err == nil || m != nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%T: want an error with %q, have %v", row.m, row.want, err)
		}
	}
}

// So is what a hub says: an agent trusts its hub with its work, not with its life.
func TestAHubIsHeldToTheBounds(t *testing.T) {
	long := strings.Repeat("x", MaxText+1)
	for _, row := range []struct {
		want string
		m    proto.Message
	}{
		{"session's id", down(func(m *Welcome) { m.SessionId = long })},
		{"agent's name", down(func(m *Welcome) { m.Agent = "A" })},
		{"session: ", down(func(m *Welcome) { m.Session = "" })},
		{"URL", down(func(m *Welcome) { m.Live.Url = long })},
		{"token", down(func(m *Welcome) { m.Live.Token = strings.Repeat("x", 4097) })},
		{"deployment", down(func(m *Welcome) { m.Live.Deployment = "\x07" })},
		{"2001 orders", down(func(m *Assignments) { m.Set = make([]*Assignment, 2001) })},
		{"2001 orders", down(func(m *Assignments) { m.Dropped = make([]uint32, 2001) })},
		{"no monitor", down(func(m *Assignments) { m.MonitorId = 0 })},
		{"IP version 7", down(func(m *Assignments) { m.IpVersion = 7 })},
		{"501 verdicts", down(func(m *Verdicts) { m.Verdicts = make([]*Verdict, 501) })},
		{"sample 500", down(func(m *Verdicts) { m.Verdicts[2].Index = 500 })},
		{"reason of a verdict", down(func(m *Verdicts) { m.Verdicts[1].Reason = long })},
		{"IP version 0", down(func(m *Verdicts) { m.IpVersion = 0 })},
		{"reason of a dismissal", down(func(m *Dismissal) { m.Reason = long })},
	} {
		envelope, err := WrapDown("agent", "hub", row.m)
		if err != nil {
			t.Fatalf("wrap: %v", err)
		}
		if m, err := UnwrapDown(envelope); err == nil || m != nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%T: want an error with %q, have %v", row.m, row.want, err)
		}
	}
}

// A hub without a broker for agents welcomes them all the same.
func TestAWelcomeNeedsNoBroker(t *testing.T) {
	m := down(func(m *Welcome) { m.Live = nil })
	envelope, err := WrapDown("agent", "", m)
	if err != nil {
		t.Fatalf("wrap: %v", err)
	}
	if _, err := UnwrapDown(envelope); err != nil {
		t.Errorf("refused: %v", err)
	}
}

// A verdict is told whatever its reason quotes.
func TestAVerdictIsAlwaysTold(t *testing.T) {
	v := NewVerdict(3, Verdict_REFUSED, "bad\n"+strings.Repeat("x", MaxText))
	if err := checkVerdicts(&Verdicts{IpVersion: 4, Verdicts: []*Verdict{v}}); err != nil {
		t.Errorf("refused: %v", err)
	}
	if v.Index != 3 || v.Outcome != Verdict_REFUSED || !strings.HasPrefix(v.Reason, "bad") {
		t.Errorf("have %v", v)
	}
}

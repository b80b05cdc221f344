package links

import (
	"context"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/messages"
)

// tape is a stream that plays what an agent has sent: frames, each behind its length in two bytes.
type tape struct {
	grpc.ServerStream
	left []byte
}

func (s *tape) Context() context.Context { return context.Background() }

func (s *tape) RecvMsg(into any) error {
	if len(s.left) < 2 {
		return io.EOF
	}
	size := min(int(binary.BigEndian.Uint16(s.left)), len(s.left)-2)
	frame := s.left[2 : 2+size]
	s.left = s.left[2+size:]
	return messages.FrameCodec{}.Unmarshal(frame, into)
}

// record appends a frame to a tape.
func record(tape, frame []byte) []byte {
	return append(binary.BigEndian.AppendUint16(tape, uint16(len(frame))), frame...)
}

// Whatever bytes come over a link: nothing panics, the agent's session hears messages that an agent may send it
// and nobody else hears anything, and each message of the agent's is heard or counted.
func FuzzStream(f *testing.F) {
	const agentName = "fra1"
	system := port.NewSystem(messages.HubAddress, zerolog.Nop())
	session := hubside.Session(system, agentName, 1)
	for _, m := range []proto.Message{
		&messages.Hello{Version: "v1"}, &messages.Goodbye{},
		&messages.Pulse{Monitors: []*messages.MonitorPulse{{IpVersion: 4, Fit: true}}},
		&messages.Batch{Id: 1, IpVersion: 4, Evidence: []*messages.Evidence{{ServerId: 1, Sample: &messages.Sample{AtUs: 1}}}},
	} {
		envelope, err := messages.WrapUp(session.Id, "agent/uplink", m)
		if err != nil {
			f.Fatal(err)
		}
		stranger := &messages.FromAgent{To: "hub/gateway", Message: envelope.Message}
		frame := encode(f, &messages.Up{Messages: []*messages.FromAgent{envelope, stranger}})
		f.Add(record(record(nil, frame), frame))
	}
	f.Add(record(nil, []byte("\x0a\x04\x9a\x06\x01x")))
	f.Add(record(nil, []byte("no frame")))

	f.Fuzz(func(t *testing.T, bytes []byte) {
		var count tally
		heard := &eavesdropper{t: t}
		system.ProcessRegistry.Remove(session)
		if _, fresh := system.ProcessRegistry.Add(heard, session.Id); !fresh {
			t.Fatal("there is a session already")
		}
		links := &Links{
			system: system, limits: defaultLimits(),
			count: func(kind string) { count.count(port.CountLinks, kind, 1) },
		}
		l := &link{
			number: 1, agent: agentName, target: hubside.Session(system, agentName, 1), links: links,
			stream: &tape{left: bytes}, welcomed: true,
		}
		if err := l.receive(); err != nil && strings.Contains(err.Error(), "panic") {
			t.Fatal(err)
		}
		if have := heard.messages + count.have(countUnknown) + count.have(countRefused); have != sentOn(bytes) {
			t.Errorf("%d messages were heard or counted, want %d", have, sentOn(bytes))
		}
	})
}

// sentOn is how many messages there are on a tape, up to the first frame that is none.
func sentOn(bytes []byte) (n int) {
	stream := &tape{left: bytes}
	for {
		var frame []byte
		if stream.RecvMsg(&frame) != nil {
			return n
		}
		up, err := messages.DecodeUp(frame)
		if err != nil {
			return n
		}
		n += len(up.Messages)
	}
}

// eavesdropper is a session's process that looks at each message.
type eavesdropper struct {
	actor.Process
	t        *testing.T
	messages int
}

func (e *eavesdropper) SendUserMessage(_ *actor.PID, message any) {
	e.messages++
	_, inner, sender := actor.UnwrapEnvelope(message)
	switch inner.(type) {
	case *messages.Hello, *messages.Batch, *messages.Pulse, *messages.Goodbye:
	default:
		e.t.Errorf("the session heard a %T", inner)
	}
	if sender != nil && sender.Address != messages.AgentAddress("fra1") {
		e.t.Errorf("it comes from %v", sender)
	}
}

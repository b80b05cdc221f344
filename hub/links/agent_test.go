package links

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"truechimer/messages"
)

// agent is an agent's end of a link, made of gRPC alone: it can say what no agent of ours would.
type agent struct {
	t      testing.TB
	name   string
	client *grpc.ClientConn
	stream grpc.ClientStream
	cancel context.CancelFunc

	inbox   chan *messages.FromHub // closed when the link has ended
	ended   error                  // why it has; nil: in order
	session string                 // that said welcome
}

// join makes a link, waits for its welcome, and reads what else comes.
func (h *house) join(name string) *agent {
	h.t.Helper()
	a := h.dial(name)
	go a.read()
	a.session = wantWord[*messages.FromHub_Welcome](a).Welcome.Session
	return a
}

// dial makes a link of which nothing is read yet.
func (h *house) dial(name string) *agent {
	h.t.Helper()
	a, err := h.call(name, h.identity(name))
	if err != nil {
		h.t.Fatalf("dial as %s: %v", name, err)
	}
	return a
}

// call makes a link with an identity; what is wrong with it may show only once something is read.
func (h *house) call(name string, identity *tls.Config) (*agent, error) {
	client := h.client(identity)
	ctx, cancel := context.WithCancel(context.Background())
	h.t.Cleanup(cancel)
	stream, err := client.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, messages.LinkMethod)
	if err != nil {
		return nil, err
	}
	return &agent{
		t: h.t, name: name, client: client, stream: stream, cancel: cancel, inbox: make(chan *messages.FromHub, 100_000),
	}, nil
}

// client knows where the hub is, and dials it when it has to.
func (h *house) client(identity *tls.Config) *grpc.ClientConn {
	h.t.Helper()
	client, err := grpc.NewClient("passthrough:///"+h.Addr().String(),
		grpc.WithTransportCredentials(credentials.NewTLS(identity)),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(messages.FrameCodec{}), grpc.MaxCallRecvMsgSize(messages.MaxFrame)))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { client.Close() })
	return client
}

// read takes what the hub says until the link ends.
func (a *agent) read() {
	defer close(a.inbox)
	for {
		var frame []byte
		err := a.stream.RecvMsg(&frame)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			a.ended = err
			return
		}
		down, err := messages.DecodeDown(frame)
		if err != nil {
			a.ended = err
			a.cancel()
			return
		}
		for _, envelope := range down.Messages {
			a.inbox <- envelope
		}
	}
}

// frame sends bytes for a frame. A link that has ended is for the reader to tell.
func (a *agent) frame(bytes []byte) {
	a.t.Helper()
	if err := a.stream.SendMsg(&bytes); err != nil && !errors.Is(err, io.EOF) {
		a.t.Fatalf("send as %s: %v", a.name, err)
	}
}

// say sends a message from one of the agent's actors to one of the hub's.
func (a *agent) say(to, from string, m proto.Message) {
	a.t.Helper()
	envelope, err := messages.WrapUp(to, from, m)
	if err != nil {
		a.t.Fatal(err)
	}
	a.frame(encode(a.t, &messages.Up{Messages: []*messages.FromAgent{envelope}}))
}

// vanish breaks the connection.
func (a *agent) vanish() {
	a.cancel()
	a.client.Close()
}

// hello says something to the agent's own session.
func (a *agent) hello() {
	a.t.Helper()
	a.say(a.session, agentRoot, &messages.Hello{Version: "test"})
}

func encode(t testing.TB, m proto.Message) []byte {
	t.Helper()
	bytes, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// next waits for what the hub says next; nil: the link has ended.
func (a *agent) next() *messages.FromHub {
	a.t.Helper()
	return await(a.t, a.inbox)
}

// wantWord waits for the hub's next message, which has to be of a kind.
func wantWord[M any](a *agent) M {
	a.t.Helper()
	envelope := a.next()
	if envelope == nil {
		a.t.Fatalf("the link of %s has ended: %v", a.name, a.ended)
	}
	m, is := any(envelope.Message).(M)
	if !is {
		a.t.Fatalf("the hub says to %s: %v, want a %T", a.name, envelope, m)
	}
	return m
}

// wantEnd waits for the end of the link, before which nothing else is said, and tells why it ended.
func (a *agent) wantEnd() error {
	a.t.Helper()
	if envelope := a.next(); envelope != nil {
		a.t.Fatalf("the hub says to %s: %v, want the end", a.name, envelope)
	}
	return a.ended
}

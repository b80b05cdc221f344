package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"truechimer/messages"
)

const (
	// session is the hub's actor that says welcome in these tests.
	session = "hub/gateway/session/fra1.1"
	// uplink is another one of the agent's actors.
	uplink = "agent/uplink"
)

// hub is a hub's end made of gRPC alone: it can do what no hub of ours would.
type hub struct {
	t      testing.TB
	server *grpc.Server
	addr   string
	calls  chan *call
}

// call is an agent's link, as the hub has it.
type call struct {
	t      testing.TB
	stream grpc.ServerStream
	inbox  chan *messages.FromAgent // closed when the agent says nothing more
	over   chan error               // what is put in ends the stream
}

// serve starts a hub of the family on an address.
func (f *family) serve(t testing.TB, addr string) *hub {
	t.Helper()
	return serve(t, addr, f.hub(t))
}

func serve(t testing.TB, addr string, config *tls.Config) *hub {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{t: t, addr: listener.Addr().String(), calls: make(chan *call, 100)}
	h.server = grpc.NewServer(
		grpc.Creds(credentials.NewTLS(config)),
		grpc.ForceServerCodec(messages.FrameCodec{}),
		grpc.MaxRecvMsgSize(messages.MaxFrame),
	)
	h.server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "truechimer.AgentLink",
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{
			StreamName: "Connect", ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error { return h.answer(stream) },
		}},
	}, h)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := h.server.Serve(listener); err != nil {
			t.Errorf("serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		h.server.Stop()
		<-served
	})
	return h
}

// answer is the life of a link. It isn't read before the test says so.
func (h *hub) answer(stream grpc.ServerStream) error {
	c := &call{t: h.t, stream: stream, inbox: make(chan *messages.FromAgent, 100_000), over: make(chan error, 1)}
	h.calls <- c
	select {
	case err := <-c.over:
		return err
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

// link waits for the next link, and reads it.
func (h *hub) link() *call {
	h.t.Helper()
	c := await(h.t, h.calls)
	go c.read()
	return c
}

// welcome waits for the next link, and says welcome.
func (h *hub) welcome() *call {
	h.t.Helper()
	c := h.link()
	c.welcome()
	return c
}

func (c *call) welcome() {
	c.t.Helper()
	c.say("agent", session, &messages.Welcome{SessionId: "S", Agent: "fra1", Session: session})
}

// read takes what the agent says; once that is all, the stream ends in order.
func (c *call) read() {
	defer close(c.inbox)
	for {
		var frame []byte
		err := c.stream.RecvMsg(&frame)
		if errors.Is(err, io.EOF) {
			c.hang(nil)
			return
		}
		if err != nil {
			return
		}
		up, err := messages.DecodeUp(frame)
		if err != nil {
			c.hang(err)
			return
		}
		for _, envelope := range up.Messages {
			c.inbox <- envelope
		}
	}
}

// hang ends the stream.
func (c *call) hang(why error) {
	select {
	case c.over <- why:
	default: // it is ending
	}
}

// say sends a message from one of the hub's actors to one of the agent's.
func (c *call) say(to, from string, m proto.Message) {
	c.t.Helper()
	envelope, err := messages.WrapDown(to, from, m)
	if err != nil {
		c.t.Fatal(err)
	}
	c.frame(encode(c.t, &messages.Down{Messages: []*messages.FromHub{envelope}}))
}

func (c *call) frame(bytes []byte) {
	c.t.Helper()
	if err := c.stream.SendMsg(&bytes); err != nil {
		c.t.Fatalf("send to the agent: %v", err)
	}
}

func encode(t testing.TB, m proto.Message) []byte {
	t.Helper()
	bytes, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

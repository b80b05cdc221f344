package link

import (
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"net"
	"truechimer/messages"
)

func TestZZPing(t *testing.T) {
	f := newFamily(t)
	lis, _ := net.Listen("tcp", "127.0.0.1:0")
	h := &hub{t: t, addr: lis.Addr().String(), calls: make(chan *call, 100)}
	h.server = grpc.NewServer(
		grpc.Creds(credentials.NewTLS(f.hub(t))),
		grpc.ForceServerCodec(messages.FrameCodec{}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Hour}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second}),
	)
	h.server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "truechimer.AgentLink", HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{StreamName: "Connect", ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error { return h.answer(stream) }}},
	}, h)
	go h.server.Serve(lis)
	a := f.open(t, h.addr)
	a.join(h)
	select {
	case e := <-a.ended:
		t.Fatal(e)
	case <-time.After(75 * time.Second):
	}
}

package broker

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"truechimer/hub/token"
)

// No stream of bytes, from a stranger or from an admitted client, stops the broker, makes it panic, or leaves
// anything behind.
func FuzzStream(f *testing.F) {
	h := open(f, nil)
	introduction := h.introduction("a1", h.grantFor(24*time.Hour)(token.ForAgent("test", "a1")))
	f.Add(false, []byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add(false, v5Connect("a1", "guess"))
	f.Add(false, append(v5Connect("a1", "guess"), 0x82, 0x03, 0x00, 0x01, 0x00)) // mochi-mqtt issue 501
	f.Add(false, introduction)
	for _, packet := range samplePackets() {
		f.Add(true, encode(packet))
	}
	f.Fuzz(func(t *testing.T, admitted bool, stream []byte) {
		if admitted {
			stream = append(bytes.Clone(introduction), stream...)
		}
		near, far := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, far) }() // it ends with the connection
		go func() {
			_, _ = far.Write(stream) // the broker may hang up in the middle
			_ = far.Close()
		}()
		h.slots <- struct{}{}
		h.serve(newConn(near, near, h.limits))
		if n := h.Counts().Panics; n != 0 {
			t.Fatalf("%d panics", n)
		}
		if clients, sessions := h.server.Clients.Len(), h.guard.sessions.count(); clients+sessions != 0 {
			t.Fatalf("%d clients and %d sessions are left", clients, sessions)
		}
	})
}

// introduction is the CONNECT packet of a client with a will.
func (h *house) introduction(name, password string) []byte {
	connect := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	connect.ProtocolName, connect.ProtocolVersion, connect.CleanSession = "MQTT", protocol, true
	connect.ClientIdentifier, connect.Keepalive = name, 60
	connect.UsernameFlag, connect.Username = true, name
	connect.PasswordFlag, connect.Password = true, []byte(password)
	connect.WillFlag, connect.WillTopic, connect.WillMessage = true, "/test/monitors/status/"+name+"/status", []byte("gone")
	return encode(connect)
}

func encode(packet packets.ControlPacket) []byte {
	var buffer bytes.Buffer
	_ = packet.Write(&buffer) // a buffer takes everything
	return buffer.Bytes()
}

// samplePackets are one of each that a client may send, and some that it may not.
func samplePackets() []packets.ControlPacket {
	subscribe := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	subscribe.MessageID, subscribe.Topics, subscribe.Qoss = 1, []string{"/test/monitors/requests/a1/+"}, []byte{1}
	unsubscribe := packets.NewControlPacket(packets.Unsubscribe).(*packets.UnsubscribePacket)
	unsubscribe.MessageID, unsubscribe.Topics = 2, []string{"/test/monitors/requests/a1/+"}
	publish := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	publish.TopicName, publish.Qos, publish.MessageID, publish.Payload = "/test/monitors/data/a1/1", 1, 3, []byte("{}")
	puback := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	puback.MessageID = 1
	return []packets.ControlPacket{
		subscribe, unsubscribe, publish, puback,
		packets.NewControlPacket(packets.Pingreq), packets.NewControlPacket(packets.Disconnect),
		packets.NewControlPacket(packets.Pubrel), packets.NewControlPacket(packets.Connect),
	}
}

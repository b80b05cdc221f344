package mqttlink

import (
	"context"
	"errors"
	"net"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// late is a message that paho hands over when its connection has been given up.
type late struct{ paho.Message }

func (late) Topic() string   { return "/test/servers/192.0.2.1/score" }
func (late) Payload() []byte { return []byte("20") }
func (late) Qos() byte       { return 1 }
func (late) Retained() bool  { return false }

// What an old connection still holds isn't heard once another one may be up: it would be heard out of order.
func TestAConnectionThatIsOverIsNotHeard(t *testing.T) {
	heard := 0
	link, err := New(Options{Access: Access{URL: "tcp://127.0.0.1:1"}, Hear: func(Message) { heard++ }})
	if err != nil {
		t.Fatal(err)
	}
	c := &Connection{client: paho.NewClient(paho.NewClientOptions())}
	link.heard(c, late{})
	c.end()
	link.heard(c, late{})
	if heard != 1 {
		t.Errorf("%d messages heard, want the one before the end", heard)
	}
}

// ended is a context that ends while a connection is made, too late to abort that.
type ended struct{ context.Context }

func (ended) Err() error            { return context.Canceled }
func (ended) Done() <-chan struct{} { return nil }

// A connection that was made while its context ended is dropped at once: nobody else will.
func TestAConnectionThatComesTooLateIsDropped(t *testing.T) {
	broker, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	link, err := New(Options{Access: Access{URL: "tcp://" + broker.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := link.open(ended{t.Context()}, &Connection{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("want it closed, have %v", err)
	}
}

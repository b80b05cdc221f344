package mqttlink

import (
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

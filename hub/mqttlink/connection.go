package mqttlink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	protocol = 4 // MQTT 3.1.1; paho would try 3.1 too, each time that it is refused

	connectTimeout = 10 * time.Second // for a slow link to shake hands with TLS and MQTT

	// A broker that is gone without a word is noticed within keepalive and pingTimeout.
	keepalive   = 30 * time.Second
	pingTimeout = 10 * time.Second

	// writeTimeout bounds how long paho waits for the network to take a message; after it the connection counts as
	// lost. It is longer than some lost packets take to be sent again.
	writeTimeout = 5 * time.Second

	// farewell bounds the wait for the DISCONNECT packet to leave.
	farewell = 500 * time.Millisecond
)

// Connection is one connection to the broker. paho could come back by itself, but then it keeps messages of its own,
// says that those with QoS 0 were sent which it has dropped, and doesn't try again when the first attempt fails.
// So each connection has a client of its own.
type Connection struct {
	client paho.Client
	lost   chan error               // gets why the connection was lost, once
	conn   atomic.Pointer[net.Conn] // below the client; nil until there is one

	mu   sync.Mutex // held while a message is heard
	over bool       // nothing more is heard
}

func (l *Link) connect(ctx context.Context, password string) (*Connection, error) {
	c := &Connection{lost: make(chan error, 1)}
	c.client = paho.NewClient(l.clientOptions(ctx, c, password))
	defer context.AfterFunc(ctx, c.drop)()
	asked := c.client.Connect()
	<-asked.Done() // it is bounded by connectTimeout, and by ctx
	if err := asked.Error(); err != nil {
		return nil, fmt.Errorf("connect to the broker at %s: %w", l.address.Host, err)
	}
	return c, nil
}

func (l *Link) clientOptions(ctx context.Context, c *Connection, password string) *paho.ClientOptions {
	options := paho.NewClientOptions().
		AddBroker(l.address.String()).
		SetProtocolVersion(protocol).
		SetClientID(l.options.ClientID).
		SetUsername(l.options.User).
		SetPassword(password).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectTimeout(connectTimeout).
		SetWriteTimeout(writeTimeout).
		SetKeepAlive(keepalive).
		SetPingTimeout(pingTimeout).
		SetConnectionLostHandler(func(_ paho.Client, err error) { c.lost <- err }).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { l.heard(c, m) }).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return l.open(ctx, c) })
	if l.options.Will != nil {
		options.SetBinaryWill(l.options.Will.Topic, l.options.Will.Payload, l.options.Will.QoS, l.options.Will.Retained)
	}
	return options
}

// open makes the network connection. The end of ctx aborts it, and the handshake that follows.
func (l *Link) open(ctx context.Context, c *Connection) (net.Conn, error) {
	dialling, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{}
	if l.address.Scheme == "tls" {
		dialer = &tls.Dialer{Config: l.options.TLS}
	}
	conn, err := dialer.DialContext(dialling, "tcp", l.address.Host)
	if err != nil {
		return nil, err
	}
	c.conn.Store(&conn)
	if ctx.Err() != nil {
		c.drop() // who was to do it may have looked before there was one
	}
	return conn, nil
}

// heard passes a message on, unless the connection is over: then another may be up, and messages would be heard at
// the same time or out of order.
func (l *Link) heard(c *Connection, m paho.Message) {
	c.Alone(func() {
		if !c.over && l.options.Hear != nil {
			l.options.Hear(Message{Topic: m.Topic(), QoS: m.Qos(), Retained: m.Retained(), Payload: m.Payload()})
		}
	})
}

// Lost gets why the connection was lost, once.
func (c *Connection) Lost() <-chan error {
	return c.lost
}

// Receipt tells what became of a message.
type Receipt interface {
	Done() <-chan struct{} // closed when the broker has taken it; with QoS 0: the network
	Error() error          // after Done: why it has not
}

// Send hands a message to the network, which may take some seconds when that is slow. The receipts of the messages
// of one connection come in their order.
func (c *Connection) Send(m Message) Receipt {
	return c.client.Publish(m.Topic, m.QoS, m.Retained, m.Payload)
}

// Subscribe asks for what some filters bring and waits for the answer. The error says which one the broker refuses.
func (c *Connection) Subscribe(ctx context.Context, filters []string, qos byte) error {
	wanted := make(map[string]byte)
	for _, filter := range filters {
		wanted[filter] = qos
	}
	asked := c.client.SubscribeMultiple(wanted, nil).(*paho.SubscribeToken)
	select {
	case <-asked.Done():
	case err := <-c.lost:
		return fmt.Errorf("subscribe: %w", err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := asked.Error(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for _, filter := range filters {
		if asked.Result()[filter] > 2 { // 0x80: MQTT 3.1.1 section 3.9.3
			return fmt.Errorf("subscribe to %s: the broker refuses", filter)
		}
	}
	return nil
}

// Alone does something while nothing is heard.
func (c *Connection) Alone(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

// Abandon is for a connection whose context has ended while the will's words were not said: the broker is to say them,
// so the connection is broken off, unless another one follows. It returns why the context has ended.
func (c *Connection) Abandon(ctx context.Context) error {
	cause := context.Cause(ctx)
	if !errors.Is(cause, ErrRenew) {
		c.drop()
	}
	return cause
}

// drop breaks the connection off.
func (c *Connection) drop() {
	if conn := c.conn.Load(); conn != nil {
		_ = (*conn).Close() // what can fail here is a connection that is gone already
	}
}

// end says good-bye, where there is still somebody to say it to.
func (c *Connection) end() {
	c.client.Disconnect(uint(farewell.Milliseconds()))
	c.drop()
	c.Alone(func() { c.over = true })
}

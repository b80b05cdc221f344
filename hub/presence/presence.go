// Package presence shows over MQTT that an agent is there: as long as it runs its status says online, and when it
// leaves, or is gone without a word, its status says offline.
//
// What the status says besides is the caller's concern. An agent node knows nothing of MQTT: whoever assembles the program
// gives this to it as its port.
package presence

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"

	"github.com/rs/zerolog"

	"truechimer/hub/mqttlink"
	"truechimer/messages/topic"
)

// Options are what a Presence needs.
type Options struct {
	URL  string      // of the broker: see mqttlink.Access
	TLS  *tls.Config // nil: the system's roots
	Env  string      // the deployment mode: devel, test, prod
	Name string      // the agent's

	// Token makes the password of each connection, a fresh one each time. A connection is renewed before its token
	// expires, and nobody hears of that.
	Token func() (string, error)

	Online  []byte // what the status says while the agent is there
	Offline []byte // what it says afterwards
	Log     zerolog.Logger
}

// Presence is an agent that is there.
type Presence struct {
	online  mqttlink.Message
	offline mqttlink.Message

	leave   chan struct{} // closed when it is time for the last word
	leaving sync.Once
	stop    context.CancelFunc
	gone    chan struct{} // closed when there is no connection any more, and will be none
	parted  bool          // the last word was taken; to be read once it is gone
}

// Start returns at once. The status is published as soon as there is a connection, and again after each that was
// lost; a broker that can't be reached, or refuses, is tried for ever. The error says what is wrong with the options.
func Start(options Options) (*Presence, error) {
	status, err := topic.Status(options.Env, options.Name)
	if err != nil {
		return nil, fmt.Errorf("show the agent's presence: %w", err)
	}
	said := func(payload []byte) mqttlink.Message {
		return mqttlink.Message{Topic: status, QoS: 1, Retained: true, Payload: payload}
	}
	p := &Presence{
		online: said(options.Online), offline: said(options.Offline),
		leave: make(chan struct{}), gone: make(chan struct{}),
	}
	link, err := mqttlink.New(mqttlink.Options{
		Access: mqttlink.Access{
			URL: options.URL, TLS: options.TLS, ClientID: options.Name, User: options.Name, Token: options.Token,
		},
		Will: &p.offline,
		Log:  options.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("show the agent's presence: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() {
		defer close(p.gone)
		link.Hold(ctx, p.serve, func(error) {})
	}()
	return p, nil
}

// Close says that the agent leaves. When ctx ends first the connection is broken off, so that the broker says it.
func (p *Presence) Close(ctx context.Context) error {
	p.leaving.Do(func() { close(p.leave) })
	select {
	case <-p.gone:
	case <-ctx.Done():
	}
	p.stop()
	<-p.gone
	if !p.parted {
		return errors.New("end the agent's presence: the broker has not heard that it left")
	}
	return nil
}

// serve is present over one connection.
func (p *Presence) serve(ctx context.Context, c *mqttlink.Connection) error {
	if err := say(ctx, c, p.online); err != nil {
		return err
	}
	select {
	case <-p.leave:
		if err := say(ctx, c, p.offline); err != nil {
			return err
		}
		p.parted = true
		p.stop()
		return nil
	case err := <-c.Lost():
		return fmt.Errorf("hold the connection: %w", err)
	case <-ctx.Done():
		return c.Abandon(ctx)
	}
}

// say waits until the broker has taken a message.
func say(ctx context.Context, c *mqttlink.Connection, m mqttlink.Message) error {
	receipt := c.Send(m)
	select {
	case <-receipt.Done():
		if err := receipt.Error(); err != nil {
			return fmt.Errorf("publish the status: %w", err)
		}
		return nil
	case err := <-c.Lost():
		return fmt.Errorf("publish the status: %w", err)
	case <-ctx.Done():
		return c.Abandon(ctx)
	}
}

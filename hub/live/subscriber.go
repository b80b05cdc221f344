package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"

	"truechimer/hub/mqttlink"
)

// Subscription is what a Subscriber needs.
type Subscription struct {
	Access
	Filters []string // the topics to hear, with MQTT's wildcards
	QoS     byte     // 0 or 1; with 1, mosquitto 2.0.11 hands over about a thousand retained messages and drops the rest
	Log     zerolog.Logger

	// OnMessage gets every message, one at a time. While it doesn't return nothing more is heard, and a broker may
	// lose patience. After each connection the retained messages come again.
	OnMessage func(Message)

	// OnState is called with nil when there is a connection and all filters are subscribed to, and with the reason
	// when there is none, also after each attempt that failed. Never at the same time as OnMessage. May be nil.
	OnState func(err error)
}

// Subscriber hears what is said on some topics.
type Subscriber struct {
	filters []string
	qos     byte
	onState func(error)
	leave   context.CancelFunc
	gone    chan struct{}
}

// Subscribe returns at once with a subscriber that connects, and connects again, until it is closed or ctx ends.
// The error says what is wrong with the URL or the filters; a broker that can't be reached, or refuses, is tried
// for ever.
func Subscribe(ctx context.Context, subscription Subscription) (*Subscriber, error) {
	if len(subscription.Filters) == 0 {
		return nil, errors.New("subscribe: no topics")
	}
	link, err := mqttlink.New(mqttlink.Options{
		Access: subscription.Access, Hear: subscription.OnMessage, Log: subscription.Log,
	})
	if err != nil {
		return nil, err
	}
	ctx, leave := context.WithCancel(ctx)
	s := &Subscriber{
		filters: subscription.Filters, qos: subscription.QoS, onState: subscription.OnState,
		leave: leave, gone: make(chan struct{}),
	}
	if s.onState == nil {
		s.onState = func(error) {}
	}
	go func() {
		defer close(s.gone)
		link.Hold(ctx, s.serve, s.onState)
	}()
	return s, nil
}

// Close ends it. When it returns, nothing is called any more.
func (s *Subscriber) Close() {
	s.leave()
	<-s.gone
}

// serve hears what comes over one connection.
func (s *Subscriber) serve(ctx context.Context, c *mqttlink.Connection) error {
	if err := c.Subscribe(ctx, s.filters, s.qos); err != nil {
		return err
	}
	c.Alone(func() { s.onState(nil) })
	select {
	case err := <-c.Lost():
		return fmt.Errorf("hold the connection: %w", err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

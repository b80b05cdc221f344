// Package live is the hub's voice and a watcher's ear on MQTT: a Publisher that never makes its caller wait, and a
// Subscriber. Both come back by themselves when a connection breaks, and say when they have one.
//
// What the messages say, and on which topics, is their callers' concern. What is retained is kept by the caller too:
// a broker that comes back may have forgotten everything.
package live

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"truechimer/hub/mqttlink"
)

// Access is how a client gets in at a broker.
type Access = mqttlink.Access

// Message is something said on a topic.
type Message = mqttlink.Message

// Options are what a Publisher needs.
type Options struct {
	Access
	Will *Message // said by the broker when the connection breaks, and by Close; nil: nothing is said
	Log  zerolog.Logger

	// OnUp is called whenever there is a connection again, before anything is sent over it: the broker may have
	// forgotten what was retained, so it is time to publish that again. It should return soon, and may be called
	// before Dial has returned. May be nil.
	OnUp func()
}

// Publisher publishes. Its methods may be called from any goroutine.
type Publisher struct {
	will  *Message
	box   *outbox
	onUp  func()
	leave context.CancelFunc
	gone  chan struct{} // closed when there is no connection any more, and will be none
}

// Dial returns at once with a publisher that connects, and connects again, until it is closed or ctx ends. When ctx
// ends first the broker publishes the will. The error says what is wrong with the URL; a broker that can't be
// reached, or refuses, is tried for ever.
func Dial(ctx context.Context, options Options) (*Publisher, error) {
	link, err := mqttlink.New(mqttlink.Options{Access: options.Access, Will: options.Will, Log: options.Log})
	if err != nil {
		return nil, err
	}
	ctx, leave := context.WithCancel(ctx)
	p := &Publisher{will: options.Will, box: newOutbox(), onUp: options.OnUp, leave: leave, gone: make(chan struct{})}
	go func() {
		defer close(p.gone)
		link.Hold(ctx, p.serve, func(error) {})
	}()
	return p, nil
}

// Publish hands a message over without ever waiting. What it takes is sent as soon as the broker takes it, and again
// if a connection breaks before it was acknowledged; a retained message with QoS 1 gives way to a newer one on its
// topic. The error says why it was not taken: ErrDown, ErrFull, ErrTooLarge or ErrClosed; that is counted too.
// The payload must not be changed afterwards.
func (p *Publisher) Publish(topic string, qos byte, retained bool, payload []byte) error {
	if err := p.box.add(Message{Topic: topic, QoS: qos, Retained: retained, Payload: payload}); err != nil {
		return fmt.Errorf("publish on %s: %w", topic, err)
	}
	return nil
}

// Counts tells what became of the messages.
func (p *Publisher) Counts() Counts {
	return p.box.read()
}

// Close sends what still waits and the will's words, and says good-bye. When ctx ends first the connection is broken
// off, so that the broker says those words, and the error tells how much was not sent.
func (p *Publisher) Close(ctx context.Context) error {
	p.box.close(p.will)
	select {
	case <-p.box.drained:
	case <-p.gone:
	case <-ctx.Done():
	}
	p.leave()
	<-p.gone
	if left := p.box.read().Waiting; left > 0 {
		return fmt.Errorf("close the mqtt publisher: %d messages were not sent", left)
	}
	return nil
}

// serve sends what is in the outbox over one connection.
func (p *Publisher) serve(ctx context.Context, c *mqttlink.Connection) error {
	p.box.connected()
	defer p.box.down()
	if p.onUp != nil {
		p.onUp()
	}
	var flying []mqttlink.Receipt // in the order of the outbox
	for {
		for m, ok := p.box.next(); ok; m, ok = p.box.next() {
			flying = append(flying, c.Send(m))
		}
		var landed <-chan struct{}
		if len(flying) > 0 {
			landed = flying[0].Done()
		}
		select {
		case <-p.box.ready:
		case <-landed:
			if err := flying[0].Error(); err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			flying = flying[1:]
			p.box.landed()
		case err := <-c.Lost():
			return fmt.Errorf("hold the connection: %w", err)
		case <-ctx.Done():
			if p.box.isDrained() {
				return context.Cause(ctx)
			}
			return c.Abandon(ctx)
		}
	}
}

// Package broker is an MQTT 3.1.1 broker inside the hub, for an installation that needs no other one: mochi-mqtt
// behind a guard that admits clients by token, keeps each to its rights, and sees to it that none can stop the
// process, fill its memory, or hold up another.
//
// A session ends with its connection, whatever the client asks for: a client that comes back subscribes again and
// is given the retained messages. While it is connected it gets every message that it may have, in order; one that
// can't keep up is cut off, never left with a gap. Nothing is kept on disk: who publishes retained state publishes
// it again when the broker comes back.
package broker

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"math"
	"net"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/rs/zerolog"

	"truechimer/hub/token"
)

// Options say where to listen and whom to let in.
type Options struct {
	Listen string          // host:port; port 0 takes any free one
	TLS    *tls.Config     // nil: in the clear, which is for loopback alone, since passwords pass here
	Keys   *token.Verifier // tells which passwords are good
	Log    zerolog.Logger
}

// Broker is a running broker.
type Broker struct {
	options  Options
	limits   limits
	server   *mqtt.Server
	guard    *guard
	listener net.Listener
	slots    chan struct{} // one is taken by each connection

	closing chan struct{}
	shut    chan struct{} // closed when the door is
	close   sync.Once
	work    sync.WaitGroup // the connections

	mu    sync.Mutex
	conns map[*conn]struct{}
}

// Start opens the port and serves until Close. The error says why the port can't be had.
func Start(options Options) (*Broker, error) {
	listener, err := net.Listen("tcp", options.Listen)
	if err != nil {
		return nil, fmt.Errorf("open the port of the MQTT broker: %w", err)
	}
	return serve(listener, options, defaultLimits())
}

func serve(listener net.Listener, options Options, limits limits) (*Broker, error) {
	b := &Broker{
		options:  options,
		limits:   limits,
		server:   newServer(limits),
		listener: listener,
		slots:    make(chan struct{}, limits.connections),
		closing:  make(chan struct{}),
		shut:     make(chan struct{}),
		conns:    make(map[*conn]struct{}),
	}
	b.guard = newGuard(b.server, options, limits)
	if err := b.server.AddHook(b.guard, nil); err != nil {
		return nil, fmt.Errorf("guard the MQTT broker: %w", err)
	}
	if err := b.server.Serve(); err != nil {
		return nil, fmt.Errorf("start the MQTT broker: %w", err)
	}
	go b.keepTheDoor()
	options.Log.Info().Str("address", b.Addr().String()).Bool("tls", options.TLS != nil).Msg("mqtt broker listens")
	return b, nil
}

// Addr is where the broker listens.
func (b *Broker) Addr() net.Addr {
	return b.listener.Addr()
}

// Counts tells what the guard has seen since the start.
func (b *Broker) Counts() Counts {
	return b.guard.counts.read()
}

// Close ends all connections, closes the port, and returns when nothing of the broker runs any more.
func (b *Broker) Close() error {
	var err error
	b.close.Do(func() {
		close(b.closing)
		err = b.listener.Close()
		<-b.shut
		b.mu.Lock()
		for c := range b.conns {
			_ = c.Close() // it reports nothing: what is left to send is sent in the background
		}
		b.mu.Unlock()
		b.work.Wait()
		_ = b.server.Close() // it never fails, and its clients are gone
	})
	if err != nil {
		return fmt.Errorf("close the port of the MQTT broker: %w", err)
	}
	return nil
}

// newServer is mochi with no port and no hook of its own.
func newServer(limits limits) *mqtt.Server {
	capabilities := mqtt.NewDefaultServerCapabilities()
	capabilities.MaximumQos = maxQoS
	capabilities.MaximumPacketSize = maxPacket
	capabilities.MaximumClientWritesPending = maxPending
	capabilities.SharedSubAvailable = 0
	capabilities.TopicAliasMaximum = 0
	// Retained messages say how something is, however long ago it became so; mochi would drop them after a day.
	capabilities.MaximumMessageExpiryInterval = 0
	// The guard removes clients itself; mochi's own removal may hit one that has just come back.
	capabilities.MaximumSessionExpiryInterval = math.MaxUint32
	return mqtt.New(&mqtt.Options{
		Capabilities: capabilities,
		// Its log repeats what the guard logs, and messages with it.
		Logger: slog.New(slog.DiscardHandler),
		// The topics under $SYS are granted to nobody, so they are refreshed as rarely as can be.
		SysTopicResendInterval: math.MaxInt32,
	})
}

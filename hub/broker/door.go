package broker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"time"
)

// keepTheDoor lets connections in until the broker closes. Nothing else ends it: when the system runs out of
// descriptors it waits for some to be free again.
func (b *Broker) keepTheDoor() {
	defer close(b.shut)
	pause := firstAcceptPause
	for {
		raw, err := b.listener.Accept()
		if err == nil {
			pause = firstAcceptPause
			b.welcome(raw)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		b.options.Log.Error().Err(err).Int64("pause_ms", pause.Milliseconds()).Msg("mqtt broker can't accept a connection")
		select {
		case <-b.closing:
			return
		case <-time.After(pause):
			pause = min(2*pause, longestAcceptPause)
		}
	}
}

// welcome serves a connection if there is a place for it.
func (b *Broker) welcome(raw net.Conn) {
	select {
	case b.slots <- struct{}{}:
	default:
		b.guard.counts.refused.Add(1)
		b.options.Log.Warn().Str("remote", raw.RemoteAddr().String()).Msg("mqtt broker is full")
		_ = raw.Close() // there is nobody to tell
		return
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(kernelBuffer) // without it the system chooses, which is as good but for memory
	}
	secured := raw
	if b.options.TLS != nil {
		secured = tls.Server(raw, b.options.TLS)
	}
	c := newConn(raw, secured, b.limits)
	b.mu.Lock()
	b.conns[c] = struct{}{}
	b.mu.Unlock()
	b.work.Go(func() { b.serve(c) })
}

// serve runs a connection from its first byte to its last.
func (b *Broker) serve(c *conn) {
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		c.sendAll()
	}()
	err := b.establish(c)
	b.guard.left(c, err)
	close(c.ended)

	_ = c.Close() // it reports nothing
	<-sending
	b.mu.Lock()
	delete(b.conns, c)
	b.mu.Unlock()
	<-b.slots
}

// establish hands a connection to mochi, which returns when it is over. A panic there, from a packet that its
// decoder can't stomach, costs this connection and not the process.
func (b *Broker) establish(c *conn) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			b.guard.counts.panics.Add(1)
			b.options.Log.Error().Str("remote", c.RemoteAddr().String()).Any("cause", cause).
				Bytes("stack", debug.Stack()).Msg("mqtt client made the broker panic")
			b.guard.publishWill(c)
			err = fmt.Errorf("serve a connection: panic: %v", cause)
		}
	}()
	if err := c.SetReadDeadline(time.Now().Add(b.limits.connect)); err != nil {
		return fmt.Errorf("bound the wait for the first packet: %w", err)
	}
	return b.server.EstablishConnection("door", c)
}

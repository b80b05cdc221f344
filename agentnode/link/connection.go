package link

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// Why a connection ended, where it is we who ended it.
var (
	errClosed = errors.New("closed")
	errSilent = errors.New("the hub doesn't say welcome")
	errFull   = errors.New("the hub doesn't read")
	errLinger = errors.New("the hub doesn't take what was left to say")
)

// connection is one life of the link, from the dial to its end.
type connection struct {
	cancel context.CancelCauseFunc // ends it at once
	out    chan []byte             // frames that wait to be sent; closed when there will be no more
	ended  chan struct{}           // closed when it has, and whoever dialled was told

	mu    sync.Mutex
	stage stage
}

// stage is how far a connection has come.
type stage int

const (
	dialling stage = iota // there is nobody to talk to yet
	up                    // the hub has spoken, and may be spoken to
	ending                // what was sent before leaves; nothing else is heard or said
)

func newConnection(cancel context.CancelCauseFunc) *connection {
	return &connection{cancel: cancel, out: make(chan []byte, queueLength), ended: make(chan struct{})}
}

// listen tells whether what the hub says is still to be heard. Its first word makes the connection one that is up.
func (c *connection) listen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stage == dialling {
		c.stage = up
	}
	return c.stage == up
}

// send queues a frame. One that there is no room for ends the connection.
func (c *connection) send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stage != up {
		return
	}
	select {
	case c.out <- frame:
	default:
		c.cancel(errFull)
	}
}

// close ends the connection after what was sent, at the latest after linger; a dial that is under way at once.
func (c *connection) close(linger time.Duration) {
	switch c.finish() {
	case dialling:
		c.cancel(errClosed)
	case up:
		time.AfterFunc(linger, func() { c.cancel(errLinger) })
	}
}

// finish takes nothing more to be sent, and tells the stage that the connection was at.
func (c *connection) finish() (was stage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was = c.stage
	if was != ending {
		c.stage = ending
		close(c.out)
	}
	return was
}

// write sends what is queued, until there will be no more or the stream is broken.
func (c *connection) write(stream grpc.ClientStream) {
	for frame := range c.out {
		if stream.SendMsg(&frame) != nil {
			return
		}
	}
	_ = stream.CloseSend() // it fails where the stream has ended, of which the reader knows too
}

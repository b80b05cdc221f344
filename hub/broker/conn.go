package broker

import (
	"errors"
	"net"
	"sync"
	"time"
)

// errCut is what mochi is told when it writes to a connection that is closed.
var errCut = errors.New("the connection is closed")

// conn is one client's connection. It never makes the writer wait: mochi writes while it holds locks that other
// clients' messages need, so one client that stops reading would hold up all. What is written goes into a bounded
// queue, which a goroutine of the connection's own sends.
type conn struct {
	net.Conn          // the connection, with TLS where that is spoken
	raw      net.Conn // the same without TLS: to close it never waits
	limits   limits

	// session is who is at the other end; nil until the guard has admitted it. Set once, by the goroutine that
	// reads, before any other knows of the client.
	session *session

	ended chan struct{} // closed when mochi has done with the connection

	mu      sync.Mutex
	changed sync.Cond // something below has
	queue   []byte    // not sent yet
	unsent  int       // bytes in queue and in the hands of send
	pending int       // messages that wait in mochi's queue to be encoded
	closed  bool      // no more writes; what is queued may still leave until the deadline
	until   time.Time // the deadline once closed
	reason  string    // why it was cut off; empty where it wasn't
}

func newConn(raw, secured net.Conn, limits limits) *conn {
	c := &conn{Conn: secured, raw: raw, limits: limits, ended: make(chan struct{})}
	c.changed.L = &c.mu
	return c
}

// Write queues bytes for the client. One whose queue is full doesn't keep up, and is cut off.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	full := !c.closed && c.unsent+len(p) > c.limits.queue
	if !c.closed && !full {
		c.queue = append(c.queue, p...)
		c.unsent += len(p)
		c.changed.Broadcast()
		c.mu.Unlock()
		return len(p), nil
	}
	c.mu.Unlock()
	if full {
		c.cut("does not keep up")
	}
	return 0, errCut
}

// SetDeadline is what mochi bounds the client's silence with. Writing has its own deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	return c.SetReadDeadline(t)
}

// Close ends the connection after what is queued has left, if that doesn't take long. It doesn't wait for it.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.until = time.Now().Add(farewell)
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0)) // whoever reads returns at once
		c.changed.Broadcast()
	}
	return nil
}

// cut ends the connection at once, for a reason that is logged. To mochi it is a lost connection: the client's
// will is published, as it must be.
func (c *conn) cut(reason string) {
	c.mu.Lock()
	if !c.closed {
		c.reason = reason
	}
	c.closed = true
	c.until = time.Unix(1, 0)
	c.queue = nil
	c.changed.Broadcast()
	c.mu.Unlock()
	_ = c.raw.Close() // what can fail here is a connection that is gone already
}

// cutFor is why the connection was cut off; empty where it wasn't.
func (c *conn) cutFor() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}

func (c *conn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// sendAll sends what is queued until the connection is closed and its queue is empty.
func (c *conn) sendAll() {
	defer c.Conn.Close()
	for {
		batch := c.take()
		if batch == nil {
			return
		}
		for len(batch) > 0 {
			n := min(chunk, len(batch))
			if err := c.send(batch[:n]); err != nil {
				c.cut("takes nothing")
				return
			}
			batch = batch[n:]
		}
	}
}

// take waits for something to send; nil when nothing will come any more.
func (c *conn) take() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) == 0 && !c.closed {
		c.changed.Wait()
	}
	batch := c.queue
	c.queue = nil
	return batch
}

func (c *conn) send(p []byte) error {
	deadline := time.Now().Add(c.limits.stall)
	c.mu.Lock()
	if c.closed && c.until.Before(deadline) {
		deadline = c.until
	}
	c.mu.Unlock()
	if err := c.SetWriteDeadline(deadline); err != nil {
		return err
	}
	_, err := c.Conn.Write(p)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsent -= len(p)
	c.changed.Broadcast()
	return err
}

// reserve takes a place in mochi's queue for a message, and waits for one if there is none. It tells whether the
// client is still there to get it. Whoever publishes waits here, but never for the network: the queue is emptied by
// encoding, and what is encoded is written without waiting.
func (c *conn) reserve() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && c.pending >= maxPending {
		c.changed.Wait()
	}
	c.pending++
	return !c.closed
}

// release gives back places of messages that have left mochi's queue.
func (c *conn) release(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending -= n
	c.changed.Broadcast()
}

// drain waits until little is left to send.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && c.unsent > c.limits.queue/4 {
		c.changed.Wait()
	}
}

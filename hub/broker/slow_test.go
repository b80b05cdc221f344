package broker

import (
	"fmt"
	"net"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"truechimer/hub/token"
)

// A reader that stops reading is cut off, whatever the quality of service; meanwhile nobody waits for it, and
// everybody else gets every message in order.
func TestAStuckReaderIsNobodyElsesProblem(t *testing.T) {
	for qos := range byte(2) {
		t.Run(fmt.Sprintf("QoS %d", qos), func(t *testing.T) {
			h := open(t, func(_ *Options, l *limits) { l.stall = 300 * time.Millisecond })
			hub := h.connect(h.hub("h1"))
			others := []<-chan paho.Message{
				h.subscribe(h.connect(h.watcher("w1")), "/test/servers/#", 0),
				h.subscribe(h.connect(h.watcher("w2")), "/test/servers/#", 1),
			}
			stuck := h.rawClient("watch/stuck", h.grant(token.ForWatcher("test", "stuck")), nil)
			shrink(t, stuck)
			h.subscribeRaw(stuck, "/test/servers/#", qos)
			s := h.session("watch/stuck")

			sent, worst := 0, time.Duration(0)
			for cut := false; !cut; {
				select {
				case <-s.conn.ended:
					cut = true
				default:
				}
				start := time.Now()
				h.publish(hub, "/test/servers/192.0.2.1/sample/a1", false, fmt.Sprintf("%d %2000d", sent, 0))
				worst = max(worst, time.Since(start))
				sent++
			}
			for _, messages := range others {
				for i := range sent {
					h.hears(messages, "/test/servers/192.0.2.1/sample/a1", fmt.Sprintf("%d %2000d", i, 0))
				}
			}
			if worst >= h.limits.stall {
				t.Errorf("a message took %s while one reader was stuck", worst)
			}
			t.Logf("cut off after %d messages; the slowest took %s", sent, worst)
		})
	}
}

// A reader that takes nothing is cut off even when little waits for it.
func TestAReaderThatTakesNothingIsCut(t *testing.T) {
	h := open(t, func(_ *Options, l *limits) { l.stall = 50 * time.Millisecond })
	hub := h.connect(h.hub("h1"))
	near, stuck := net.Pipe() // it holds nothing: what isn't read isn't sent
	defer stuck.Close()
	h.welcome(near)
	h.introduce(stuck, "watch/w1", h.grant(token.ForWatcher("test", "w1")), nil)
	h.subscribeRaw(stuck, "/test/servers/#", 0)
	s := h.session("watch/w1")
	h.publish(hub, "/test/servers/192.0.2.1/score", false, "1")
	select {
	case <-s.conn.ended:
	case <-time.After(patience):
		t.Error("the reader is still there")
	}
}

// shrink makes the system hold little for a client, so that it is soon found not to read.
func shrink(t *testing.T, raw net.Conn) {
	t.Helper()
	if err := raw.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
}

// A reader that is slow, but reads, gets all retained messages, of which there may be far more than fit into any
// queue, and is not cut off.
func TestASlowReaderGetsAllThatIsRetained(t *testing.T) {
	const servers = 6000
	h := open(t, func(_ *Options, l *limits) { l.queue = 64 << 10 })
	hub := h.connect(h.hub("h1"))
	var last paho.Token
	for i := range servers {
		last = hub.Publish(fmt.Sprintf("/test/servers/10.0.%d.%d/score", i/256, i%256), 1, true, fmt.Sprintf("%300d", i))
	}
	h.done(last)
	for qos := range byte(2) {
		near, slow := net.Pipe() // it holds nothing: what isn't read isn't sent
		h.welcome(near)
		h.introduce(slow, "watch/w1", h.grant(token.ForWatcher("test", "w1")), nil)
		h.subscribeRaw(slow, "/test/servers/#", qos)
		seen := map[string]bool{}
		for len(seen) < servers {
			m := h.receive(slow).(*packets.PublishPacket)
			if !m.Retain || m.Qos != qos || seen[m.TopicName] {
				t.Fatalf("after %d: have %s, retained %v, QoS %d, seen before: %v", len(seen), m.TopicName, m.Retain, m.Qos, seen[m.TopicName])
			}
			seen[m.TopicName] = true
		}
		_ = slow.Close()
	}
}

// A burst that is larger than mochi's own queue reaches a reader whole, since encoding never waits for the network.
func TestABurstArrivesWhole(t *testing.T) {
	const burst = 8192
	h := open(t, nil)
	hub := h.connect(h.hub("h1"))
	heard := h.subscribe(h.connect(h.watcher("w1")), "/test/servers/#", 0)
	for i := range burst {
		hub.Publish("/test/servers/192.0.2.1/sample/a1", 0, false, fmt.Sprint(i))
	}
	for i := range burst {
		h.hears(heard, "/test/servers/192.0.2.1/sample/a1", fmt.Sprint(i))
	}
}

// What waits for one client is bounded, and one that lets it grow so far is cut off.
func TestWhatWaitsIsBounded(t *testing.T) {
	near, far := net.Pipe() // nobody reads
	defer far.Close()
	c := newConn(near, near, defaultLimits())
	written := 0
	for {
		n, err := c.Write(make([]byte, 1000))
		if err != nil {
			break
		}
		if written += n; written > c.limits.queue {
			t.Fatalf("%d bytes wait, want at most %d", written, c.limits.queue)
		}
	}
	if why := c.cutFor(); why != "does not keep up" {
		t.Errorf("cut off for %q", why)
	}
	if written < c.limits.queue-1000 {
		t.Errorf("cut off after %d bytes, want %d", written, c.limits.queue)
	}
}

// The last words to a client that is refused, or said good-bye to, still leave.
func TestTheLastWordsLeave(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	c := newConn(near, near, defaultLimits())
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		c.sendAll()
	}()
	if _, err := c.Write([]byte("no")); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if _, err := c.Write([]byte("more")); err == nil {
		t.Error("a closed connection takes more")
	}
	heard := make([]byte, 10)
	n, err := far.Read(heard)
	if err != nil || string(heard[:n]) != "no" {
		t.Errorf("heard %q, error %v", heard[:n], err)
	}
	select {
	case <-sent:
	case <-time.After(patience):
		t.Fatal("the connection never ends")
	}
}

// A peer that doesn't take the last words doesn't keep its place for long.
func TestTheLastWordsDontTakeLong(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	c := newConn(near, near, defaultLimits())
	if _, err := c.Write([]byte("no")); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	start := time.Now()
	c.sendAll()
	if took := time.Since(start); took < farewell/2 || took > 5*farewell {
		t.Errorf("it took %s, want about %s", took, farewell)
	}
}

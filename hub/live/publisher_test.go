package live_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"truechimer/hub/live"
	"truechimer/hub/token"
)

const (
	score     = "/test/servers/192.0.2.1/score"
	sample    = "/test/servers/192.0.2.1/sample/a1"
	selection = "/test/servers/192.0.2.1/selection"
	status    = "/test/hubs/h1/status"
)

func offline() *live.Message {
	return &live.Message{Topic: status, QoS: 1, Retained: true, Payload: []byte("offline")}
}

func publish(t *testing.T, p *live.Publisher, topic string, qos byte, retained bool, payload string) {
	t.Helper()
	if err := p.Publish(topic, qos, retained, []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

func up(p *live.Publisher) func() bool {
	return func() bool { return p.Counts().Up }
}

// What is published is heard, whatever its quality of service.
func TestWhatIsPublishedIsHeard(t *testing.T) {
	h := newHouse(t).open()
	leavesNothingRunning(h)
	e, _ := h.listen("w1", "/test/servers/#")
	e.isUp()
	p := h.dial(live.Options{Access: h.hub()})
	h.until("the publisher is up", up(p))
	publish(t, p, score, 1, true, "19.5")
	publish(t, p, sample, 0, false, "0.001")
	publish(t, p, selection, 1, false, "active")
	e.hears(score, "19.5", false)
	e.hears(sample, "0.001", false)
	e.hears(selection, "active", false)
	late, _ := h.listen("w2", "/test/servers/#")
	late.hears(score, "19.5", true)
	h.until("all is acknowledged", func() bool { return p.Counts() == live.Counts{Sent: 3, Up: true} })
}

// A broker that isn't there yet is waited for; until it comes the newest states are kept, and what is lost is counted.
func TestABrokerThatComesLater(t *testing.T) {
	h := newHouse(t)
	e, _ := h.listen("w1", "/test/servers/#")
	p := h.dial(live.Options{Access: h.hub()})
	for i := range 1000 {
		publish(t, p, score, 1, true, fmt.Sprint(i))
	}
	if err := p.Publish(sample, 0, false, nil); !errors.Is(err, live.ErrDown) {
		t.Errorf("have error %v, want %v", err, live.ErrDown)
	}
	publish(t, p, selection, 1, false, "active")
	e.isDown()
	h.open()
	e.isUp()
	for m := e.next(); m.Topic != score; m = e.next() {
		if m.Topic != selection {
			t.Errorf("heard %q on %s", m.Payload, m.Topic)
		}
	}
	h.until("all is acknowledged", func() bool {
		return p.Counts() == live.Counts{Sent: 2, Conflated: 999, Dropped: 1, Up: true}
	})
}

// When the broker comes back it has forgotten what was retained; on each connection there is a word to the caller,
// who says it again from his own memory, and those who come later hear it.
func TestStateIsRepublishedAfterABrokersRestart(t *testing.T) {
	h := newHouse(t).open()
	leavesNothingRunning(h)
	var ups atomic.Int64
	var p *live.Publisher
	ready := make(chan struct{})
	p = h.dial(live.Options{Access: h.hub(), OnUp: func() {
		<-ready // until p is set
		ups.Add(1)
		_ = p.Publish(score, 1, true, []byte(fmt.Sprint("up ", ups.Load()))) // it never refuses a state
	}})
	close(ready)
	e, _ := h.listen("w1", score)
	for i := range 3 {
		e.isUp()
		h.until("the state is published", func() bool { return ups.Load() == int64(i+1) && p.Counts().Waiting == 0 })
		late, s := h.listen("w2", score)
		late.hears(score, fmt.Sprint("up ", i+1), true)
		s.Close()
		h.close()
		e.isDown()
		h.open()
	}
}

// A publisher says the will's words when it leaves, and the broker has no reason to repeat them.
func TestCloseSaysTheLastWords(t *testing.T) {
	h := newHouse(t).open()
	leavesNothingRunning(h)
	e, _ := h.listen("w1", "/test/hubs/+/status")
	e.isUp()
	p := h.dial(live.Options{Access: h.hub(), Will: offline()})
	publish(t, p, status, 1, true, "online")
	e.hears(status, "online", false)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := p.Publish(status, 1, true, nil); !errors.Is(err, live.ErrClosed) {
		t.Errorf("have error %v, want %v", err, live.ErrClosed)
	}
	e.hears(status, "offline", false)
	next := h.dial(live.Options{Access: h.hub()})
	publish(t, next, status, 1, true, "online again")
	e.hears(status, "online again", false) // and not "offline" twice
}

// A publisher that ends without a farewell, since its context did, is reported by the broker.
func TestTheBrokerSaysTheWill(t *testing.T) {
	h := newHouse(t).open()
	e, _ := h.listen("w1", status)
	e.isUp()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := live.Dial(ctx, live.Options{Access: h.hub(), Will: offline()})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, p, status, 1, true, "online")
	e.hears(status, "online", false)
	cancel()
	e.hears(status, "offline", false)
}

// A publisher that can't say its last words in time leaves them to the broker, and says how much was not sent.
func TestCloseDoesNotWaitForEver(t *testing.T) {
	h := newHouse(t)
	p := h.dial(live.Options{Access: h.hub(), Will: offline()})
	publish(t, p, score, 1, true, "1")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := p.Close(ctx)
	if want := "close the mqtt publisher: 2 messages were not sent"; err == nil || err.Error() != want {
		t.Errorf("have error %v, want %s", err, want)
	}
}

// A connection is renewed with a fresh token before the old one expires. Nobody is told that the hub was gone, and
// no state is lost.
func TestTokensAreRenewedInSilence(t *testing.T) {
	h := newHouse(t).open()
	e, _ := h.listen("w1", status, score)
	e.isUp()
	grant, err := token.ForHub("test", "h1")
	var ups atomic.Int64
	p := h.dial(live.Options{
		Access: h.access(3*time.Second, grant, err), Will: offline(), OnUp: func() { ups.Add(1) },
	})
	publish(t, p, status, 1, true, "online")
	e.hears(status, "online", false)
	h.until("the connection has been renewed twice", func() bool { return ups.Load() == 3 })
	publish(t, p, score, 1, true, "1")
	e.hears(score, "1", false)
	if cut := h.broker.Counts().Cut; cut != 0 {
		t.Errorf("%d clients were cut off, want none", cut)
	}
}

// A token that can't be made, or that the broker refuses, is tried again.
func TestARefusalIsNotTheEnd(t *testing.T) {
	h := newHouse(t).open()
	access := h.hub()
	good := access.Token
	var attempts atomic.Int64
	access.Token = func() (string, error) {
		switch attempts.Add(1) {
		case 1:
			return "", errors.New("no key yet")
		case 2:
			return "guess", nil
		}
		return good()
	}
	p := h.dial(live.Options{Access: access})
	h.until("the third attempt succeeds", up(p))
	if have := attempts.Load(); have != 3 {
		t.Errorf("%d attempts, want 3", have)
	}
}

// Nobody waits for a broker that takes a connection and then nothing more.
func TestPublishNeverWaits(t *testing.T) {
	h := newHouse(t)
	deaf, err := net.Listen("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	held := make(chan net.Conn, 10)
	go func() {
		for conn, err := deaf.Accept(); err == nil; conn, err = deaf.Accept() {
			if _, err := packets.ReadPacket(conn); err != nil {
				return
			}
			_ = packets.NewControlPacket(packets.Connack).Write(conn)
			held <- conn
		}
	}()
	p := h.dial(live.Options{Access: h.hub()})
	h.until("the publisher is up", up(p))
	big := make([]byte, 30_000)
	worst := time.Duration(0)
	for i := range 20_000 {
		start := time.Now()
		_ = p.Publish(fmt.Sprint(selection, i%100), byte(i%2), i%4 == 1, big) // most of it is refused
		worst = max(worst, time.Since(start))
	}
	if worst > time.Second {
		t.Errorf("a message took %s", worst)
	}
	counts := p.Counts()
	if counts.Dropped == 0 || counts.Conflated == 0 || counts.Waiting == 0 {
		t.Errorf("have %+v, want all kinds of fates", counts)
	}
	(<-held).Close()
}

// A publisher that is in the middle of a connection attempt ends at once.
func TestCloseDuringAHandshake(t *testing.T) {
	h := newHouse(t)
	slow, err := net.Listen("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	p := h.dial(live.Options{Access: h.hub()})
	conn, err := slow.Accept() // and never a word
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

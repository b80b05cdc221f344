package world

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"pgregory.net/rapid"
)

// earshot is what one end of a connection hears.
type earshot struct {
	payloads []any
	closed   []error
	when     time.Time // of the end
}

func listen(w *World, c *Conn) *earshot {
	e := new(earshot)
	c.Handle(func(payload any) { e.payloads = append(e.payloads, payload) }, func(reason error) {
		e.closed, e.when = append(e.closed, reason), w.Now()
	})
	return e
}

// pair makes two connected nodes.
func pair(w *World) (near, far *Conn, nearHears, farHears *earshot) {
	near, far = w.Connect(w.NewNode("a"), w.NewNode("b"))
	return near, far, listen(w, near), listen(w, far)
}

// Whatever the network does, what arrives is the beginning of what was sent; all of it, unless the connection broke.
func TestConnectionsKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New(Config{Seed: rapid.Uint64().Draw(t, "seed")})
		near, _, nearHears, farHears := pair(w)
		var sent []any
		for range rapid.IntRange(1, 50).Draw(t, "acts") {
			switch rapid.IntRange(0, 9).Draw(t, "act") {
			case 0:
				w.Network.Cut("a", "b")
			case 1:
				w.Network.Mend("a", "b")
			case 2:
				near.Node().Pause()
			case 3:
				near.Node().Resume()
			case 4:
				if err := w.RunFor(time.Duration(rapid.IntRange(0, 30_000).Draw(t, "ms")) * time.Millisecond); err != nil {
					t.Fatal(err)
				}
			default:
				near.Send(len(sent))
				sent = append(sent, len(sent))
			}
		}
		w.Network.Mend("a", "b")
		near.Node().Resume()
		if err := w.RunFor(time.Hour); err != nil {
			t.Fatal(err)
		}
		broken := len(farHears.closed) > 0
		if broken != (len(nearHears.closed) > 0) || len(farHears.closed) > 1 {
			t.Fatalf("want both ends to hear of the end once, have %v and %v", nearHears.closed, farHears.closed)
		}
		if !broken && len(farHears.payloads) != len(sent) || len(farHears.payloads) > len(sent) {
			t.Fatalf("sent %d, broken %t, arrived %d", len(sent), broken, len(farHears.payloads))
		}
		if diff := cmp.Diff(sent[:len(farHears.payloads)], farHears.payloads); diff != "" && len(farHears.payloads) > 0 {
			t.Fatal(diff)
		}
	})
}

// What goes wrong with a connection, who hears of it, when and why.
func TestConnectionsEnd(t *testing.T) {
	const never = -1
	for _, test := range []struct {
		name         string
		wrong        func(w *World, near, far *Conn)
		mendAfter    time.Duration // undoes every cut, isolation and pause; 0 for never
		reason       error
		near, far    time.Duration // by when that end hears of it
		nearAtLeast  time.Duration
		wantPayloads int // that far gets of two, sent at 0 s and 15 s
	}{
		{name: "nothing wrong", near: never, far: never, wantPayloads: 2},
		{
			name: "broken", wrong: func(_ *World, near, _ *Conn) { near.Break() },
			reason: ErrLost, near: 60 * time.Millisecond, far: 60 * time.Millisecond,
		},
		{
			name: "closed", wrong: func(_ *World, near, _ *Conn) { near.Close() },
			reason: ErrClosed, near: never, far: 60 * time.Millisecond, wantPayloads: 1,
		},
		{
			name: "closed while cut", wrong: func(w *World, near, _ *Conn) { w.Network.Cut("a", "b"); near.Close() },
			reason: ErrTimeout, near: never, far: 40 * time.Second,
		},
		{
			name: "far crashed", wrong: func(_ *World, _, far *Conn) { far.Node().Crash() },
			reason: ErrLost, near: 60 * time.Millisecond, far: never,
		},
		{
			name: "far lost without a sign", wrong: func(w *World, _, far *Conn) { w.Network.Isolate("b"); far.Node().Crash() },
			reason: ErrTimeout, near: 40 * time.Second, far: never, nearAtLeast: 20 * time.Second,
		},
		{
			name: "far lost, then reachable", wrong: func(w *World, _, far *Conn) { w.Network.Isolate("b"); far.Node().Crash() },
			mendAfter: 10 * time.Second, reason: ErrLost, near: 10*time.Second + 60*time.Millisecond, far: never, nearAtLeast: 10 * time.Second,
		},
		{
			name: "cut one way for long", wrong: func(w *World, _, _ *Conn) { w.Network.Cut("a", "b") },
			reason: ErrTimeout, near: 40 * time.Second, far: 40 * time.Second, nearAtLeast: 20 * time.Second,
		},
		{
			name: "cut and mended", wrong: func(w *World, _, _ *Conn) { w.Network.Cut("a", "b") },
			mendAfter: 19 * time.Second, near: never, far: never, wantPayloads: 2,
		},
		{
			name: "far paused for long", wrong: func(_ *World, _, far *Conn) { far.Node().Pause() },
			mendAfter: time.Minute, reason: ErrTimeout, near: 40 * time.Second, far: 60 * time.Second, nearAtLeast: 20 * time.Second,
		},
		{
			name: "far paused", wrong: func(_ *World, _, far *Conn) { far.Node().Pause() },
			mendAfter: 19 * time.Second, near: never, far: never, wantPayloads: 2,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for seed := range uint64(20) {
				w := New(Config{Seed: seed})
				near, far, nearHears, farHears := pair(w)
				start := w.Now()
				near.Send(1)
				if test.wrong != nil {
					test.wrong(w, near, far)
				}
				w.After(15*time.Second, func() { near.Send(2) })
				if test.mendAfter > 0 {
					w.After(test.mendAfter, func() {
						w.Network.Mend("a", "b")
						w.Network.Rejoin("b")
						far.Node().Resume()
					})
				}
				run(t, w, time.Hour)
				wantEnd(t, "near", nearHears, start, test.reason, test.nearAtLeast, test.near)
				wantEnd(t, "far", farHears, start, test.reason, 0, test.far)
				if have := len(farHears.payloads); have != test.wantPayloads {
					t.Errorf("seed %d: want %d payloads, have %d", seed, test.wantPayloads, have)
				}
				if len(w.cables) > 0 != (test.reason == nil) {
					t.Errorf("have %d connections left", len(w.cables))
				}
			}
		})
	}
}

func wantEnd(t *testing.T, which string, e *earshot, start time.Time, reason error, least, most time.Duration) {
	t.Helper()
	if most < 0 {
		if len(e.closed) > 0 {
			t.Errorf("%s: want no end, have %v", which, e.closed)
		}
		return
	}
	if len(e.closed) != 1 || !errors.Is(e.closed[0], reason) {
		t.Errorf("%s: want one end, %v, have %v", which, reason, e.closed)
	}
	if after := e.when.Sub(start); after < least || after > most {
		t.Errorf("%s: want the end after %s to %s, have %s", which, least, most, after)
	}
}

// A node's end is its own: changing a protobuf after it was sent changes nothing on the other node.
func TestConnectionsCopyProtobufs(t *testing.T) {
	w := New(Config{})
	near, _, _, farHears := pair(w)
	message := wrapperspb.Int64(1)
	near.Send(message)
	message.Value = 2
	run(t, w, time.Second)
	if have := farHears.payloads[0].(*wrapperspb.Int64Value).Value; have != 1 {
		t.Errorf("want 1, have %d", have)
	}
}

// A call ends in one way, whatever is at the other end: a connection, or the reason why there is none.
func TestDial(t *testing.T) {
	for _, test := range []struct {
		name        string
		prepare     func(w *World, target *Node)
		want        error
		least, most time.Duration
	}{
		{"accepted", func(*World, *Node) {}, nil, 20 * time.Millisecond, 180 * time.Millisecond},
		{"no such node", func(_ *World, n *Node) { n.Crash() }, ErrRefused, 20 * time.Millisecond, 120 * time.Millisecond},
		{"no such service", func(_ *World, n *Node) { delete(n.services, "s") }, ErrRefused, 20 * time.Millisecond, 120 * time.Millisecond},
		{"no way there", func(w *World, _ *Node) { w.Network.Cut("a", "b") }, ErrUnreachable, 20 * time.Second, 21 * time.Second},
		{"no way back", func(w *World, _ *Node) { w.Network.Cut("b", "a") }, ErrUnreachable, 20 * time.Second, 21 * time.Second},
		{"paused for long", func(w *World, n *Node) { n.Pause(); w.After(time.Hour, n.Resume) }, ErrTimeout, 20 * time.Second, 41 * time.Second},
		{"crashed at the call", func(w *World, n *Node) {
			n.services["s"] = func(*Conn) { n.Crash() }
		}, ErrLost, 20 * time.Millisecond, 120 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			for seed := range uint64(20) {
				w := New(Config{Seed: seed})
				caller, target := w.NewNode("a"), w.NewNode("b")
				target.Listen("s", func(far *Conn) {
					far.Handle(nil, nil)
					far.Send("welcome")
				})
				test.prepare(w, target)
				var reasons []error
				var took time.Duration
				var hears *earshot
				caller.Dial("b", "s", func(near *Conn, err error) {
					reasons, took = append(reasons, err), w.Since()
					if near != nil && seed > 0 { // one caller forgets to listen
						hears = listen(w, near)
					}
				})
				run(t, w, 2*time.Hour)
				if len(reasons) != 1 || !errors.Is(reasons[0], test.want) {
					t.Errorf("want %v once, have %v", test.want, reasons)
				}
				if took < test.least || took > test.most {
					t.Errorf("want it to take %s to %s, have %s", test.least, test.most, took)
				}
				if test.want == nil && seed > 0 && (len(hears.payloads) != 1 || hears.payloads[0] != "welcome") {
					t.Errorf("want the first words of the other end, have %v", hears.payloads)
				}
			}
		})
	}
}

// Datagrams are lost, doubled and overtaken as often as the rates say, and none of it happens at rates of 0.
func TestDatagramRates(t *testing.T) {
	const sent = 10_000
	for _, test := range []struct {
		name                          string
		set                           func(*Network)
		leastArrive, mostArrive       int
		leastOvertaken, mostOvertaken int
	}{
		{"perfect", func(*Network) {}, sent, sent, 0, 0},
		{"lossy", func(n *Network) { n.Drop = 0.1 }, 8800, 9200, 0, 0},
		{"doubling", func(n *Network) { n.Duplicate = 0.1 }, 10800, 11200, 0, 0},
		{"reordering", func(n *Network) { n.Reorder = 0.1 }, sent, sent, 300, 1000},
		{"cut", func(n *Network) { n.Cut("a", "b") }, 0, 0, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := New(Config{})
			test.set(w.Network)
			arrived, overtaken, last := 0, 0, -1
			for i := range sent {
				w.After(time.Duration(i)*100*time.Millisecond, func() {
					w.Network.Datagram("a", "b", func() {
						arrived++
						if i < last {
							overtaken++
						}
						last = max(last, i)
					})
				})
			}
			run(t, w, time.Hour)
			if arrived < test.leastArrive || arrived > test.mostArrive {
				t.Errorf("want %d to %d arrived, have %d", test.leastArrive, test.mostArrive, arrived)
			}
			if overtaken < test.leastOvertaken || overtaken > test.mostOvertaken {
				t.Errorf("want %d to %d overtaken, have %d", test.leastOvertaken, test.mostOvertaken, overtaken)
			}
		})
	}
}

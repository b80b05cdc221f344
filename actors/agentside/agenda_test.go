package agentside

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/schedule"
)

var start = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

func granted(server pool.ServerID, interval time.Duration) messages.Granted {
	return messages.Granted{Assignment: pool.Assignment{Server: server, Cadence: pool.Cadence{
		Interval: interval, Window: interval / 4, Seed: uint64(server),
	}}}
}

// Whatever comes in which order, the first order is the one that is due first, equal ones by their server, and
// each is due at the first moment of its cadence after it was last looked at, and not before its start.
func TestFirstIsDueFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newAgenda()
		now, elapsed, link := start, time.Duration(0), uint64(0)
		due := make(map[pool.ServerID]time.Time)
		links := make(map[pool.ServerID]uint64)
		server := rapid.Map(rapid.IntRange(1, 9), func(i int) pool.ServerID { return pool.ServerID(i) })
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				id, interval := server.Draw(t, "server"), time.Duration(rapid.IntRange(1, 3).Draw(t, "minutes"))*time.Minute
				order := granted(id, interval)
				order.Assignment.Start = now.Add(time.Duration(rapid.IntRange(-60, 600).Draw(t, "start")) * time.Second)
				if o := g.orders[id]; o == nil || o.Assignment.Cadence != order.Assignment.Cadence {
					due[id] = schedule.Next(order.Assignment.Cadence, later(now, order.Assignment.Start))
				}
				if rapid.Bool().Draw(t, "at once") {
					order.Assignment.AtOnce = true
					due[id] = now
				}
				links[id] = link
				g.set(order, link, now, 20*time.Second)
			},
			"drop": func(t *rapid.T) {
				id := server.Draw(t, "server")
				g.drop(id, elapsed)
				delete(due, id)
			},
			"sweep": func(t *rapid.T) {
				g.sweep(link, elapsed)
				for id := range due {
					if links[id] != link {
						delete(due, id)
					}
				}
				link++
			},
			"pass": func(t *rapid.T) {
				d := time.Duration(rapid.IntRange(0, 100).Draw(t, "seconds")) * time.Second
				now, elapsed = now.Add(d), elapsed+d
				for o := g.first(); o != nil && !o.due.After(now); o = g.first() {
					g.postpone(o, now)
					due[o.Assignment.Server] = schedule.Next(o.Assignment.Cadence, later(now, o.Assignment.Start))
				}
			},
			"set the clock": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(-3600, 3600).Draw(t, "seconds")) * time.Second)
				g.replan(now)
				for id := range due {
					a := g.orders[id].Assignment
					due[id] = schedule.Next(a.Cadence, later(now, a.Start))
				}
			},
			"": func(t *rapid.T) {
				if g.Len() != len(due) || len(g.orders) != len(due) {
					t.Fatalf("want %d orders, have %d", len(due), g.Len())
				}
				o := g.first()
				for id, at := range due {
					if !g.orders[id].due.Equal(at) {
						t.Fatalf("server %d: want it due at %s, have %s", id, at, g.orders[id].due)
					}
					if at.Before(o.due) || at.Equal(o.due) && id < o.Assignment.Server {
						t.Fatalf("server %d is due at %s, before server %d", id, at, o.Assignment.Server)
					}
				}
			},
		})
	})
}

// A server that comes back soon after it was dropped must still rest; later the agenda has forgotten it.
func TestDroppedServerRests(t *testing.T) {
	g := newAgenda()
	g.set(granted(1, time.Minute), 0, start, 20*time.Second)
	g.orders[1].rested = 20 * time.Second
	g.drop(1, 10*time.Second)
	g.set(granted(1, time.Minute), 0, start, 20*time.Second)
	if have := g.orders[1].rested; have != 20*time.Second {
		t.Errorf("want it to rest until 20 s, have %s", have)
	}
	g.drop(1, 10*time.Second)
	g.set(granted(2, time.Minute), 0, start, 20*time.Second)
	g.drop(2, 30*time.Second)
	if n := len(g.resting); n != 0 {
		t.Errorf("want nothing remembered after its time, have %d", n)
	}
}

// Probes that may go at once and couldn't are made due as soon as they can, but only within one spacing of the order.
func TestHurryEnds(t *testing.T) {
	for _, test := range []struct {
		name    string
		spacing time.Duration
		after   time.Duration
		due     bool
	}{
		{"within the spacing", 20 * time.Second, 19 * time.Second, true},
		{"after it", 20 * time.Second, 20 * time.Second, false},
		{"in a lab", 0, time.Minute, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newAgenda()
			order := granted(1, 2*time.Hour)
			order.Assignment.AtOnce = true
			g.set(order, 0, start, test.spacing)
			g.postpone(g.first(), start) // it couldn't go
			now := start.Add(test.after)
			g.hurry(now)
			if have := g.first().due.Equal(now); have != test.due {
				t.Errorf("want it due %t, have %t", test.due, have)
			}
		})
	}
}

func BenchmarkAgenda(b *testing.B) {
	g := newAgenda()
	for id := range pool.ServerID(10_000) {
		g.set(granted(id+1, 9*time.Minute), 0, start, 20*time.Second)
	}
	for b.Loop() {
		o := g.first()
		g.postpone(o, o.due)
	}
}

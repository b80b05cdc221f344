package hubside_test

import (
	"fmt"
	"testing"
	"time"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

// While the hub can't read the changes it says so once, and goes on when it can.
func TestUnreadableChangesAreSaidOnce(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	for outage := 1; outage <= 2; outage++ {
		r.store.fails = is("changes")
		r.addServers(1 + outage)
		r.run(10 * time.Second)
		r.wantLogged("changes can't be read; commands take effect when they can", outage)
		r.store.fails = is("nothing")
		r.run(time.Second)
	}
	paris.wantServers(1, 2, 3)
}

// What somebody changes takes effect within a second, wherever it matters.
func TestChangesTakeEffectWithinASecond(t *testing.T) {
	r, paris, oslo := newPool(t, 1)
	r.addServers(300)
	r.run(time.Second)
	if have := len(paris.servers()); have != 300 {
		t.Errorf("paris watches %d servers", have)
	}
	r.setStatus("oslo", pool.GlobalPaused)
	r.run(time.Second)
	oslo.wantServers()
	r.addAgent("rome", pool.GlobalActive)
	r.run(time.Second)
	if have := len(r.joined("rome").servers()); have != 300 {
		t.Errorf("rome watches %d servers", have)
	}
}

// A change of a kind that this hub doesn't know concerns the roster, for all it knows; one of a server that isn't named
// concerns nobody, and neither does one of a server that isn't there.
func TestOddChanges(t *testing.T) {
	for _, test := range []struct {
		change pool.Change
		loads  int // of the roster
		logged int
	}{
		{pool.Change{Kind: "moon"}, 1, 0},
		{pool.Change{Kind: pool.ChangedAccount, Key: "1"}, 1, 0},
		{pool.Change{Kind: pool.ChangedServer, Key: "-1"}, 0, 1},
		{pool.Change{Kind: pool.ChangedServer, Key: "4294967296"}, 0, 1},
		{pool.Change{Kind: pool.ChangedServer, Key: "99"}, 0, 0},
		{pool.Change{Kind: pool.ChangedMonitor, Key: "nobody"}, 1, 0},
	} {
		t.Run(fmt.Sprintf("%s %q", test.change.Kind, test.change.Key), func(t *testing.T) {
			r, paris, _ := newPool(t, 1)
			r.store.asked = nil
			test.change.ID = 1000
			r.store.more = []pool.Change{test.change}
			r.run(time.Second)
			if have := len(r.store.questions(is("load roster"))); have != test.loads {
				t.Errorf("the roster was loaded %d times, want %d", have, test.loads)
			}
			r.wantLogged("a change names no server", test.logged)
			if r.lives(serverPath(99)) || r.lives(monitorPath("nobody")) {
				t.Error("there is an actor of what isn't there")
			}
			paris.wantServers(1)
		})
	}
}

// A shard leaves alone what names nothing of its own.
func TestShardLeavesOddMessagesAlone(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	for _, m := range []any{
		&messages.Changed{Kind: string(pool.ChangedServer), Key: "x"},
		&messages.Changed{Kind: "moon", Key: "1"},
		&messages.Settled{ServerId: 99, Samples: 5},
		&messages.ForAgent{Agent: "nobody"},
		&messages.LoadServer{ServerId: 99},
		&messages.LoadAgent{Name: "nobody"},
	} {
		r.send(shardPath(1), m)
	}
	r.run(soon)
	batch := paris.watch(1)
	r.run(soon)
	paris.wantAnswers(batch, "stored")
	r.wantLogged("actor panicked", 0)
}

// A follower that fails reads again from where the hub started.
func TestFollowerThatFailsReadsAgain(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.hub.PanicOn("hub/follower", func(message any) bool {
		_, is := message.(port.ChangesRead)
		return is
	})
	r.addServers(2)
	r.run(2 * time.Second)
	paris.wantServers(1, 2)
	r.wantLogged("actor panicked", 1)
}

package hubside_test

import (
	"fmt"
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// A newer link of an agent takes over from the older one, which is told why; a close of that comes too late to matter.
func TestNewerLinkTakesOver(t *testing.T) {
	r, older, oslo := newPool(t, 1)
	newer := r.connect("paris")
	r.run(soon)
	if len(r.links.hung) != 1 || r.links.hung[0].link != older.link || !r.links.hung[0].dismissal.GetTakenOver() {
		t.Fatalf("hung are %+v", r.links.hung)
	}
	older.close()
	r.run(soon)
	newer.wantServers(1)
	batch := newer.watch(1)
	r.run(soon)
	newer.wantAnswers(batch, "stored")
	r.assign("paris", 5, time.Hour)
	r.run(soon)
	newer.wantServers(1, 5)
	oslo.wantServers(1)
	if r.lives(older.session.Id) || !r.lives(newer.session.Id) {
		t.Error("the older session lives, or the newer one doesn't")
	}
	r.wantCount("links/opened", 3)
	r.wantCount("links/taken over", 1)
	r.wantCount("links/closed", 1)
	r.wantLogged("agent left", 0)
}

// An agent whose link is closed is gone, and may come back.
func TestClosedLinkEndsItsSession(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	paris.close()
	paris.close() // said twice, or of a link that never was
	r.run(soon)
	if r.lives(paris.session.Id) {
		t.Error("its session lives")
	}
	r.wantLogged("agent left", 1)
	r.wantCount("links/closed", 1)
	r.assign("paris", 5, time.Hour)
	r.run(soon)
	paris.wantServers(1)
	r.joined("paris").wantServers(1, 5)
}

// A goodbye ends the link from this side.
func TestGoodbyeEndsTheLink(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	paris.say(&messages.Goodbye{})
	r.run(soon)
	if len(r.links.hung) != 1 || r.links.hung[0] != (hung{paris.link, nil}) {
		t.Errorf("hung are %+v", r.links.hung)
	}
	r.wantLogged("agent left", 1)
}

// A gateway that starts again knows no link: all are ended, and the agents come back.
func TestGatewayThatFailsEndsAllLinks(t *testing.T) {
	r, paris, oslo := newPool(t, 1)
	r.fail(gatewayPath)
	r.run(soon)
	if want := []hung{{paris.link, nil}, {oslo.link, nil}}; fmt.Sprint(r.links.hung) != fmt.Sprint(want) {
		t.Errorf("hung are %+v, want %+v", r.links.hung, want)
	}
	again := r.joined("paris")
	batch := again.watch(1)
	r.run(soon)
	again.wantAnswers(batch, "stored")
}

// What a session that fails was about to pass on is lost: it ends the link, and over the next one all is said again.
func TestSessionThatFailsEndsItsLink(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	r.addAgent("paris", pool.GlobalActive)
	r.start()
	paris := r.connect("paris")
	r.hub.PanicOn(paris.session.Id, func(message any) bool {
		_, is := message.(*messages.Assignments)
		return is
	})
	r.run(2 * time.Second)
	if len(r.links.hung) != 1 || r.links.hung[0] != (hung{paris.link, nil}) {
		t.Errorf("hung are %+v", r.links.hung)
	}
	if r.lives(paris.session.Id) {
		t.Error("the session lives")
	}
	r.joined("paris").wantServers(1)
}

// An agent that was added a moment ago may come before its actor is there: within a second of that it has its orders.
func TestAgentThatComesFirstIsFoundSoon(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	r.start()
	paris := r.connect("paris")
	r.run(5 * time.Second)
	paris.wantServers()
	r.addAgent("paris", pool.GlobalActive)
	r.run(2500 * time.Millisecond) // a look at the changes, a round, and a word of the session
	paris.wantServers(1)
}

// What has a short life is said again five minutes before its end, but not in a circle.
func TestAccessToTheBrokerIsRenewed(t *testing.T) {
	for _, test := range []struct {
		life time.Duration
		want int // welcomes in an hour
	}{
		{0, 1}, {2 * time.Hour, 1}, {30 * time.Minute, 3}, {time.Second, 60}, {-time.Hour, 60},
	} {
		t.Run(test.life.String(), func(t *testing.T) {
			r := newRig(t, world.Config{})
			r.addAgent("paris", pool.GlobalActive)
			r.access = func(agent string, now time.Time) *messages.LiveAccess {
				if test.life == 0 {
					return nil
				}
				return &messages.LiveAccess{Token: agent, UntilS: now.Add(test.life).Unix()}
			}
			r.start()
			paris := r.connect("paris")
			r.run(time.Hour - time.Second)
			if have := len(paris.welcomes); have != test.want {
				t.Errorf("welcomed %d times, want %d", have, test.want)
			}
			welcome := paris.welcomes[0]
			if welcome.Agent != "paris" || welcome.Session != paris.session.Id || test.life != 0 && welcome.Live.Token != "paris" {
				t.Errorf("welcomed with %v", welcome)
			}
		})
	}
}

// Whether an agent's clocks are fit is counted each time and logged when it changes.
func TestFitnessIsLoggedWhenItChanges(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	paris.say(&messages.Hello{Version: "1.2.3"})
	pulse := func(four, six bool) {
		paris.say(&messages.Pulse{Monitors: []*messages.MonitorPulse{{IpVersion: 4, Fit: four}, {IpVersion: 6, Fit: six, Reason: "why"}}})
		r.run(soon)
	}
	pulse(true, true)
	pulse(true, true)
	pulse(true, false)
	pulse(true, false)
	r.wantLogged("agent said hello", 1)
	r.wantLogged("agent says how its clock is", 3)
	r.wantCount("pulses/fit", 6)
	r.wantCount("pulses/unfit", 2)
}

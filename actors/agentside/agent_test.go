package agentside_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"truechimer/messages"
	"truechimer/simulation/world"
)

const nine = 9 * time.Minute

// An agent dials as soon as it starts, says who it is, and how it is every 30 s.
func TestAgentJoins(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, nine, time.Minute)), r.order(2, cadence(2, nine, time.Minute)))
	r.start()
	r.run(5 * time.Minute)

	s := r.now()
	if len(r.sessions) != 1 || len(s.hellos) != 1 || s.hellos[0].Version != "1.2.3" {
		t.Errorf("want one link and one hello of 1.2.3, have %d links and %v", len(r.sessions), s.hellos)
	}
	if want, have := 10, len(s.pulses); have < want || have > want+2 {
		t.Errorf("want a pulse every 30 s, %d or two more, have %d", want, have)
	}
	last, err := messages.ToPulse(s.pulses[len(s.pulses)-1])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]messages.Vitals{{Version: 4, Fit: true, Assignments: 2}}, last); diff != "" {
		t.Error(diff)
	}
}

// The hub hears within seconds that a new agent's clock was found fit: whoever set the agent up is waiting for it.
func TestFitnessIsToldAtOnce(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(6 * time.Second)
	pulses := r.now().pulses
	if n := len(pulses); n < 2 || !pulses[n-1].Monitors[0].Fit {
		t.Errorf("want a pulse that says fit, have %v", pulses)
	}
}

// An agent that can't reach its hub dials again after pauses that double up to a minute, each jittered by half.
func TestPausesBetweenDialsGrow(t *testing.T) {
	r := newRig(t, world.Config{Seed: 1})
	r.closed = true
	r.start()
	r.run(20 * time.Minute)

	mean := 2 * time.Second
	for i := range len(r.wire.dials) - 1 {
		// A call that is turned down takes up to 240 ms: the way there and back, twice.
		pause := r.wire.dials[i+1] - r.wire.dials[i]
		if pause < mean/2 || pause > mean*3/2+240*time.Millisecond {
			t.Errorf("pause %d: want %s or half of it more or less, have %s", i, mean, pause)
		}
		mean = min(2*mean, time.Minute)
	}
	if n := len(r.wire.dials); n < 15 || n > 45 {
		t.Errorf("want the longest pause reached and kept to, have %d dials in 20 min", n)
	}
}

// Agents that lost their links together don't come back together.
func TestAgentsComeBackOneByOne(t *testing.T) {
	seconds := make(map[time.Duration]int)
	const agents = 60
	for seed := range uint64(agents) {
		r := newRig(t, world.Config{Seed: seed})
		r.closed = true
		r.start()
		r.run(5 * time.Second)
		seconds[r.wire.dials[1].Truncate(200*time.Millisecond)]++
	}
	for at, n := range seconds {
		if n > agents/3 {
			t.Errorf("%d of %d agents came back within 200 ms after %s", n, agents, at)
		}
	}
}

// Only a link that has lasted for a minute makes the pauses begin anew.
func TestHeldLinkBeginsAnew(t *testing.T) {
	for _, test := range []struct {
		name string
		held time.Duration
		most time.Duration // to the next dial
		last time.Duration // least
	}{
		{"dropped at once", time.Second, 100 * time.Second, 15 * time.Second},
		{"held for a minute", 61 * time.Second, 4 * time.Second, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, world.Config{})
			r.closed = true
			r.start()
			r.run(90 * time.Second) // the next pause is of 32 s or more
			r.closed = false
			for len(r.sessions) == 0 {
				r.run(time.Second)
			}
			r.run(test.held)
			dials := len(r.wire.dials)
			lost := r.Since()
			r.now().hang(nil)
			r.run(3 * time.Minute)
			if len(r.wire.dials) == dials {
				t.Fatal("want another dial, have none")
			}
			if pause := r.wire.dials[dials] - lost; pause < test.last || pause > test.most {
				t.Errorf("want a pause of %s to %s, have %s", test.last, test.most, pause)
			}
		})
	}
}

// An agent whose link was taken over by another one with its certificate stops probing until it is welcome again,
// and stays away for 2, 5, 10, then 15 minutes; a link that lasts for half an hour makes that forgotten.
func TestTakenOverAgentStaysAway(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, time.Minute, 10*time.Second)))
	r.start()
	r.run(5 * time.Minute)
	takeOver := func(want time.Duration) {
		t.Helper()
		lost, dials, queries := r.Since(), len(r.wire.dials), len(r.probesOf(r.server(1)))
		r.presence.withdrawn = false
		r.now().hang(&messages.Dismissal{Reason: "another one came", TakenOver: true})
		r.run(want - 10*time.Second)
		if !r.presence.withdrawn {
			t.Error("want the presence left to the other one")
		}
		if n := len(r.probesOf(r.server(1))) - queries; n > 0 {
			t.Errorf("want no probes, have %d", n)
		}
		r.run(20 * time.Second)
		if len(r.wire.dials) != dials+1 {
			t.Fatalf("want one dial within %s, have %d", want, len(r.wire.dials)-dials)
		}
		if pause := r.wire.dials[dials] - lost; pause < want || pause > want+time.Second {
			t.Errorf("want a dial after %s, have %s", want, pause)
		}
		r.run(2 * time.Minute)
		if len(r.probesOf(r.server(1))) == queries {
			t.Error("want probes once it is welcome again")
		}
	}
	for _, minutes := range []time.Duration{2, 5, 10, 15, 15} {
		takeOver(minutes * time.Minute)
	}
	r.run(30 * time.Minute)
	takeOver(2 * time.Minute)
}

// An agent that is taken over stays silent even while it can't get through to the hub again.
func TestTakenOverAgentWaitsForItsWelcome(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, time.Minute, 10*time.Second)))
	r.start()
	r.run(5 * time.Minute)
	r.closed = true
	r.now().hang(&messages.Dismissal{TakenOver: true})
	r.run(10 * time.Second)
	before := len(r.probesOf(r.server(1)))
	r.run(time.Hour)
	if n := len(r.probesOf(r.server(1))) - before; n > 0 {
		t.Errorf("want no probes, have %d", n)
	}
	if n := len(r.wire.dials); n < 30 {
		t.Errorf("want the hub dialled all the time, have %d dials", n)
	}
}

// A hub that dismisses an agent for any other reason sees it again soon, and the probes go on.
func TestDismissedAgentComesBack(t *testing.T) {
	r := newRig(t, world.Config{})
	r.give(r.order(1, cadence(1, time.Minute, 10*time.Second)))
	r.start()
	r.run(5 * time.Minute)
	r.now().hang(&messages.Dismissal{Reason: "the hub is going down"})
	before := len(r.probesOf(r.server(1)))
	r.run(5 * time.Second)
	if n := len(r.sessions); n != 2 {
		t.Errorf("want another link within 5 s, have %d in all", n)
	}
	r.run(5 * time.Minute)
	if n := len(r.probesOf(r.server(1))) - before; n < 4 {
		t.Errorf("want a probe every minute, have %d in 5", n)
	}
}

// A welcome within a link renews the access to the broker, and nothing else: no order is lost, no hello said.
func TestRenewedWelcomeIsNoNewLink(t *testing.T) {
	r := newRig(t, world.Config{})
	r.live = &messages.LiveAccess{Url: "mqtts://hub", Token: "a"}
	r.give(r.order(1, cadence(1, nine, time.Minute)))
	r.start()
	r.run(time.Minute)
	r.now().welcome()
	r.run(time.Hour)

	if n := len(r.now().hellos); n != 1 {
		t.Errorf("want one hello, have %d", n)
	}
	if n := len(r.presence.announced); n != 2 {
		t.Fatalf("want two announcements, have %d", n)
	}
	for _, status := range r.presence.announced {
		if !status.Online || status.Session != r.now().id || status.Version != "1.2.3" || status.Since != r.presence.announced[0].Since {
			t.Errorf("want online in %s since the link came up, have %v", r.now().id, status)
		}
	}
	if n := len(r.probesOf(r.server(1))); n < 6 {
		t.Errorf("want the server probed every 9 min, have %d in an hour", n)
	}
}

// That the link of an agent ends which was told to end is no news for its log, whatever ends first.
func TestStoppedAgentIsQuiet(t *testing.T) {
	for seed := range uint64(20) {
		var log strings.Builder
		r := newRig(t, world.Config{Seed: seed, Log: &log, Level: zerolog.WarnLevel})
		r.start()
		r.run(time.Minute)
		r.agent.System.Root.Stop(r.root)
		r.wire.end(errors.New("closed"))
		r.run(time.Second)
		if log.Len() > 0 {
			t.Errorf("seed %d: the log was told:\n%s", seed, log.String())
		}
	}
}

// An agent that is stopped says goodbye to the hub and withdraws its presence.
func TestStoppedAgentSaysGoodbye(t *testing.T) {
	r := newRig(t, world.Config{})
	r.start()
	r.run(time.Minute)
	r.agent.System.Root.Stop(r.root)
	r.run(time.Second)
	if n := r.now().goodbyes; n != 1 {
		t.Errorf("want one goodbye, have %d", n)
	}
	if !r.presence.withdrawn {
		t.Error("want the presence withdrawn")
	}
	r.run(time.Hour)
	if n := len(r.wire.dials); n != 1 {
		t.Errorf("want no dial after the end, have %d in all", n)
	}
}

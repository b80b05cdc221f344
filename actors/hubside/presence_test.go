package hubside_test

import (
	"testing"
	"time"

	"truechimer/messages"
)

// When agents were seen is written every 10 s, who sent samples and which program, and apart from the commits.
func TestPresenceIsRecorded(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.store.hold = evidenceCommit(1)
	paris.watch(1)
	for range 2 { // each has the session say that it is here; the samples are told once
		paris.say(&messages.Hello{Version: "1.2.3"})
		r.run(time.Millisecond)
	}
	r.run(40 * time.Second)
	agents, err := r.db.Agents(t.Context())
	r.must(err)
	oslos, parises := agents[0].Monitors[0], agents[1].Monitors[0]
	if ago := r.Now().Sub(parises.LastSeen); ago > 26*time.Second {
		t.Errorf("paris was last seen %s ago", ago)
	}
	if parises.ClientVersion != "1.2.3" || parises.LastSubmit.IsZero() || !oslos.LastSubmit.IsZero() || oslos.LastSeen.IsZero() {
		t.Errorf("recorded are paris %+v, oslo %+v", parises, oslos)
	}
}

// That presence isn't recorded is said once, until it is recorded again.
func TestPresenceThatIsntRecordedIsSaidOnce(t *testing.T) {
	r, _, _ := newPool(t, 1)
	for outage := 1; outage <= 2; outage++ {
		r.store.fails = is("seen")
		r.run(time.Minute)
		r.wantLogged("when agents were seen is not recorded", outage)
		r.store.fails = is("nothing")
		r.run(30 * time.Second)
	}
}

package hubside_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

// Watchers are told each sample by its agent's name, and the server's state, which is retained.
func TestWatchersAreToldSampleAndState(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.live = live{retained: make(map[string][]byte)}
	paris.watch(1)
	r.run(soon)
	const sample, score = "/test/servers/198.18.0.1/sample/paris", "/test/servers/198.18.0.1/score"
	if diff := cmp.Diff([]string{sample, score}, r.live.topics); diff != "" {
		t.Fatalf("topics (-want +have):\n%s", diff)
	}
	said, err := messages.DecodeLiveSample([]byte(r.live.payloads[0]))
	r.must(err)
	if said.Monitor != "paris" || said.Step != 1 || said.GetRttMs() != 20 {
		t.Errorf("sample: %v", said)
	}
	state, err := messages.DecodeLiveScore(r.live.retained[score])
	r.must(err)
	if state.Hostname != "s1" || state.Active != 2 || state.Testing != 0 || !state.Known || state.Monitor != "paris" {
		t.Errorf("state: %v", state)
	}
	if len(r.live.retained) != 1 {
		t.Errorf("retained are %d messages", len(r.live.retained))
	}
}

// A late sample is no news, and neither is one that was there already.
func TestOldSamplesAreNoNews(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	newest := paris.evidence(1, paris.sample(0))
	paris.submit(newest)
	r.run(soon)
	r.live.topics = nil
	paris.submit(newest, paris.evidence(1, paris.sample(time.Minute)))
	r.run(soon)
	if slices.ContainsFunc(r.live.topics, func(topic string) bool { return strings.Contains(topic, "/sample/") }) {
		t.Errorf("published: %v", r.live.topics)
	}
}

// Who is active or testing is told when it changes, without waiting for a sample.
func TestChangesOfStatusAreTold(t *testing.T) {
	r, _, _ := newPool(t, 1)
	r.setStatus("oslo", pool.GlobalTesting)
	r.run(time.Second)
	state, err := messages.DecodeLiveScore(r.live.retained["/test/servers/198.18.0.1/score"])
	r.must(err)
	if state.Active+state.Testing != 2 {
		t.Errorf("state: %v", state)
	}
	r.setStatus("oslo", pool.GlobalPaused)
	r.run(time.Second)
	state, err = messages.DecodeLiveScore(r.live.retained["/test/servers/198.18.0.1/score"])
	r.must(err)
	if state.Active != 1 || state.Testing != 0 {
		t.Errorf("state: %v", state)
	}
}

// The state says which sample caused it and why until there is another one, whatever else changes meanwhile; after a
// crash the sample is still told.
func TestTheCauseIsToldUntilThereIsAnother(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	paris.watch(1)
	r.run(soon)
	r.setStatus("oslo", pool.GlobalPaused)
	r.run(time.Second)
	state, err := messages.DecodeLiveScore(r.live.retained["/test/servers/198.18.0.1/score"])
	r.must(err)
	if state.Active != 1 || state.Monitor != "paris" || state.Step != 1 || state.Reason != "good" {
		t.Errorf("after a change of status: %v", state)
	}
	r.hub.Crash()
	r.boot()
	r.ready = 0
	r.start()
	state, err = messages.DecodeLiveScore(r.live.retained["/test/servers/198.18.0.1/score"])
	r.must(err)
	if state.Monitor != "paris" || state.Step != 1 {
		t.Errorf("after a crash: %v", state)
	}
}

// What isn't watched any more has no state: what was retained of it is taken back, whenever its end comes, and isn't
// published again.
func TestTheStateOfARemovedServerIsTakenBack(t *testing.T) {
	r, _, _ := newPool(t, 2)
	r.must(r.db.RemoveServer(t.Context(), "test", 1, r.Now()))
	r.must(r.db.RemoveServer(t.Context(), "test", 2, r.Now().Add(24*time.Hour))) // at midnight
	r.run(time.Second)
	first, second := "/test/servers/198.18.0.1/score", "/test/servers/198.18.0.2/score"
	if len(r.live.retained[first]) > 0 || len(r.live.retained[second]) == 0 {
		t.Errorf("retained: %q", r.live.retained)
	}
	r.run(24 * time.Hour)
	r.live.topics = nil
	r.hub.System.Root.Send(hubside.Announcer(r.hub.System), port.LiveUp{})
	r.run(soon)
	if len(r.live.retained[second]) > 0 || len(r.live.topics) > 0 {
		t.Errorf("retained: %q, published again: %v", r.live.retained, r.live.topics)
	}
}

// A broker that is back has forgotten what was retained: it is published again, in the order of the servers.
func TestStatesArePublishedAgainWhenTheBrokerIsBack(t *testing.T) {
	r, paris, _ := newPool(t, 3)
	for _, server := range []int{3, 1, 2} {
		paris.watch(server)
		r.run(soon)
	}
	before := r.live.retained
	r.live = live{retained: make(map[string][]byte)}
	r.hub.System.Root.Send(hubside.Announcer(r.hub.System), port.LiveUp{})
	r.run(soon)
	want := []string{"/test/servers/198.18.0.1/score", "/test/servers/198.18.0.2/score", "/test/servers/198.18.0.3/score"}
	if diff := cmp.Diff(want, r.live.topics); diff != "" {
		t.Errorf("topics (-want +have):\n%s", diff)
	}
	if diff := cmp.Diff(before, r.live.retained); diff != "" {
		t.Errorf("retained (-before +after):\n%s", diff)
	}
}

// announcement is what a score has announced of a server.
func announcement(ip []byte, monitors ...pool.MonitorID) *messages.Announcement {
	m := &messages.Announcement{Ip: ip, Overall: &messages.Overall{}}
	for _, id := range monitors {
		m.Rows = append(m.Rows, &messages.LogRow{MonitorId: uint32(id), AtUs: 1_700_000_000_000_000, Sample: &messages.Sample{}})
	}
	return m
}

// Nothing is published of a monitor without a name, of a server without an address, or where no topic can be made.
func TestWhatHasNoTopicIsNotPublished(t *testing.T) {
	server := serverAddr(9).Addr().AsSlice()
	for _, test := range []struct {
		name         string
		announcement *messages.Announcement
		want         []string
		logged       int
	}{
		{"all is well", announcement(server, 3), []string{"/test/servers/198.18.0.9/sample/paris", "/test/servers/198.18.0.9/score"}, 0},
		{"a monitor that isn't in the roster", announcement(server, 99), []string{"/test/servers/198.18.0.9/score"}, 0},
		{"no address", announcement([]byte{1, 2, 3}, 3), nil, 0},
		{"a name that is no topic", announcement(server, 50), []string{"/test/servers/198.18.0.9/score"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _, _ := newPool(t, 1)
			r.send("hub/announcer", &messages.Roster{Monitors: []*messages.Monitor{{Id: 50, Agent: "a+b"}}})
			r.live = live{retained: make(map[string][]byte)}
			r.send("hub/announcer", test.announcement)
			r.run(soon)
			if diff := cmp.Diff(test.want, r.live.topics); diff != "" {
				t.Errorf("topics (-want +have):\n%s", diff)
			}
			r.wantLogged("a live message has no topic", test.logged)
		})
	}
}

// A monitor that was added since the hub started has a name too.
func TestNewMonitorsHaveNames(t *testing.T) {
	r, _, _ := newPool(t, 1)
	r.addAgent("rome", pool.GlobalActive)
	r.run(time.Second)
	r.joined("rome").watch(1)
	r.run(soon)
	if !slices.Contains(r.live.topics, "/test/servers/198.18.0.1/sample/rome") {
		t.Errorf("published: %v", r.live.topics)
	}
}

// An announcer that starts again learns the names anew; monitors that were deleted meanwhile keep theirs in one that
// goes on, for their last samples.
func TestNamesOfMonitors(t *testing.T) {
	r, paris, _ := newPool(t, 1)
	r.fail("hub/announcer")
	r.run(soon)
	r.setStatus("paris", pool.GlobalDeleted)
	r.run(time.Second)
	r.live = live{retained: make(map[string][]byte)}
	e := r.genuine("paris", 1, paris.sample(0))
	batch := paris.submit(e)
	r.run(soon)
	paris.wantAnswers(batch, "stored")
	if !slices.Contains(r.live.topics, "/test/servers/198.18.0.1/sample/paris") {
		t.Errorf("published: %v", r.live.topics)
	}
}

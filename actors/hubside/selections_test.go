package hubside_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// selections are the changes of a server that were published, each as "paris testing→active".
func (r *rig) selections(server int) (all []string) {
	r.Helper()
	for i, topic := range r.live.topics {
		if topic != fmt.Sprintf("/test/servers/%s/selection", serverAddr(server).Addr()) {
			continue
		}
		said, err := messages.DecodeLiveSelection([]byte(r.live.payloads[i]))
		r.must(err)
		if said.Reason == "" || said.Ts > float64(r.Now().UnixMicro())/1e6 || said.Server != serverAddr(server).Addr().String() {
			r.Errorf("published: %v", said)
		}
		all = append(all, fmt.Sprintf("%s %s→%s", said.Monitor, said.From, said.To))
	}
	return all
}

// What changes is published when it is on disk, each change once and with its reason, and nothing of it is retained.
func TestChangesArePublishedOnceWhenTheyAreKept(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	r.preset(1, r.crowd(1, pool.Active)...)
	r.start()
	r.run(time.Minute)
	r.store.hold = arrangement(1)
	r.addAgent("paris", pool.GlobalTesting)
	r.run(10 * time.Second)
	if have := r.selections(1); len(have) > 0 {
		t.Errorf("published before it was kept: %q", have)
	}
	r.store.release()
	r.run(3 * time.Hour)
	here := serverAddr(1).Addr().Prev()
	r.setMonitor("paris", persistence.MonitorChange{Addr: &here})
	r.setStatus("m0", pool.GlobalPaused)
	r.run(time.Hour)
	want := []string{"paris →testing", "m0 active→candidate", "paris testing→paused"}
	if diff := cmp.Diff(want, r.selections(1)); diff != "" {
		t.Errorf("published (-want +have):\n%s", diff)
	}
	if len(r.live.retained) != 1 {
		t.Errorf("retained are %d messages, want the score alone", len(r.live.retained))
	}
}

// What is unknown by name, since it was deleted while no hub ran, is changed all the same, and nothing is published of it.
func TestNobodyIsToldOfTheNameless(t *testing.T) {
	r := newRig(t, world.Config{})
	r.addServers(1)
	r.preset(1, r.crowd(1, pool.Active)...)
	r.setStatus("m0", pool.GlobalDeleted)
	r.start()
	r.run(time.Minute)
	r.wantStatuses(1, "candidate", "m0")
	r.send("hub/announcer", &messages.Selected{Ip: []byte{1, 2, 3}, Moves: []*messages.Move{{MonitorId: 3}}})
	r.run(soon)
	if len(r.selections(1)) > 0 || len(r.live.topics) > 0 && slices.ContainsFunc(r.live.topics, func(topic string) bool {
		return topic != "/test/servers/198.18.0.1/score"
	}) {
		t.Errorf("published: %q", r.live.topics)
	}
}

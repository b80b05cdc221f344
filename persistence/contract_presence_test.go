package persistence_test

import (
	"net/netip"
	"testing"
	"time"

	"truechimer/persistence"
	"truechimer/pool"
)

// presenceRules say what is noted of agents that are here.
func presenceRules() []rule {
	return []rule{
		{"when a monitor was seen only moves forward", seenMovesForward},
		{"a new address is stored and is a change", newAddress},
	}
}

func seenMovesForward(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	seen := func(seen ...pool.AgentSeen) persistence.MonitorListing {
		t.Helper()
		w.must(w.Seen(t.Context(), seen))
		agents, err := w.Agents(t.Context())
		w.must(err)
		return agents[0].Monitors[0]
	}
	later := noon.Add(time.Minute)
	for _, step := range []struct {
		name             string
		seen             pool.AgentSeen
		want, wantSubmit time.Time
		wantVersion      string
	}{
		{"seen", pool.AgentSeen{Seen: noon, Version: "1.0"}, noon, time.Time{}, "1.0"},
		{"sent samples", pool.AgentSeen{Seen: later, Submitted: noon, Version: "1.1"}, later, noon, "1.1"},
		{"an older one changes nothing", pool.AgentSeen{Seen: noon, Submitted: noon.Add(-time.Hour), Version: "1.0"}, later, noon, "1.1"},
	} {
		step.seen.Monitor = w.v4
		have := seen(pool.AgentSeen{Monitor: 77, Seen: later}, step.seen, pool.AgentSeen{Monitor: w.median, Seen: later})
		if !have.LastSeen.Equal(step.want) || !have.LastSubmit.Equal(step.wantSubmit) || have.ClientVersion != step.wantVersion {
			t.Errorf("%s: seen %s, submitted %s, version %s", step.name, have.LastSeen, have.LastSubmit, have.ClientVersion)
		}
	}
	w.must(w.Seen(t.Context(), nil))
}

func newAddress(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	after, err := w.LatestChange(t.Context())
	w.must(err)
	seen := []pool.AgentSeen{
		{Monitor: w.v6, Seen: noon, Addr: netip.MustParseAddr("2001:db8::7")},
		{Monitor: w.v4, Seen: noon, Addr: netip.MustParseAddr("::ffff:203.0.113.7")}, // the one that is known, in other words
	}
	w.must(w.Seen(t.Context(), seen))
	w.must(w.Seen(t.Context(), seen))
	agent, _, err := w.LoadAgent(t.Context(), "berlin")
	w.must(err)
	w.same("address", netip.MustParseAddr("2001:db8::7"), agent.Monitors[1].Addr)
	changes, err := w.Changes(t.Context(), after)
	w.must(err)
	w.same("changes", []pool.Change{{ID: after + 1, Kind: pool.ChangedMonitor, Key: "berlin"}}, changes)
}

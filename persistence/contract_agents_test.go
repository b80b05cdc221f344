package persistence_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"truechimer/persistence"
	"truechimer/pool"
)

// agentRules say how agents and monitors come and change.
func agentRules() []rule {
	return []rule{
		{"an agent's name is taken once", namesAreTakenOnce},
		{"an agent or monitor that can't be is refused", badAgents},
		{"agents are listed with their monitors", agentsAreListed},
		{"a monitor changes as told and not otherwise", monitorsChange},
	}
}

func namesAreTakenOnce(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	before, err := w.Agents(t.Context())
	w.must(err)
	err = w.AddAgent(t.Context(), "me", pool.Agent{Name: "berlin"}, []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalActive}})
	if !errors.Is(err, persistence.ErrNameTaken) {
		t.Errorf("error %v", err)
	}
	after, err := w.Agents(t.Context())
	w.must(err)
	w.same("agents", before, after)
	w.must(w.AddAgent(t.Context(), "me", pool.Agent{Name: "Berlin"}, nil))
}

func badAgents(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	v4 := pool.Monitor{Version: pool.IPv4, Status: pool.GlobalPending}
	for name, bad := range map[string]struct {
		agent    pool.Agent
		monitors []pool.Monitor
	}{
		"no name":           {pool.Agent{}, nil},
		"a long name":       {pool.Agent{Name: strings.Repeat("x", 256)}, nil},
		"two of a version":  {pool.Agent{Name: "x"}, []pool.Monitor{v4, v4}},
		"no version":        {pool.Agent{Name: "x"}, []pool.Monitor{{Status: pool.GlobalPending}}},
		"no status":         {pool.Agent{Name: "x"}, []pool.Monitor{{Version: pool.IPv4}}},
		"a burst of 9":      {pool.Agent{Name: "x"}, []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalPending, Config: pool.MonitorConfig{Samples: 9}}}},
		"no nat_ip":         {pool.Agent{Name: "x"}, []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalPending, Config: pool.MonitorConfig{NatIP: "here"}}}},
		"unknown account":   {pool.Agent{Name: "x", Account: 99}, []pool.Monitor{v4}},
		"unknown account 2": {pool.Agent{Name: "x", Account: 99}, nil},
	} {
		if err := w.AddAgent(t.Context(), "me", bad.agent, bad.monitors); err == nil {
			t.Errorf("%s: added", name)
		}
	}
	for name, bad := range map[string]persistence.MonitorChange{
		"a status":   {Status: ptr(pool.GlobalStatus("gone"))},
		"an account": {Account: ptr(pool.AccountID(99))},
		"a config":   {Config: &pool.MonitorConfig{Samples: -1}},
	} {
		if err := w.SetMonitor(t.Context(), "me", w.v4, bad); err == nil {
			t.Errorf("%s: set", name)
		}
	}
	for _, id := range []pool.MonitorID{0, w.median, 99} {
		if err := w.SetMonitor(t.Context(), "me", id, persistence.MonitorChange{}); !errors.Is(err, persistence.ErrNotFound) {
			t.Errorf("monitor %d: %v", id, err)
		}
	}
	agents, err := w.Agents(t.Context())
	if err != nil || len(agents) != 1 || agents[0].Monitors[0].Status != pool.GlobalActive {
		t.Errorf("afterwards: %+v, %v", agents, err)
	}
}

func agentsAreListed(t *testing.T, store persistence.Store) {
	w := bigWorld(t, store)
	agents, err := w.Agents(t.Context())
	w.must(err)
	if len(agents) != 2 || agents[0].Name != "adelaide" || agents[1].Name != "berlin" {
		t.Fatalf("agents %+v", agents)
	}
	image, _, err := w.LoadAgent(t.Context(), "berlin")
	w.must(err)
	w.same("agent", image.Agent, agents[1].Agent)
	w.same("monitors", image.Monitors, []pool.Monitor{agents[1].Monitors[0].Monitor, agents[1].Monitors[1].Monitor})
}

func monitorsChange(t *testing.T, store persistence.Store) {
	w := newWorld(t, store, 0)
	other, err := w.EnsureAccount(t.Context(), "me", "other")
	w.must(err)
	monitor := func() persistence.MonitorListing {
		agents, err := w.Agents(t.Context())
		w.must(err)
		return agents[0].Monitors[1]
	}
	want := monitor()
	for _, step := range []struct {
		name   string
		change persistence.MonitorChange
		expect func(*persistence.MonitorListing)
	}{
		{"nothing", persistence.MonitorChange{}, func(*persistence.MonitorListing) {}},
		{"status", persistence.MonitorChange{Status: ptr(pool.GlobalPaused)}, func(m *persistence.MonitorListing) { m.Status = pool.GlobalPaused }},
		{"deleted", persistence.MonitorChange{Status: ptr(pool.GlobalDeleted)}, func(m *persistence.MonitorListing) { m.Status = pool.GlobalDeleted }},
		{"active again", persistence.MonitorChange{Status: ptr(pool.GlobalActive)}, func(m *persistence.MonitorListing) { m.Status = pool.GlobalActive }},
		{"account", persistence.MonitorChange{Account: &other}, func(m *persistence.MonitorListing) { m.Account = other }},
		{"no account", persistence.MonitorChange{Account: ptr(pool.AccountID(0))}, func(m *persistence.MonitorListing) { m.Account = 0 }},
		{
			"address",
			persistence.MonitorChange{Addr: ptr(netip.MustParseAddr("2001:db8::1"))},
			func(m *persistence.MonitorListing) { m.Addr = netip.MustParseAddr("2001:db8::1") },
		},
		{"no address", persistence.MonitorChange{Addr: &netip.Addr{}}, func(m *persistence.MonitorListing) { m.Addr = netip.Addr{} }},
		{"location", persistence.MonitorChange{Location: ptr("Köln")}, func(m *persistence.MonitorListing) { m.Location = "Köln" }},
		{
			"config",
			persistence.MonitorChange{Config: &pool.MonitorConfig{NatIP: "10.0.0.7"}},
			func(m *persistence.MonitorListing) { m.Config = pool.MonitorConfig{NatIP: "10.0.0.7"} },
		},
	} {
		w.must(w.SetMonitor(t.Context(), "me", w.v6, step.change))
		step.expect(&want)
		w.same(step.name, want, monitor())
	}
}

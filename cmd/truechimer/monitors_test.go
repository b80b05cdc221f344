package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/persistence"
	"truechimer/pool"
)

// someMonitors are those of someAgents, one of which belongs to nobody.
func someMonitors() []ownedMonitor {
	var monitors []ownedMonitor
	for _, a := range someAgents() {
		for _, m := range a.Monitors {
			m.Agent = a.Name
			monitors = append(monitors, ownedMonitor{m, map[string]string{"alpha": "ann"}[a.Name]})
		}
	}
	monitors[0].Location, monitors[0].ClientVersion = "Berlin", "v1.2"
	monitors[0].LastSubmit = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	return monitors
}

// The list of monitors has a line for each, with its owner, and a dash for what isn't known.
func TestMonitorsAreListedAsATable(t *testing.T) {
	var stdout bytes.Buffer
	if err := printMonitors(newConsole(&stdout, nil), someMonitors()); err != nil {
		t.Fatal(err)
	}
	want := `ID  AGENT  VERSION  ADDRESS      STATUS  ACCOUNT  LOCATION  LAST SEEN (UTC)
3   alpha  v4       192.0.2.1    active  ann      Berlin    2026-01-02 03:04:05
4   alpha  v6       2001:db8::1  active  ann      -         -
5   beta   v4       -            active  -        -         -
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// For a program each monitor is a line of JSON.
func TestMonitorsAreListedAsJSONLines(t *testing.T) {
	var stdout bytes.Buffer
	if err := printMonitorsJSON(newConsole(&stdout, nil), someMonitors()[1:]); err != nil {
		t.Fatal(err)
	}
	want := `{"id":4,"agent":"alpha","ip_version":"v6","ip":"2001:db8::1","status":"active","account":"ann","location":"","client_version":"","last_seen":null,"last_submit":null}
{"id":5,"agent":"beta","ip_version":"v4","ip":null,"status":"active","account":"","location":"","client_version":"","last_seen":null,"last_submit":null}
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

// A person means a monitor by its id, all of an agent's by its name, and one of these by name and IP version. When one
// of several isn't there, none is meant; who is meant twice is there once.
func TestMonitorsAreChosenByName(t *testing.T) {
	for names, want := range map[string]string{
		"3":             "3",
		"alpha":         "3 4",
		"alpha/v6":      "4",
		"5 alpha/v4 3":  "5 3",
		"alpha 3 alpha": "3 4",
	} {
		chosen, err := chooseMonitors(someMonitors(), strings.Fields(names))
		if err != nil {
			t.Errorf("%s: %v", names, err)
			continue
		}
		var have []string
		for _, m := range chosen {
			have = append(have, fmt.Sprint(m.ID))
		}
		if have := strings.Join(have, " "); have != want {
			t.Errorf("%s: want %s, have %s", names, want, have)
		}
	}
	for _, names := range []string{"6", "alpha/v5", "alp", "alpha 6", "v6", "alpha/"} {
		if chosen, err := chooseMonitors(someMonitors(), strings.Fields(names)); err == nil {
			t.Errorf("%s: want an error, have %v", names, chosen)
		}
	}
}

// The list of accounts shows what they own and what their flags allow; flags that aren't JSON are shown as they are.
func TestAccountsAreListed(t *testing.T) {
	accounts := []persistence.AccountListing{
		{Account: pool.Account{ID: 1, Name: "ann", Flags: `{"monitors_per_server_limit": 3}`}, Servers: 2, Monitors: 10},
		{Account: pool.Account{ID: 12, Flags: "oops"}},
	}
	var table, lines bytes.Buffer
	if err := printAccounts(newConsole(&table, nil), accounts); err != nil {
		t.Fatal(err)
	}
	if err := printAccountsJSON(newConsole(&lines, nil), accounts); err != nil {
		t.Fatal(err)
	}
	want := `ID  NAME  SERVERS  MONITORS  FLAGS
1   ann   2        10        {"monitors_per_server_limit": 3}
12  -     0        0         oops
{"id":1,"name":"ann","servers":2,"monitors":10,"flags":{"monitors_per_server_limit":3}}
{"id":12,"name":"","servers":0,"monitors":0,"flags":"oops"}
`
	if diff := cmp.Diff(want, table.String()+lines.String()); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

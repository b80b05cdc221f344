package token_test

import (
	"errors"
	"strings"
	"testing"

	"truechimer/hub/token"
	"truechimer/messages/topic"
)

// Each client gets what its part needs and nothing that is another's.
func TestEachClientGetsItsOwn(t *testing.T) {
	grants := map[string]token.Grant{}
	for who, build := range map[string]func() (token.Grant, error){
		"hub":     func() (token.Grant, error) { return token.ForHub("test", "h1") },
		"agent":   func() (token.Grant, error) { return token.ForAgent("test", "a1") },
		"watcher": func() (token.Grant, error) { return token.ForWatcher("test", "w1") },
	} {
		grant, err := build()
		if err != nil {
			t.Fatal(err)
		}
		grants[who] = grant
	}
	for _, row := range []struct {
		name, topic   string
		reads, writes string // who may
	}{
		{"score", "/test/servers/192.0.2.1/score", "hub watcher", "hub"},
		{"own status", "/test/monitors/status/a1/status", "hub watcher", "agent"},
		{"another's status", "/test/monitors/status/a2/status", "hub watcher", ""},
		{"own requests", "/test/monitors/requests/a1/ntp", "agent", "hub"},
		{"another's requests", "/test/monitors/requests/a2/ntp", "", "hub"},
		{"own data", "/test/monitors/data/a1/17", "hub", "agent"},
		{"another's data", "/test/monitors/data/a2/17", "hub", ""},
		{"the hub's status", "/test/hubs/h1/status", "hub watcher", "hub"},
		{"another hub's status", "/test/hubs/h2/status", "hub watcher", ""},
		{"another environment", "/prod/servers/192.0.2.1/score", "", ""},
		{"the broker's own", "$SYS/broker/uptime", "", ""},
		{"everything", "#", "", ""},
		{"a broken filter", "/test/servers/#/score", "", ""},
		{"a wildcard", "/test/servers/+/score", "hub watcher", ""},
	} {
		for who, grant := range grants {
			if have, want := grant.MaySubscribe(row.topic), strings.Contains(row.reads, who); have != want {
				t.Errorf("%s: the %s may read it: have %v, want %v", row.name, who, have, want)
			}
			if have, want := grant.MayPublish(row.topic), strings.Contains(row.writes, who); have != want {
				t.Errorf("%s: the %s may write it: have %v, want %v", row.name, who, have, want)
			}
		}
	}
}

// No name makes one client another: neither a slash nor a colon, nor a name that begins like another's.
func TestNobodyOwnsAnothersClientIDs(t *testing.T) {
	agent, err := token.ForAgent("test", "a1")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{
		"a1": true, "a1:": true, "a1:2": true, "a1:2:3": true,
		"": false, "a": false, "a12": false, "a1.x": false, "A1": false, "hub/a1": false, "a2:a1": false,
	} {
		if have := agent.OwnsClient(id); have != want {
			t.Errorf("a1 and client id %q: have %v, want %v", id, have, want)
		}
	}
	for _, name := range []string{"", "a:b", "hub/h1", "watch/w1", "+", "#", "a b"} {
		for who, build := range map[string]func(string, string) (token.Grant, error){
			"hub": token.ForHub, "agent": token.ForAgent, "watcher": token.ForWatcher,
		} {
			if grant, err := build("test", name); !errors.Is(err, topic.ErrName) {
				t.Errorf("%s %q: have %+v and error %v, want %v", who, name, grant, err, topic.ErrName)
			}
		}
	}
}

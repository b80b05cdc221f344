package topic

import (
	"fmt"
	"net/netip"
	"strings"
)

// Filters say which topics a client reads, or may use. They follow MQTT 3.1.1 section 4.7: "+" stands for one
// level, "#" for the rest.

// ServersFilter covers everything that is told of all servers.
func ServersFilter(env string) (string, error) {
	return Topic{Env: env}.spell("/{env}/servers/#")
}

// ServerFilter covers everything that is told of one server.
func ServerFilter(env string, server netip.Addr) (string, error) {
	return Topic{Env: env, Server: server}.spell("/{env}/servers/{server}/#")
}

// StatusesFilter covers the status of all agents.
func StatusesFilter(env string) (string, error) {
	return Topic{Env: env}.spell("/{env}/monitors/status/#")
}

// RequestsFilter covers the requests to all agents.
func RequestsFilter(env string) (string, error) {
	return Topic{Env: env}.spell("/{env}/monitors/requests/#")
}

// RequestsToFilter covers the requests to one agent.
func RequestsToFilter(env, agent string) (string, error) {
	return Topic{Env: env, Name: agent}.spell("/{env}/monitors/requests/{name}/+")
}

// AllDataFilter covers the answers of all agents.
func AllDataFilter(env string) (string, error) {
	return Topic{Env: env}.spell("/{env}/monitors/data/#")
}

// DataFilter covers the answers of one agent.
func DataFilter(env, agent string) (string, error) {
	return Topic{Env: env, Name: agent}.spell("/{env}/monitors/data/{name}/+")
}

// HubsFilter covers the status of all hubs.
func HubsFilter(env string) (string, error) {
	return Topic{Env: env}.spell("/{env}/hubs/+/status")
}

// Covers tells whether every topic that matches filter asked also matches filter granted; asked may be a plain
// topic. It allocates nothing: a broker asks it for each message and each of its readers.
func Covers(granted, asked string) bool {
	if strings.HasPrefix(asked, "$") && !strings.HasPrefix(granted, "$") {
		return false // wildcards never stand for topics that begin with $ (MQTT-4.7.2-1)
	}
	for {
		grantedLevel, grantedRest, grantedMore := strings.Cut(granted, "/")
		askedLevel, askedRest, askedMore := strings.Cut(asked, "/")
		switch {
		case grantedLevel == "#":
			return true
		case askedLevel == "#":
			return false
		case grantedLevel != "+" && grantedLevel != askedLevel:
			return false
		case !askedMore:
			// "a/#" also covers "a" itself (MQTT 3.1.1 section 4.7.1.2).
			return !grantedMore || grantedRest == "#"
		case !grantedMore:
			return false
		}
		granted, asked = grantedRest, askedRest
	}
}

// CheckFilter tells whether a text is a filter: not empty, no NUL, "+" only as a whole level, "#" only as the
// whole last one (MQTT 3.1.1 sections 4.7.1 and 4.7.3).
func CheckFilter(text string) error {
	level, rest, more := strings.Cut(text, "/")
	for {
		broken := len(level) > 1 && strings.ContainsAny(level, "+#") || level == "#" && more
		if text == "" || broken || strings.Contains(level, "\x00") {
			return fmt.Errorf("not a topic filter: %.100q", text)
		}
		if !more {
			return nil
		}
		level, rest, more = strings.Cut(rest, "/")
	}
}

// Package topic knows the names of everything that is said over MQTT: it builds topics, takes them apart again,
// and makes the filters by which they are subscribed to and granted. Nothing else in the house spells a topic.
//
// Who may publish what, and what is in a message, is not its concern.
package topic

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// ErrUnknown says that a text is not a topic of this system.
var ErrUnknown = errors.New("not a topic of this system")

// Kind says what a topic is about.
type Kind string

// The kinds of topics.
const (
	KindStatus    Kind = "status"    // whether an agent is there: retained, said by the agent and by its will
	KindRequest   Kind = "request"   // a hub asks an agent to measure
	KindData      Kind = "data"      // the agent's answer
	KindScore     Kind = "score"     // what a server is worth: retained
	KindSample    Kind = "sample"    // what one probe said
	KindSelection Kind = "selection" // a monitor's status for a server changed
	KindHub       Kind = "hub"       // whether a hub is there: retained, said by the hub and by its will
)

// kinds lists them all, in the order in which Parse tries them.
func kinds() [7]Kind {
	return [...]Kind{KindStatus, KindRequest, KindData, KindScore, KindSample, KindSelection, KindHub}
}

// pattern is how topics of a kind are spelled. Building and parsing both follow it, so they can't disagree.
func (k Kind) pattern() string {
	switch k {
	case KindStatus:
		return "/{env}/monitors/status/{name}/status"
	case KindRequest:
		return "/{env}/monitors/requests/{name}/{detail}"
	case KindData:
		return "/{env}/monitors/data/{name}/{detail}"
	case KindScore:
		return "/{env}/servers/{server}/score"
	case KindSample:
		return "/{env}/servers/{server}/sample/{name}"
	case KindSelection:
		return "/{env}/servers/{server}/selection"
	case KindHub:
		return "/{env}/hubs/{name}/status"
	}
	return ""
}

// Retained tells whether messages of this kind say how something is, so that the broker keeps the newest for
// those who come later. The others say what happened.
func (k Kind) Retained() bool {
	return k == KindStatus || k == KindScore || k == KindHub
}

// Topic is a topic taken apart. Fields that its kind doesn't have are empty.
type Topic struct {
	Kind   Kind
	Env    string     // the deployment mode: devel, test, prod
	Server netip.Addr // of a score, a sample, a selection
	Name   string     // the agent of a status, a request, data or a sample; the hub of a hub's status
	Detail string     // what a request asks for (ntp, traceroute); the id of the request that data answers
}

// Text is the topic as MQTT carries it. The error names the part that can't stand in a topic.
func (t Topic) Text() (string, error) {
	pattern := t.Kind.pattern()
	if pattern == "" {
		return "", fmt.Errorf("spell a topic of kind %q: %w", t.Kind, ErrUnknown)
	}
	return t.spell(pattern)
}

// spell is a pattern with the topic's own parts in place of its placeholders.
func (t Topic) spell(pattern string) (string, error) {
	levels := strings.Split(pattern, "/")
	for i, level := range levels {
		text, err := t.fill(level)
		if err != nil {
			return "", fmt.Errorf("spell topic %s: %w", pattern, err)
		}
		levels[i] = text
	}
	return strings.Join(levels, "/"), nil
}

// fill is one level of the pattern with the topic's own part in place of the placeholder.
func (t Topic) fill(level string) (string, error) {
	switch level {
	case "{env}":
		return t.Env, CheckName(t.Env)
	case "{name}":
		return t.Name, CheckName(t.Name)
	case "{detail}":
		return t.Detail, CheckName(t.Detail)
	case "{server}":
		return t.Server.String(), checkAddr(t.Server)
	}
	return level, nil
}

// Parse takes a topic apart. What Text spells Parse understands, and nothing else: there is one spelling for
// each topic. The error is ErrUnknown where the text isn't one.
func Parse(text string) (Topic, error) {
	levels := strings.Split(text, "/")
	for _, kind := range kinds() {
		if t, ok := match(kind, levels); ok {
			return t, nil
		}
	}
	return Topic{}, fmt.Errorf("%w: %.100q", ErrUnknown, text)
}

func match(kind Kind, levels []string) (Topic, bool) {
	pattern := strings.Split(kind.pattern(), "/")
	if len(levels) != len(pattern) {
		return Topic{}, false
	}
	t := Topic{Kind: kind}
	for i, level := range levels {
		if !t.take(pattern[i], level) {
			return Topic{}, false
		}
	}
	return t, true
}

// take keeps what stands at a placeholder; at any other place the level must be what the pattern says.
func (t *Topic) take(placeholder, level string) bool {
	switch placeholder {
	case "{env}":
		t.Env = level
	case "{name}":
		t.Name = level
	case "{detail}":
		t.Detail = level
	case "{server}":
		addr, err := netip.ParseAddr(level)
		t.Server = addr
		return err == nil && checkAddr(addr) == nil && addr.String() == level
	default:
		return placeholder == level
	}
	return CheckName(level) == nil
}

// Status is where the agent says that it is there, and where its will says that it no longer is.
func Status(env, agent string) (string, error) {
	return Topic{Kind: KindStatus, Env: env, Name: agent}.Text()
}

// Request is where a hub asks an agent for a measurement of a kind: ntp or traceroute.
func Request(env, agent, kind string) (string, error) {
	return Topic{Kind: KindRequest, Env: env, Name: agent, Detail: kind}.Text()
}

// Data is where the agent answers the request with that id.
func Data(env, agent, id string) (string, error) {
	return Topic{Kind: KindData, Env: env, Name: agent, Detail: id}.Text()
}

// Score is where a server's overall score is told.
func Score(env string, server netip.Addr) (string, error) {
	return Topic{Kind: KindScore, Env: env, Server: server}.Text()
}

// Sample is where each sample of a server by a monitor is told; monitor is the name of the monitor's agent.
func Sample(env string, server netip.Addr, monitor string) (string, error) {
	return Topic{Kind: KindSample, Env: env, Server: server, Name: monitor}.Text()
}

// Selection is where each change of a monitor's status for a server is told.
func Selection(env string, server netip.Addr) (string, error) {
	return Topic{Kind: KindSelection, Env: env, Server: server}.Text()
}

// Hub is where a hub says that it is there, and where its will says that it no longer is.
func Hub(env, id string) (string, error) {
	return Topic{Kind: KindHub, Env: env, Name: id}.Text()
}

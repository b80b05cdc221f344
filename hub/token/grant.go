package token

import (
	"fmt"
	"strings"

	"truechimer/messages/topic"
)

// Grant is what a client may do.
type Grant struct {
	Name string   // the client's name: its user name, and what its client ids begin with
	Subs []string // the filters that cover what it may subscribe
	Publ []string // the filters that cover what it may publish
}

// The names of hubs and watchers hold a slash, which an agent's name can't: so nobody can be given the name of an
// agent, or of a hub, by accident, and take over its connection.
const (
	hubPrefix     = "hub/"
	watcherPrefix = "watch/"
)

// ForHub is what a hub may do: say everything of servers, ask agents, hear their answers, and see who is there.
// Its own status is the only one that it may publish. The client's name is "hub/" and the id.
func ForHub(env, id string) (Grant, error) {
	var s speller
	g := Grant{
		Name: hubPrefix + id,
		Subs: []string{
			s.spell(topic.ServersFilter(env)), s.spell(topic.StatusesFilter(env)),
			s.spell(topic.AllDataFilter(env)), s.spell(topic.HubsFilter(env)),
		},
		Publ: []string{
			s.spell(topic.ServersFilter(env)), s.spell(topic.RequestsFilter(env)), s.spell(topic.Hub(env, id)),
		},
	}
	return s.grant(g)
}

// ForAgent is what an agent may do: hear its own requests, publish its own status and its own data.
// The client's name is the agent's.
func ForAgent(env, name string) (Grant, error) {
	var s speller
	g := Grant{
		Name: name,
		Subs: []string{s.spell(topic.RequestsToFilter(env, name))},
		Publ: []string{s.spell(topic.Status(env, name)), s.spell(topic.DataFilter(env, name))},
	}
	return s.grant(g)
}

// ForWatcher is what a watcher may do: read everything of servers, and see which agents and hubs are there.
// It may publish nothing. The client's name is "watch/" and the name.
func ForWatcher(env, name string) (Grant, error) {
	var s speller
	s.check(topic.CheckName(name))
	g := Grant{
		Name: watcherPrefix + name,
		Subs: []string{
			s.spell(topic.ServersFilter(env)), s.spell(topic.StatusesFilter(env)), s.spell(topic.HubsFilter(env)),
		},
	}
	return s.grant(g)
}

// speller collects topics and keeps the first error, so that a grant reads as a list.
type speller struct {
	err error
}

func (s *speller) spell(text string, err error) string {
	s.check(err)
	return text
}

func (s *speller) check(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *speller) grant(g Grant) (Grant, error) {
	if s.err != nil {
		return Grant{}, fmt.Errorf("grant %q what it needs: %w", g.Name, s.err)
	}
	return g, nil
}

// OwnsClient tells whether a client id is this client's: its name, or its name, a colon and more. With the same
// client id one connection takes over from another, so nobody may use one of somebody else.
func (g Grant) OwnsClient(id string) bool {
	rest, ok := strings.CutPrefix(id, g.Name)
	return ok && (rest == "" || rest[0] == ':')
}

// MaySubscribe tells whether everything that a filter brings is granted; the filter may be a plain topic.
func (g Grant) MaySubscribe(filter string) bool {
	return topic.CheckFilter(filter) == nil && coveredByAny(g.Subs, filter)
}

// MayPublish tells whether publishing to a topic is granted.
func (g Grant) MayPublish(name string) bool {
	return !strings.ContainsAny(name, "+#") && coveredByAny(g.Publ, name)
}

func coveredByAny(granted []string, asked string) bool {
	for _, filter := range granted {
		if topic.Covers(filter, asked) {
			return true
		}
	}
	return false
}

// check tells whether a grant makes sense: a broken filter would grant what nobody meant, and a name with a colon
// would own the client ids of another.
func (g Grant) check() error {
	if g.Name == "" || strings.Contains(g.Name, ":") {
		return fmt.Errorf("not a client's name: %.100q", g.Name)
	}
	for _, filter := range append(append([]string(nil), g.Subs...), g.Publ...) {
		if err := topic.CheckFilter(filter); err != nil {
			return fmt.Errorf("grant %s what it needs: %w", g.Name, err)
		}
	}
	return nil
}

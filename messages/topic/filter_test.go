package topic_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truechimer/messages/topic"
)

// A right covers what lies within it and nothing beside it.
func TestARightCoversWhatLiesWithin(t *testing.T) {
	for _, row := range []struct {
		name, granted, asked string
		want                 bool
	}{
		{"itself", "/p/a", "/p/a", true},
		{"a sibling", "/p/a", "/p/b", false},
		{"below", "/p/a", "/p/a/b", false},
		{"above", "/p/a", "/p", false},
		{"the rest", "/p/#", "/p/a/b", true},
		{"the rest, the parent", "/p/#", "/p", true},
		{"the rest of a level more", "/p/#", "/", false},
		{"the rest, wildcards below", "/p/#", "/p/+/b/#", true},
		{"the rest, itself", "/p/#", "/p/#", true},
		{"the rest, a wider one", "/p/#", "/#", false},
		{"the rest, everything", "/p/#", "#", false},
		{"the rest, a wildcard above", "/p/#", "/+/a", false},
		{"one level", "/p/+/s", "/p/a/s", true},
		{"one level, itself", "/p/+/s", "/p/+/s", true},
		{"one level, two", "/p/+/s", "/p/a/b/s", false},
		{"one level, the rest", "/p/+", "/p/#", false},
		{"one level, none", "/p/+", "/p", false},
		{"an empty level", "/p/+", "/p/", true},
		{"a word, a wildcard", "/p/a", "/p/+", false},
		{"everything", "#", "/p/a", true},
		{"everything but the system's", "#", "$SYS/broker", false},
		{"a level but the system's", "+/broker", "$SYS/broker", false},
		{"the system's", "$SYS/#", "$SYS/broker", true},
		{"a shared one", "/p/#", "$share/g//p/a", false},
	} {
		if have := topic.Covers(row.granted, row.asked); have != row.want {
			t.Errorf("%s: %q covers %q: have %v, want %v", row.name, row.granted, row.asked, have, row.want)
		}
	}
}

// A right that covers a filter covers every topic that the filter brings; one that doesn't, misses some topic.
func TestCoveringIsInclusion(t *testing.T) {
	topics := shortTopics()
	rapid.Check(t, func(t *rapid.T) {
		granted, asked := drawFilter(t, "granted"), drawFilter(t, "asked")
		included := true
		for _, text := range topics {
			if brings(strings.Split(asked, "/"), strings.Split(text, "/")) &&
				!brings(strings.Split(granted, "/"), strings.Split(text, "/")) {
				included = false
			}
		}
		if asked == "#" {
			included = granted == "#" // "+/#" would say the same, but a right isn't written like that
		}
		if have := topic.Covers(granted, asked); have != included {
			t.Errorf("%q covers %q: have %v, want %v", granted, asked, have, included)
		}
	})
}

// shortTopics are all topics of up to five levels of three words; the third stands for any that no filter names.
func shortTopics() []string {
	var topics []string
	level := []string{"a", "b", "other"}
	topics = append(topics, level...)
	for range 4 {
		var longer []string
		for _, text := range level {
			longer = append(longer, text+"/a", text+"/b", text+"/other")
		}
		topics = append(topics, longer...)
		level = longer
	}
	return topics
}

func drawFilter(t *rapid.T, label string) string {
	levels := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "+"}), 0, 3).Draw(t, label)
	if len(levels) == 0 || rapid.Bool().Draw(t, label+" ends with #") {
		levels = append(levels, "#")
	}
	return strings.Join(levels, "/")
}

// brings is MQTT 3.1.1 section 4.7 word for word: what a filter brings to its subscriber.
func brings(filter, topic []string) bool {
	switch {
	case len(filter) == 0:
		return len(topic) == 0
	case filter[0] == "#":
		return true
	case len(topic) == 0 || filter[0] != "+" && filter[0] != topic[0]:
		return false
	}
	return brings(filter[1:], topic[1:])
}

// A text is a filter when its wildcards stand alone in their levels.
func TestWildcardsStandAlone(t *testing.T) {
	for text, want := range map[string]bool{
		"/p/a": true, "/p/+/s": true, "/p/#": true, "#": true, "+": true, "/": true,
		"": false, "/p/a+": false, "/p/#/s": false, "/p/a#": false, "/p/++": false, "/p/\x00": false,
	} {
		if err := topic.CheckFilter(text); (err == nil) != want {
			t.Errorf("%q: have error %v, want a filter: %v", text, err, want)
		}
	}
}

// Asking for a right costs no allocation, since a broker asks for each message and reader.
func TestAskingForARightAllocatesNothing(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		topic.Covers("/prod/servers/#", "/prod/servers/192.0.2.1/sample/local")
		if topic.CheckFilter("/prod/servers/192.0.2.1/sample/local") != nil {
			t.Error("a topic is no filter")
		}
	})
	if n != 0 {
		t.Errorf("have %v allocations, want none", n)
	}
}

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"truechimer/hub/live"
	"truechimer/messages"
	"truechimer/messages/topic"
)

// reader makes lines of what a hub tells: for a person, or as JSON for a program.
type reader struct {
	filter string // in lower case; empty: everything is wanted
	asJSON bool
	names  map[string]string // of servers, by address
	width  int               // of the longest name so far
}

func newReader(filter string, asJSON bool) *reader {
	return &reader{filter: strings.ToLower(filter), asJSON: asJSON, names: make(map[string]string)}
}

// read makes a line of a message; false: it isn't one of those asked for, or can't be read.
func (r *reader) read(m live.Message) (line string, wanted bool) {
	named, err := topic.Parse(m.Topic)
	if err != nil {
		return "", false
	}
	switch named.Kind {
	case topic.KindScore:
		score, err := messages.DecodeLiveScore(m.Payload)
		if err != nil {
			return "", false
		}
		r.names[score.Server] = score.Hostname
		return r.line(m, r.scoreText(score)), r.wants(score.Server, score.Monitor)
	case topic.KindSample:
		sample, err := messages.DecodeLiveSample(m.Payload)
		if err != nil {
			return "", false
		}
		return r.line(m, r.sampleText(sample)), r.wants(sample.Server, sample.Monitor)
	case topic.KindSelection:
		change, err := messages.DecodeLiveSelection(m.Payload)
		if err != nil {
			return "", false
		}
		return r.line(m, r.selectionText(change)), r.wants(change.Server, change.Monitor)
	}
	return "", false
}

// wants tells whether a message about a server and a monitor is asked for.
func (r *reader) wants(server, monitor string) bool {
	for _, text := range []string{server, r.names[server], monitor} {
		if strings.Contains(strings.ToLower(text), r.filter) {
			return true
		}
	}
	return false
}

// line is a text or, for a program, the message that it says.
func (r *reader) line(m live.Message, text string) string {
	if !r.asJSON {
		return text
	}
	var line bytes.Buffer
	if err := json.Compact(&line, m.Payload); err != nil {
		panic(err) // it has been read as JSON
	}
	return line.String()
}

// scoreText says what a server is worth now, and why it changed.
func (r *reader) scoreText(s *messages.LiveScore) string {
	if !s.Known {
		return fmt.Sprintf("%-8s  %s  no score yet, %d active, %d testing", "-", r.name(s.Server), s.Active, s.Testing)
	}
	text := fmt.Sprintf("%s  %s  score %6.1f, %d active, %d testing", clock(s.Ts), r.name(s.Server), s.Score, s.Active, s.Testing)
	if s.Monitor != "" {
		text += fmt.Sprintf(", step %+.2f: %s", s.Step, s.Reason)
	}
	return text
}

// sampleText says what one monitor saw.
func (r *reader) sampleText(s *messages.LiveSample) string {
	said := []string{s.Reason}
	if s.Error != "" && s.Error != s.Reason {
		said = append(said, s.Error)
	}
	if s.OffsetMs != nil {
		said = append(said, fmt.Sprintf("offset %+.3f ms", *s.OffsetMs))
	}
	if s.RttMs != nil {
		said = append(said, fmt.Sprintf("RTT %.3f ms", *s.RttMs))
	}
	return fmt.Sprintf("%s  %s  %s: %s", clock(s.Ts), r.name(s.Server), s.Monitor, strings.Join(said, ", "))
}

// selectionText says what a monitor is for a server from now on, and why.
func (r *reader) selectionText(c *messages.LiveSelection) string {
	return fmt.Sprintf("%s  %s  %s: %s → %s: %s", clock(c.Ts), r.name(c.Server), c.Monitor, cmp.Or(c.From, "new"), c.To, c.Reason)
}

// name is a server's address with its name, as wide as the widest one so far.
func (r *reader) name(server string) string {
	text := withReason(server, r.names[server])
	r.width = max(r.width, len(text))
	return fmt.Sprintf("%-*s", r.width, text)
}

// clock is the time of day in UTC of a time in Unix s.
func clock(ts float64) string {
	return time.UnixMicro(int64(ts * 1e6)).UTC().Format(time.TimeOnly)
}

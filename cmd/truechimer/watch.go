package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/rs/zerolog"

	"truechimer/hub/live"
	"truechimer/messages"
	"truechimer/messages/topic"
)

func watchCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer watch")
	state := stateFlag(fs)
	url := fs.String("mqtt-url", "", "`URL` of the broker, if not that of the hub of the state folder")
	user := fs.String("mqtt-user", "", "`name` for the broker of --mqtt-url")
	password := fs.String("mqtt-token", "", "`token` for the broker of --mqtt-url")
	deployment := fs.String("deployment-mode", "devel", "`mode` of the hub of --mqtt-url: devel, test or prod")
	asJSON := fs.Bool("json", false, "the messages as they are, one JSON object a line")
	return &ffcli.Command{
		Name:       "watch",
		ShortUsage: "truechimer watch [flags] [FILTER]",
		ShortHelp:  "show live what is measured and how scores move",
		LongHelp:   "FILTER is a part of an address, of a server's name or of a monitor's: only lines with it are shown.",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 1 {
				return usagef("truechimer watch takes one FILTER at most")
			}
			access := liveAccess{URL: *url, User: *user, Token: *password, Deployment: *deployment}
			if access.URL == "" {
				var err error
				if access, err = readLive(*state); err != nil {
					return err
				}
			}
			w := &watcher{con: con, filter: strings.Join(args, ""), asJSON: *asJSON, names: make(map[string]string)}
			return w.watch(ctx, access)
		},
	}
}

// watcher prints what it hears.
type watcher struct {
	con    console
	filter string
	asJSON bool
	names  map[string]string // of servers, by address
	width  int               // of the longest name so far
	down   bool              // there is no connection
	broken chan error        // gets why nothing can be printed any more
}

// watch prints until the context ends or nobody reads any more.
func (w *watcher) watch(ctx context.Context, access liveAccess) error {
	servers, err := topic.ServersFilter(access.Deployment)
	if err != nil {
		return usageError{err}
	}
	w.broken = make(chan error, 1)
	subscriber, err := live.Subscribe(ctx, live.Subscription{
		Access: live.Access{
			URL: access.URL, User: access.User, ClientID: access.User + ":" + rand.Text(),
			Token: func() (string, error) { return access.Token, nil },
		},
		Filters:   []string{servers},
		Log:       zerolog.Nop(),
		OnMessage: w.onMessage,
		OnState: func(err error) {
			if ctx.Err() == nil {
				w.onState(err)
			}
		},
	})
	if err != nil {
		return err
	}
	defer subscriber.Close()
	select {
	case <-ctx.Done():
		return nil
	case err := <-w.broken:
		if errors.Is(err, syscall.EPIPE) {
			return nil // whoever read has enough
		}
		return err
	}
}

// onState says on stderr when the lines stop, and when they go on.
func (w *watcher) onState(err error) {
	switch {
	case err != nil && !w.down:
		fmt.Fprintln(w.con.stderr, "truechimer: not live:", err)
	case err == nil && w.down:
		fmt.Fprintln(w.con.stderr, "truechimer: live again")
	}
	w.down = err != nil
}

// onMessage prints a message if it is one of those asked for.
func (w *watcher) onMessage(m live.Message) {
	line, err := w.line(m)
	if err != nil || line == "" || !strings.Contains(line, w.filter) {
		return
	}
	if _, err := io.WriteString(w.con.stdout, line+"\n"); err != nil {
		select {
		case w.broken <- err:
		default:
		}
	}
}

// line is a message as a person, or with --json a program, reads it; empty for one of no interest.
func (w *watcher) line(m live.Message) (string, error) {
	named, err := topic.Parse(m.Topic)
	if err != nil {
		return "", err
	}
	switch named.Kind {
	case topic.KindScore:
		score, err := messages.DecodeLiveScore(m.Payload)
		if err != nil {
			return "", err
		}
		w.names[score.Server] = score.Hostname
		if w.asJSON {
			return string(m.Payload), nil
		}
		return w.scoreLine(score), nil
	case topic.KindSample:
		sample, err := messages.DecodeLiveSample(m.Payload)
		if err != nil {
			return "", err
		}
		if w.asJSON {
			return string(m.Payload), nil
		}
		return w.sampleLine(sample), nil
	}
	return "", nil
}

// scoreLine says what a server is worth now, and why it changed.
func (w *watcher) scoreLine(s *messages.LiveScore) string {
	if !s.Known {
		return fmt.Sprintf("%8s  %s  no score yet", "", w.name(s.Server))
	}
	text := fmt.Sprintf("%s  %s  score %6.1f, %d active, %d testing", clock(s.Ts), w.name(s.Server), s.Score, s.Active, s.Testing)
	if s.Monitor != "" {
		text += fmt.Sprintf(", step %+.2f: %s", s.Step, s.Reason)
	}
	return text
}

// sampleLine says what one monitor saw.
func (w *watcher) sampleLine(s *messages.LiveSample) string {
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
	return fmt.Sprintf("%s  %s  %s: %s", clock(s.Ts), w.name(s.Server), s.Monitor, strings.Join(said, ", "))
}

// name is a server's address with its name, as wide as the widest one so far.
func (w *watcher) name(server string) string {
	text := server
	if name := w.names[server]; name != "" {
		text = fmt.Sprintf("%s (%s)", server, name)
	}
	w.width = max(w.width, len(text))
	return fmt.Sprintf("%-*s", w.width, text)
}

// clock is the time of day in UTC of a time in Unix s.
func clock(ts float64) string {
	return time.UnixMilli(int64(ts * 1000)).UTC().Format(time.TimeOnly)
}

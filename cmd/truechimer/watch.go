package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/rs/zerolog"

	"truechimer/hub/live"
	"truechimer/hub/mqttlink"
	"truechimer/messages/topic"
)

func watchCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer watch")
	watch := watch{
		con:        con,
		state:      stateFlag(fs),
		url:        fs.String("mqtt-url", "", "`URL` of the broker, if not that of the hub of the state folder"),
		user:       fs.String("mqtt-user", "", "`name` for the broker of --mqtt-url"),
		token:      fs.String("mqtt-token", "", "`token` for the broker of --mqtt-url"),
		deployment: deploymentFlag(fs, "that of the hub of --mqtt-url"),
		asJSON:     fs.Bool("json", false, "the messages as they are, one JSON object a line"),
	}
	return &ffcli.Command{
		Name:       "watch",
		ShortUsage: "truechimer watch [flags] [FILTER]",
		ShortHelp:  "show live what is measured and how scores move",
		LongHelp:   "FILTER is a part of a server's address, of its name or of a monitor's: only what is about them is shown.",
		FlagSet:    fs,
		Exec:       watch.run,
	}
}

// watch prints what a hub tells over MQTT.
type watch struct {
	con                          console
	state                        *string
	url, user, token, deployment *string
	asJSON                       *bool
}

// run prints until the context ends or nobody reads any more.
func (c watch) run(ctx context.Context, args []string) error {
	if len(args) > 1 {
		return usagef("truechimer watch takes one FILTER at most")
	}
	if err := checkDeployment(*c.deployment); err != nil {
		return err
	}
	if err := checkBroker(*c.url); err != nil {
		return err
	}
	access, err := c.access()
	if err != nil {
		return err
	}
	servers, err := topic.ServersFilter(access().Deployment)
	if err != nil {
		return usageError{err}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := &watcher{con: c.con, reader: newReader(strings.Join(args, ""), *c.asJSON), stop: stop}
	subscriber, err := live.Subscribe(ctx, live.Subscription{
		Access: live.Access{
			URL: access().URL, User: access().User, ClientID: access().User + ":" + rand.Text(),
			Token: func() (string, error) { return access().Token, nil },
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
	<-ctx.Done()
	subscriber.Close()
	return nil
}

// access is how to get in: as the flags say, or else as the hub of the state folder does, anew for each connection,
// since the hub renews it. A broker that is both in the flags and the hub's takes what the hub gives.
func (c watch) access() (func() liveAccess, error) {
	flagged := liveAccess{URL: *c.url, User: *c.user, Token: *c.token, Deployment: *c.deployment}
	dir, err := stateDir(*c.state)
	if err != nil && flagged.URL == "" {
		return nil, err
	}
	known, err := readLive(dir)
	if flagged.URL != "" && (err != nil || flagged.URL != known.URL || flagged.Token != "") {
		return func() liveAccess { return flagged }, nil
	}
	if err != nil {
		return nil, err
	}
	return func() liveAccess {
		if renewed, err := readLive(dir); err == nil {
			known.Token = renewed.Token
		}
		return known
	}, nil
}

// watcher prints what it hears. Its methods are called one at a time.
type watcher struct {
	con    console
	reader *reader
	down   bool   // there is no connection
	stop   func() // ends the watching
}

// onState says on stderr when the lines stop, and when they go on.
func (w *watcher) onState(err error) {
	if errors.Is(err, mqttlink.ErrRenew) {
		return // the next connection follows at once
	}
	switch {
	case err != nil && !w.down:
		fmt.Fprintln(w.con.stderr, "truechimer: not live:", err)
	case err == nil && w.down:
		fmt.Fprintln(w.con.stderr, "truechimer: live again")
	}
	w.down = err != nil
}

// onMessage prints a message if it is one of those asked for. When nothing can be printed any more, it is over.
func (w *watcher) onMessage(m live.Message) {
	line, wanted := w.reader.read(m)
	if !wanted {
		return
	}
	if _, err := io.WriteString(w.con.stdout, line+"\n"); err != nil {
		w.stop()
	}
}

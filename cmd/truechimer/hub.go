package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"truechimer/cmd/wall"
	"truechimer/hub"
)

// closeWithin bounds an orderly end; the service manager, or the person, waits for it.
const closeWithin = 4 * time.Second

// hubFlags are those of a hub and of `up`.
type hubFlags struct {
	deployment *string
	agents     *string
	http       *string
	mqtt       *string
	mqttURL    *string
}

func newHubFlags(fs *flag.FlagSet, agents string) hubFlags {
	return hubFlags{
		deployment: fs.String("deployment-mode", "devel", "`mode`: devel, test or prod; the first part of all MQTT topics"),
		agents:     fs.String("agent-listen", agents, "`host:port` for the links of agents"),
		http:       fs.String("http-listen", "127.0.0.1:8123", "`host:port` for HTTP"),
		mqtt:       fs.String("mqtt-listen", "127.0.0.1:1883", "`host:port` of the MQTT broker inside"),
		mqttURL:    fs.String("mqtt-url", "", "`URL` of an MQTT broker of your own, as mqtt://host:1883 or mqtts://host:8883, instead of the one inside"),
	}
}

// options are a hub's, but for its store.
func (f hubFlags) options() (hub.Options, error) {
	switch *f.deployment {
	case "devel", "test", "prod":
	default:
		return hub.Options{}, usagef("--deployment-mode %q is none of devel, test, prod", *f.deployment)
	}
	id, err := os.Hostname()
	if err != nil {
		return hub.Options{}, fmt.Errorf("find the name of this machine: %w", err)
	}
	return hub.Options{
		ID:          id,
		Version:     version,
		Deployment:  *f.deployment,
		AgentListen: *f.agents,
		HTTPListen:  *f.http,
		MQTTListen:  *f.mqtt,
		MQTTURL:     *f.mqttURL,
		Runtime:     wall.New(),
	}, nil
}

func hubCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer hub")
	flags := newHubFlags(fs, ":7443")
	dsn, state, level := dsnFlag(fs), stateFlag(fs), logFlag(fs)
	return &ffcli.Command{
		Name:       "hub",
		ShortUsage: "truechimer hub [flags]",
		ShortHelp:  "run a hub: it collects what agents measure, scores it and keeps it",
		LongHelp:   "Without --database-dsn the hub runs a private MariaDB in its state folder.",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("truechimer hub takes no arguments")
			}
			log, err := newLogger(con, *level)
			if err != nil {
				return err
			}
			options, err := flags.options()
			if err != nil {
				return err
			}
			options.Log = log
			started := time.Now()
			db, err := openFor(ctx, *dsn, *state, forGood, log)
			if err != nil {
				return err
			}
			defer db.Close()
			options.Store = db
			return runHub(ctx, options, *state, func(h *hub.Hub) (func(), error) {
				sayReady(con, started, h, db.where(*dsn))
				fmt.Fprintf(con.stdout, "agents connect to %s\n", h.AgentAddr())
				return func() {}, nil
			})
		},
	}
}

// runHub runs a hub until the context ends or it may not go on. What begins when the hub is ready ends before it does.
func runHub(ctx context.Context, options hub.Options, state string, begin func(*hub.Hub) (end func(), err error)) error {
	h, err := hub.Start(ctx, options)
	if err != nil {
		return err
	}
	defer closing(h.Close)
	if err := awaitReady(ctx, h); err != nil {
		return quietly(ctx, err)
	}
	if err := shareLive(state, h); err != nil {
		return err
	}
	end, err := begin(h)
	if err != nil {
		return err
	}
	defer end()
	select {
	case <-ctx.Done():
		return nil
	case err := <-h.Halted():
		return err
	}
}

// awaitReady waits until the hub serves all shards.
func awaitReady(ctx context.Context, h *hub.Hub) error {
	select {
	case <-h.Ready():
		return nil
	case err := <-h.Halted():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// quietly makes an end that was asked for no error.
func quietly(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// closing gives an orderly end its time, whatever has become of the command's own context.
func closing(end func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	end(ctx)
}

// sayReady prints the one line that tells that all is there, and where.
func sayReady(con console, started time.Time, h *hub.Hub, database string) {
	fmt.Fprintf(con.stdout, "ready in %.1f s: http http://%s, mqtt %s, database %s\n",
		time.Since(started).Seconds(), h.HTTPAddr(), h.MQTTURL(), database)
}

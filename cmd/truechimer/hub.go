package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/rs/zerolog"

	"truechimer/cmd/wall"
	"truechimer/hub"
	"truechimer/hub/mqttlink"
)

// hubFlags are those of a hub and of `up`.
type hubFlags struct {
	deployment *string
	agents     *string
	http       *string
	mqtt       *string
	mqttURL    *string
	level      *string
}

func newHubFlags(fs *flag.FlagSet, agents string, level zerolog.Level) hubFlags {
	return hubFlags{
		deployment: deploymentFlag(fs, "the first part of all MQTT topics"),
		agents:     fs.String("agent-listen", agents, "`host:port` for the links of agents"),
		http:       fs.String("http-listen", "127.0.0.1:8123", "`host:port` for HTTP"),
		mqtt:       fs.String("mqtt-listen", "127.0.0.1:1883", "`host:port` of the MQTT broker inside"),
		mqttURL:    fs.String("mqtt-url", "", "`URL` of an MQTT broker of your own, as mqtt://host:1883 or mqtts://host:8883, instead of the one inside"),
		level:      logFlag(fs, level),
	}
}

// deploymentFlag adds --deployment-mode to a command.
func deploymentFlag(fs *flag.FlagSet, meaning string) *string {
	return fs.String("deployment-mode", "devel", "`mode`: devel, test or prod; "+meaning+"; else $DEPLOYMENT_MODE")
}

// checkDeployment takes the modes that there are.
func checkDeployment(mode string) error {
	switch mode {
	case "devel", "test", "prod":
		return nil
	}
	return usagef("--deployment-mode %q is none of devel, test, prod", mode)
}

// checkBroker takes a URL by which a broker can be reached, or none.
func checkBroker(url string) error {
	if url == "" {
		return nil
	}
	if err := mqttlink.CheckURL(url); err != nil {
		return usagef("--mqtt-url: %w", err)
	}
	return nil
}

// options are a hub's, but for its store.
func (f hubFlags) options(con console) (hub.Options, error) {
	if err := checkDeployment(*f.deployment); err != nil {
		return hub.Options{}, err
	}
	for name, value := range map[string]string{"--agent-listen": *f.agents, "--http-listen": *f.http, "--mqtt-listen": *f.mqtt} {
		if _, _, err := net.SplitHostPort(value); err != nil {
			return hub.Options{}, usagef("%s %q is not host:port", name, value)
		}
	}
	if err := checkBroker(*f.mqttURL); err != nil {
		return hub.Options{}, err
	}
	log, err := newLogger(con, *f.level)
	if err != nil {
		return hub.Options{}, err
	}
	name, err := os.Hostname()
	if err != nil {
		return hub.Options{}, fmt.Errorf("find the name of this machine: %w", err)
	}
	return hub.Options{
		ID:          hubID(name),
		Version:     version,
		Deployment:  *f.deployment,
		AgentListen: *f.agents,
		HTTPListen:  *f.http,
		MQTTListen:  *f.mqtt,
		MQTTURL:     *f.mqttURL,
		Runtime:     wall.New(),
		Log:         log,
	}, nil
}

// hubID is a machine's name as far as it can stand in a topic: a machine that nobody has named may be called "(none)".
func hubID(hostname string) string {
	id := strings.Trim(strings.Map(func(r rune) rune {
		if r != '.' && isForeignToNames(r) {
			return '-'
		}
		return r
	}, hostname), "-")
	if id == "" {
		return "hub"
	}
	return id
}

func hubCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer hub")
	c := hubService{con: con, flags: newHubFlags(fs, ":7443", zerolog.InfoLevel), database: newDatabaseFlags(fs)}
	return &ffcli.Command{
		Name:       "hub",
		ShortUsage: "truechimer hub [flags]",
		ShortHelp:  "run a hub: it collects what agents measure, scores it and keeps it",
		LongHelp:   "Without a DSN the hub runs a private MariaDB in its state folder.",
		FlagSet:    fs,
		Exec:       noArguments("truechimer hub", c.run),
	}
}

// hubService is a hub alone: its agents are elsewhere.
type hubService struct {
	con      console
	flags    hubFlags
	database databaseFlags
}

func (c hubService) run(ctx context.Context) error {
	started := time.Now()
	options, err := c.flags.options(c.con)
	if err != nil {
		return err
	}
	home, err := moveIn(ctx, *c.database.state)
	if err != nil {
		return untilTold(ctx, err)
	}
	defer home.moveOut()
	if err := hub.CheckPorts(options); err != nil {
		return err
	}
	db, err := openOwn(ctx, *c.database.dsn, home.dir, options.Log)
	if err != nil {
		return untilTold(ctx, err)
	}
	defer db.Close()
	n := node{con: c.con, started: started, state: home.dir, options: options, db: db}
	return n.run(ctx, stages{
		ready: func(_ context.Context, h *hub.Hub) (func(context.Context), error) {
			n.sayReady(h)
			fmt.Fprintf(c.con.stdout, "agents connect to %s\n", h.AgentAddr())
			return func(context.Context) {}, nil
		},
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/rs/zerolog"

	"truechimer/agentnode"
	"truechimer/agentnode/identity"
	"truechimer/cmd/wall"
)

const (
	// agentEndsWithin bounds an agent's orderly end: a goodbye to the hub takes one round trip, one to the broker another.
	agentEndsWithin = 4 * time.Second

	// renewBefore is how long before the end of its identity an agent says that it takes another one.
	renewBefore = 10 * 24 * time.Hour
)

func agentRunCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer agent run")
	c := agentRun{
		con:          con,
		state:        stateFlag(fs),
		level:        logFlag(fs, zerolog.InfoLevel),
		file:         fs.String("identity", "", "`file` that truechimer agents add wrote; else agent.pem in the state folder"),
		hub:          fs.String("hub", "", "`host:port` of the hub, if it isn't the one in the identity"),
		allowPrivate: allowPrivateFlag(fs),
	}
	return &ffcli.Command{
		Name:       "run",
		ShortUsage: "truechimer agent run [flags]",
		ShortHelp:  "probe the servers that the hub assigns, until it is told to end",
		FlagSet:    fs,
		Exec:       noArguments("truechimer agent run", c.run),
	}
}

// agentRun is an agent alone: its hub is elsewhere.
type agentRun struct {
	con                     console
	state, level, file, hub *string
	allowPrivate            *bool
}

func (c agentRun) run(ctx context.Context) error {
	log, err := newLogger(c.con, *c.level)
	if err != nil {
		return err
	}
	id, err := c.identity()
	if err != nil {
		return err
	}
	if left := time.Until(id.Until); left < renewBefore {
		log.Warn().Time("until", id.Until).Msg("the agent's identity ends; make another one where the hub is")
	}
	shown := newPresence(id.Name, log)
	agent, err := agentnode.Start(agentnode.Options{
		Identity: id, Version: version, Runtime: wall.New(), Log: log, Presence: shown, AllowPrivate: *c.allowPrivate,
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), agentEndsWithin)
	defer cancel()
	agent.Close(closing)
	shown.wait(closing)
	return nil
}

// identity reads the agent's identity from a file, or from the state folder.
func (c agentRun) identity() (identity.Identity, error) {
	if *c.hub != "" {
		if err := checkHostPort("--hub", *c.hub); err != nil {
			return identity.Identity{}, usageError{err}
		}
	}
	id, err := readIdentity(*c.file, *c.state)
	if *c.hub != "" {
		id.Hub = *c.hub
	}
	return id, err
}

func readIdentity(file, stateFlag string) (identity.Identity, error) {
	if file == "" {
		dir, err := stateDir(stateFlag)
		if err != nil {
			return identity.Identity{}, err
		}
		file = filepath.Join(dir, identityFile)
	}
	const remedy = "make one where the hub is, with: truechimer agents add NAME --out FILE"
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return identity.Identity{}, fmt.Errorf("there is no identity in %s; %s", file, remedy)
	}
	if err != nil {
		return identity.Identity{}, fmt.Errorf("read the agent's identity: %w", err)
	}
	id, err := identity.Parse(text)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("%s: %w; %s", file, err, remedy)
	}
	return id, nil
}

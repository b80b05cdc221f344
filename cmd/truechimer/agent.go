package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/peterbourgon/ff/v3/ffcli"

	"truechimer/agentnode"
	"truechimer/agentnode/identity"
	"truechimer/cmd/wall"
)

// identityFile is an agent's identity in its state folder.
const identityFile = "agent.pem"

func agentCommand(con console) *ffcli.Command {
	return group("truechimer agent", "probe NTP servers for a hub", agentRunCommand(con))
}

func agentRunCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer agent run")
	state, level := stateFlag(fs), logFlag(fs)
	file := fs.String("identity", "", "`file` that `truechimer agents add` wrote; else agent.pem in the state folder")
	hubAddress := fs.String("hub", "", "`host:port` of the hub, if it isn't the one in the identity")
	allowPrivate := fs.Bool("allow-private", false, "probe addresses that aren't of the internet too, for tests and labs")
	return &ffcli.Command{
		Name:       "run",
		ShortUsage: "truechimer agent run [flags]",
		ShortHelp:  "probe the servers that the hub assigns, until it is told to end",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("truechimer agent run takes no arguments")
			}
			log, err := newLogger(con, *level)
			if err != nil {
				return err
			}
			id, err := readIdentity(*file, *state)
			if err != nil {
				return err
			}
			if *hubAddress != "" {
				id.Hub = *hubAddress
			}
			shown := newPresence(id.Name, log)
			defer shown.Wait()
			agent, err := agentnode.Start(agentnode.Options{
				Identity: id, Version: version, Runtime: wall.New(), Log: log,
				Presence: shown, AllowPrivate: *allowPrivate,
			})
			if err != nil {
				return err
			}
			<-ctx.Done()
			closing(agent.Close)
			return nil
		},
	}
}

// readIdentity reads the agent's identity from a file, or from the state folder.
func readIdentity(file, stateFlag string) (identity.Identity, error) {
	if file == "" {
		dir, err := stateDir(stateFlag)
		if err != nil {
			return identity.Identity{}, err
		}
		file = filepath.Join(dir, identityFile)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return identity.Identity{}, fmt.Errorf("there is no identity in %s; make one where the hub is, with: truechimer agents add NAME --out FILE", file)
	}
	if err != nil {
		return identity.Identity{}, fmt.Errorf("read the agent's identity: %w", err)
	}
	return identity.Parse(text)
}

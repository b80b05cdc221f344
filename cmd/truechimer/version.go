package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// Set by the Makefile with -ldflags -X; a binary built without it says so.
var (
	version = "unreleased"
	commit  = ""
)

func versionCommand(con console) *ffcli.Command {
	return &ffcli.Command{
		Name:       "version",
		ShortUsage: "truechimer version",
		ShortHelp:  "say which program this is",
		FlagSet:    newFlagSet("truechimer version"),
		Exec: noArguments("truechimer version", func(context.Context) error {
			fmt.Fprintf(con.stdout, "truechimer %s, commit %s, %s %s/%s\n",
				version, commitOf(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		}),
	}
}

// commitOf is the commit that the binary was built from, as far as the build knew it.
func commitOf() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

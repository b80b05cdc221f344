package main

import (
	"flag"
	"os"
	"time"

	"github.com/rs/zerolog"
)

// logFlag adds --log-level to a command that runs for long. A service logs at info, for its journal; what a person
// starts at a terminal at warn: whoever sits there is told on stdout what he wants to know.
func logFlag(fs *flag.FlagSet, level zerolog.Level) *string {
	return fs.String("log-level", level.String(), "least `level` that is logged: debug, info, warn or error; else $MONITOR_LOG_LEVEL")
}

// newLogger logs to stderr: for a person on a terminal, as JSON lines else.
func newLogger(con console, level string) (zerolog.Logger, error) {
	least, err := zerolog.ParseLevel(level)
	if err != nil || least < zerolog.DebugLevel || least > zerolog.ErrorLevel {
		return zerolog.Logger{}, usagef("--log-level %q is none of debug, info, warn, error", level)
	}
	out := con.stderr
	if isTerminal(con.stderr) {
		out = zerolog.ConsoleWriter{Out: con.stderr, TimeFormat: time.TimeOnly, NoColor: !wantsColor()}
	}
	return zerolog.New(out).Level(least).With().Timestamp().Logger(), nil
}

// wantsColor is no where a person has said so (https://no-color.org), or has a terminal that knows none.
func wantsColor() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

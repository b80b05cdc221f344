package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Who isn't at a terminal gets JSON lines, at the level that he asked for.
func TestLogsAreJSONLinesForPrograms(t *testing.T) {
	lines := map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1}
	for level, want := range lines {
		var stderr bytes.Buffer
		log, err := newLogger(newConsole(nil, &stderr), level)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug().Msg("a")
		log.Info().Msg("b")
		log.Warn().Msg("c")
		log.Error().Str("reason", "it broke").Msg("d")
		have := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		if len(have) != want {
			t.Errorf("%s: want %d lines, have %q", level, want, have)
		}
		var line struct{ Level, Time, Message, Reason string }
		if err := json.Unmarshal([]byte(have[len(have)-1]), &line); err != nil {
			t.Errorf("%s: %v", level, err)
		}
		if _, err := time.Parse(time.RFC3339, line.Time); err != nil || line.Level != "error" || line.Message != "d" || line.Reason != "it broke" {
			t.Errorf("%s: have %+v (%v)", level, line, err)
		}
	}
}

// terminal is a terminal's end for a program, and the person's end of it (pty(7)).
func terminal(t *testing.T) (program, person *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return program, person
}

// A person at a terminal gets lines to read, in colours unless he doesn't want them (no-color.org) or can't have them.
func TestLogsAreReadableAtATerminal(t *testing.T) {
	tests := []struct {
		name, noColor, term string
		colours             bool
	}{
		{"colours", "", "xterm", true},
		{"not wanted", "1", "xterm", false},
		{"a terminal without", "", "dumb", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("NO_COLOR", tt.noColor)
			t.Setenv("TERM", tt.term)
			program, person := terminal(t)
			log, err := newLogger(newConsole(nil, program), "info")
			if err != nil {
				t.Fatal(err)
			}
			log.Info().Str("monitor", "local").Msg("it works")
			var text [1 << 10]byte
			n, err := person.Read(text[:])
			if err != nil {
				t.Fatal(err)
			}
			line := string(text[:n])
			if strings.Contains(line, "{") || !strings.Contains(line, "it works") || strings.Contains(line, "\x1b[") != tt.colours {
				t.Errorf("want colours: %t, have %q", tt.colours, line)
			}
		})
	}
}

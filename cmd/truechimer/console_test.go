package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// call runs the program in this process, as a person calls it.
func call(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, problems bytes.Buffer
	code = run(t.Context(), newConsole(&out, &problems), args)
	return out.String(), problems.String(), code
}

// clean takes away what the variables of whoever runs the tests would change.
func clean(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir()) // no database.yaml here
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, environmentPrefix+"_") || name == "STATE_DIRECTORY" {
			t.Setenv(name, "")
		}
	}
	for _, name := range knownVariables() {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", "")
}

// A command whose reader has seen enough ends in silence; one whose results can't be written says so.
func TestWhereResultsGoIsWatched(t *testing.T) {
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	reader.Close()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	tests := []struct {
		name   string
		stdout *os.File
		code   int
		want   string
	}{
		{"reader gone", pipe, exitDone, ""},
		{"disk full", full, exitFailed, "truechimer: write the results: write /dev/full: no space left on device\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, args := range [][]string{{"version"}, {"-h"}} {
				var stderr bytes.Buffer
				code := run(t.Context(), newConsole(tt.stdout, &stderr), args)
				if code != tt.code || stderr.String() != tt.want {
					t.Errorf("%v: want exit code %d and %q, have %d and %q", args, tt.code, tt.want, code, stderr.String())
				}
			}
		})
	}
}

// Nothing is written after a write that failed: half of the results with a hole in them would be worse than none.
func TestNothingIsWrittenAfterAFailure(t *testing.T) {
	w := &choosy{refuses: 1}
	o := &outlet{to: w}
	for _, text := range []string{"a", "b", "c"} {
		o.Write([]byte(text))
	}
	if have := w.text.String(); have != "a" {
		t.Errorf("want a alone, have %q", have)
	}
}

// choosy refuses one write.
type choosy struct {
	text    bytes.Buffer
	writes  int
	refuses int // the index of the write
}

func (c *choosy) Write(p []byte) (int, error) {
	c.writes++
	if c.writes-1 == c.refuses {
		return 0, os.ErrClosed
	}
	return c.text.Write(p)
}

// Every way in which a call can be wrong has its exit code, one line on stderr and nothing on stdout.
func TestAWrongCallIsOneLineAndItsCode(t *testing.T) {
	clean(t)
	missing := t.TempDir() + "/missing"
	tests := []struct {
		name string
		args string
		code int
		want string // in the line
	}{
		{"no command", "", exitUsage, "a command is missing; truechimer -h lists them"},
		{"unknown command", "frobnicate", exitUsage, `truechimer has no command "frobnicate"`},
		{"no command of a group", "servers", exitUsage, "a command is missing; truechimer servers -h lists them"},
		{"unknown command of a group", "agents frobnicate", exitUsage, `truechimer agents has no command "frobnicate"`},
		{"unknown flag", "up --frobnicate", exitUsage, "not defined: -frobnicate; truechimer up -h shows"},
		{"unknown flag behind an argument", "check 192.0.2.1 --frobnicate", exitUsage, "not defined: -frobnicate"},
		{"a flag without its value", "up --state-dir", exitUsage, "needs an argument"},
		{"a number that is none", "check --samples many 192.0.2.1", exitUsage, `"many"`},
		{"too many samples", "check --samples 9 192.0.2.1", exitUsage, "--samples 9 is not between 1 and 8"},
		{"too few samples", "check --samples 0 192.0.2.1", exitUsage, "--samples 0 is not between 1 and 8"},
		{"nothing to check", "check", exitUsage, "at least one SERVER"},
		{"nothing to add", "servers add", exitUsage, "at least one SERVER"},
		{"nothing to remove", "servers remove", exitUsage, "at least one SERVER"},
		{"an argument too many", "servers list 192.0.2.1", exitUsage, `takes no arguments, and "192.0.2.1" is one`},
		{"an argument for a hub", "hub 192.0.2.1", exitUsage, "takes no arguments"},
		{"two filters", "watch a b", exitUsage, "one FILTER at most"},
		{"a mode that there isn't", "hub --deployment-mode live", exitUsage, `"live" is none of devel, test, prod`},
		{"a mode to watch that there isn't", "watch --deployment-mode live", exitUsage, `"live" is none of devel, test, prod`},
		{"a level that there isn't", "up --log-level loud", exitUsage, `"loud" is none of debug, info, warn, error`},
		{"a level of the library alone", "up --log-level trace", exitUsage, `"trace" is none of debug, info, warn, error`},
		{"no level", "up --log-level=", exitUsage, `"" is none of debug, info, warn, error`},
		{"a place to listen that is none", "up --http-listen 8123", exitUsage, `--http-listen "8123" is not host:port`},
		{"a reference that is none", "up --reference a/b", exitUsage, `reference "a/b" is neither host nor host:port`},
		{"a lab's port that is none", "up --lab-port 0", exitUsage, "--lab-port 0 is not between 1 and 65535"},
		{"a server that is none", "check http://example.org/", exitUsage, "http://example.org/"},
		{"a server without a name", "up :123", exitUsage, `":123" is neither`},
		{"an empty server", "check=", exitUsage, "no command"},
		{"loopback", "check 127.0.0.1", exitFailed, "127.0.0.1 isn't an address of the internet; it is probed only in tests and labs, with --allow-private"},
		{"a private address", "up 10.0.0.1:123", exitFailed, "10.0.0.1:123 is 10.0.0.1, which isn't an address of the internet"},
		{"multicast, whatever is allowed", "up --allow-private 224.0.1.1", exitFailed, "224.0.1.1 isn't the address of one server"},
		{"no address, whatever is allowed", "servers add --allow-private ::", exitFailed, ":: isn't the address of one server"},
		{"an address of this machine alone", "servers add --allow-private fe80::1%lo", exitFailed, "fe80::1%lo isn't the address of one server"},
		{"no database", "servers list --state-dir " + missing, exitFailed, "there is no database in " + missing + "; name one with --database-dsn or --state-dir, or start with: truechimer up SERVER"},
		{"no hub has run", "watch --state-dir " + missing, exitFailed, "no hub has run with the state folder " + missing},
		{"no broker's URL to watch", "watch --mqtt-url http://127.0.0.1", exitUsage, `--mqtt-url: read the broker's URL: "http://127.0.0.1" is none; want mqtt://host:1883, or with TLS mqtts://host:8883`},
		{"no broker's URL", "hub --mqtt-url http://me:secret@127.0.0.1", exitUsage, "want mqtt://host:1883, or with TLS mqtts://host:8883"},
		{"a broker's URL without a host", "up --mqtt-url mqtt://", exitUsage, `"mqtt:" is none; want mqtt://host:1883`},
		{"no identity", "agent run --state-dir " + missing, exitFailed, "there is no identity in " + missing + "/agent.pem; make one where the hub is"},
		{"not an identity", "agent run --identity /dev/null", exitFailed, "there is nothing of one in the file"},
		{"a hub's address that is none", "agent run --identity /dev/null --hub example.org", exitUsage, `--hub "example.org" is not host:port`},
		{"an agent's name that is none", "agents add Alpha", exitUsage, `agent's name "Alpha"`},
		{"two names", "agents add alpha beta", exitUsage, "takes one NAME"},
		{"a status that there isn't", "agents add alpha --status paused", exitUsage, `--status "paused" is none of pending, testing, active`},
		{"no address of an agent", "agents add alpha --ip example.org", exitUsage, `--ip "example.org" is not the address of one machine`},
		{"two addresses of one version", "agents add alpha --ip 192.0.2.1 --ip 192.0.2.2", exitUsage, "--ip takes one IPv4 and one IPv6 address"},
		{"no account", "agents add alpha --account=", exitUsage, "--account is empty"},
		{"a hub's port that is none", "agents add alpha --hub example.org:0", exitUsage, "has no port between 1 and 65535"},
		{"not a DSN", "servers list --database-dsn nonsense", exitFailed, "DSN"},
		{"nobody at the DSN", "servers list --database-dsn me:secret@tcp(127.0.0.1:1)/there", exitFailed, `connect to the database "there" at tcp(127.0.0.1:1) as "me"`},
		{"no configuration file", "up --config " + missing, exitUsage, missing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, code := call(t, strings.Fields(tt.args)...)
			if code != tt.code || !strings.Contains(stderr, tt.want) {
				t.Errorf("want exit code %d and %q, have %d and %q", tt.code, tt.want, code, stderr)
			}
			if stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "truechimer: ") {
				t.Errorf("want one line on stderr and nothing on stdout, have %q and %q", stderr, stdout)
			}
			if strings.Contains(stderr, "secret") {
				t.Errorf("the password shows: %s", stderr)
			}
		})
	}
}

// Who is told to end while he works on something hasn't done it; a service that is told to end has done what it should.
func TestAnInterruptedCommandHasFailed(t *testing.T) {
	clean(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for args, want := range map[string]string{
		"check --allow-private 127.0.0.1:1":        "truechimer: interrupted\n",
		"watch --mqtt-url mqtt://127.0.0.1:1":      "",
		"up --state-dir state --lab-port 21123":    "",
		"hub --state-dir state --http-listen :0":   "",
		"up --state-dir state 192.0.2.1 192.0.2.2": "",
	} {
		var stdout, stderr bytes.Buffer
		code := run(ctx, newConsole(&stdout, &stderr), strings.Fields(args))
		if diff := cmp.Diff(want, stderr.String()); diff != "" || (code == exitDone) != (want == "") {
			t.Errorf("%s: exit code %d, stderr (-want +have):\n%s", args, code, diff)
		}
	}
}

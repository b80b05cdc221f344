package main

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// parsed are a command's flags after a call, by name.
func parsed(args ...string) (map[string]string, []string, error) {
	root := commands(newConsole(nil, nil))
	equip(root)
	chosen, arranged := arrange(root, args)
	err := root.Parse(arranged)
	values := make(map[string]string)
	chosen.FlagSet.VisitAll(func(f *flag.Flag) { values[f.Name] = f.Value.String() })
	return values, chosen.FlagSet.Args(), err
}

// A flag beats its variable, which beats the configuration file, which beats the default: for each kind of flag,
// and for variables with a name of their own.
func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	tests := []struct {
		name, command, flag, variable, def string
	}{
		{"a text", "up", "http-listen", "TRUECHIMER_HTTP_LISTEN", "127.0.0.1:8123"},
		{"another default", "hub", "agent-listen", "TRUECHIMER_AGENT_LISTEN", ":7443"},
		{"a list", "up", "reference", "TRUECHIMER_REFERENCE", ""},
		{"the deployment mode", "hub", "deployment-mode", "DEPLOYMENT_MODE", "devel"},
		{"the DSN", "hub", "database-dsn", "DATABASE_DSN", ""},
		{"the state folder", "up", "state-dir", "MONITOR_STATE_DIR", ""},
		{"the log level of up", "up", "log-level", "MONITOR_LOG_LEVEL", "warn"},
		{"the log level of a hub", "hub", "log-level", "MONITOR_LOG_LEVEL", "info"},
		{"a known variable by its other name", "hub", "deployment-mode", "TRUECHIMER_DEPLOYMENT_MODE", "devel"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clean(t)
			check := func(want string, args ...string) {
				t.Helper()
				values, _, err := parsed(append([]string{tt.command}, args...)...)
				if err != nil || values[tt.flag] != want {
					t.Errorf("%v: want %q, have %q (%v)", args, want, values[tt.flag], err)
				}
			}
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, []byte("# a comment\n\n"+tt.flag+" from-file\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			check(tt.def)
			check("from-file", "--config", file)
			t.Setenv("TRUECHIMER_CONFIG", file)
			check("from-file")
			t.Setenv(tt.variable, "from-environment")
			check("from-environment")
			check("from-environment", "--config", file)
			check("from-flag", "--config", file, "--"+tt.flag, "from-flag")
			check("from-flag", "--"+tt.flag+"=from-flag")
		})
	}
}

// Switches are set by all three as well.
func TestSwitchesComeFromEverywhere(t *testing.T) {
	clean(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("allow-private\njson false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	values, _, err := parsed("check", "--config", file)
	if err != nil || values["allow-private"] != "true" || values["json"] != "false" {
		t.Errorf("have %v %v", values, err)
	}
	t.Setenv("TRUECHIMER_JSON", "true")
	values, arguments, err := parsed("check", "a", "--allow-private=false", "b", "--config", file)
	if err != nil || values["allow-private"] != "false" || values["json"] != "true" {
		t.Errorf("have %v %v", values, err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, arguments); diff != "" {
		t.Errorf("arguments (-want +have):\n%s", diff)
	}
}

// A list takes several values, one by one or parted by commas; where one is given on the command line, those of the
// environment are gone.
func TestListsTakeSeveralValues(t *testing.T) {
	clean(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("reference a\nreference b, c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, variable string
		args           []string
		want           string
	}{
		{"one by one", "", []string{"--reference", "a", "x", "--reference", "b"}, "a,b"},
		{"by commas", "", []string{"--reference", "a, b,,c"}, "a,b,c"},
		{"by a variable", "a,b", nil, "a,b"},
		{"by a file", "", []string{"--config", file}, "a,b,c"},
		{"the variable is replaced", "a,b", []string{"--reference", "c"}, "c"},
		{"the variable is replaced behind an argument", "a,b", []string{"x", "--reference", "c"}, "c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TRUECHIMER_REFERENCE", tt.variable)
			values, _, err := parsed(append([]string{"up"}, tt.args...)...)
			if err != nil || values["reference"] != tt.want {
				t.Errorf("want %s, have %s (%v)", tt.want, values["reference"], err)
			}
		})
	}
}

// One file serves all commands: each takes its own flags. A flag that no command has is a mistake.
func TestOneFileServesAllCommands(t *testing.T) {
	clean(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("state-dir /srv/there\nhttp-listen 127.0.0.1:1\nsamples 2\nmqtt-user me\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TRUECHIMER_CONFIG", file)
	for command, want := range map[string]map[string]string{
		"up":           {"state-dir": "/srv/there", "http-listen": "127.0.0.1:1"},
		"servers list": {"state-dir": "/srv/there"},
		"check":        {"samples": "2"},
		"watch":        {"state-dir": "/srv/there", "mqtt-user": "me"},
		"agent run":    {"state-dir": "/srv/there"},
		"version":      {},
		"servers":      {},
	} {
		values, _, err := parsed(strings.Fields(command)...)
		if err != nil {
			t.Errorf("%s: %v", command, err)
		}
		for name := range want {
			if values[name] != want[name] {
				t.Errorf("%s: want --%s %s, have %s", command, name, want[name], values[name])
			}
		}
	}
	if err := os.WriteFile(file, []byte("state-dri /srv/there\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := parsed("up"); err == nil || !strings.Contains(err.Error(), "state-dri") {
		t.Errorf("want a mistake that names state-dri, have %v", err)
	}
}

// Flags are the same before, between and behind arguments, until -- ends them.
func TestFlagsStandAnywhere(t *testing.T) {
	clean(t)
	tests := []struct {
		name      string
		args      []string
		samples   string
		arguments []string
	}{
		{"before", []string{"--samples", "2", "a", "b"}, "2", []string{"a", "b"}},
		{"between", []string{"a", "--samples", "2", "b"}, "2", []string{"a", "b"}},
		{"behind", []string{"a", "b", "-samples=2"}, "2", []string{"a", "b"}},
		{"the last counts", []string{"--samples", "1", "a", "--samples", "2"}, "2", []string{"a"}},
		{"a switch takes no value", []string{"--json", "a", "--samples", "2"}, "2", []string{"a"}},
		{"ended", []string{"a", "--", "--samples", "2"}, "3", []string{"a", "--samples", "2"}},
		{"a dash is an argument", []string{"-", "--samples", "2"}, "2", []string{"-"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			values, arguments, err := parsed(append([]string{"check"}, tt.args...)...)
			if err != nil || values["samples"] != tt.samples {
				t.Errorf("want --samples %s, have %s (%v)", tt.samples, values["samples"], err)
			}
			if diff := cmp.Diff(tt.arguments, arguments); diff != "" {
				t.Errorf("arguments (-want +have):\n%s", diff)
			}
		})
	}
}

// Wherever flags stand among arguments, they and the arguments keep their own order, and none is lost.
func TestPartitionKeepsEverythingInOrder(t *testing.T) {
	fs := newFlags("test")
	fs.String("text", "", "")
	fs.Bool("switch", false, "")
	rapid.Check(t, func(t *rapid.T) {
		var mixed, flags, arguments []string
		for range rapid.IntRange(0, 10).Draw(t, "words") {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				value := rapid.StringMatching(`-{0,2}[a-z]{0,3}`).Draw(t, "value")
				mixed, flags = append(mixed, "--text", value), append(flags, "--text", value)
			case 1:
				mixed, flags = append(mixed, "-switch"), append(flags, "-switch")
			case 2:
				mixed, flags = append(mixed, "--text=a"), append(flags, "--text=a")
			default:
				word := rapid.StringMatching(`-?|[a-z.:]{0,3}`).Draw(t, "argument")
				mixed, arguments = append(mixed, word), append(arguments, word)
			}
		}
		haveFlags, haveArguments, whole := partition(fs, mixed)
		if !slices.Equal(flags, haveFlags) || !slices.Equal(arguments, haveArguments) || !whole {
			t.Fatalf("%q: have %q and %q", mixed, haveFlags, haveArguments)
		}
		haveFlags, haveArguments, whole = partition(fs, append(mixed, "--text"))
		if !slices.Equal(append(flags, "--text"), haveFlags) || !slices.Equal(arguments, haveArguments) || whole {
			t.Fatalf("%q and a flag without its value: have %q and %q", mixed, haveFlags, haveArguments)
		}
	})
}

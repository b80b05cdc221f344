//go:build integration

package lab_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"truechimer/simulation/lab"
)

// chronydSays asks a server with chronyd: how many seconds it is ahead of our clock; false: chronyd doesn't trust it.
func chronydSays(t *testing.T, s lab.Server) (seconds float64, trusted bool) {
	t.Helper()
	path, err := exec.LookPath("chronyd")
	if err != nil {
		path = "/usr/sbin/chronyd" // where it is, outside of most users' PATH
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no chronyd to test against (%v): apt-get install chrony", err)
	}
	folder := t.TempDir()
	nothing := filepath.Join(folder, "chrony.conf")
	if err := os.WriteFile(nothing, nil, 0o600); err != nil {
		t.Fatalf("write chronyd's configuration: %v", err)
	}
	// -Q asks and prints, -t gives up after so many seconds, -U does without being root.
	said, _ := exec.Command(path, "-Q", "-U", "-t", "3", "-f", nothing, "cmdport 0", "pidfile "+folder+"/pid",
		fmt.Sprintf("server %s port %d iburst maxsamples 1", s.Addr.Addr(), s.Addr.Port())).CombinedOutput()
	if bytes.Contains(said, []byte("Timeout reached")) {
		return 0, false
	}
	wrong := regexp.MustCompile(`System clock wrong by (-?[0-9.]+) seconds`).FindSubmatch(said)
	if wrong == nil {
		t.Fatalf("chronyd on %s says neither how wrong our clock is nor that it gave up:\n%s", s.Name, said)
	}
	seconds, err = strconv.ParseFloat(string(wrong[1]), 64)
	if err != nil {
		t.Fatalf("read what chronyd says of %s: %v", s.Name, err)
	}
	return seconds, true
}

// The lab's replies are proper NTP: a client that knows nothing of this project takes them for what they are.
func TestChronydTellsTheLabsServers(t *testing.T) {
	rows := []struct {
		behaviour lab.Behaviour
		seconds   float64
		trusted   bool
	}{
		{lab.Good, 0, true},
		{lab.Offset40ms, 0.04, true},
		{lab.Offset2s, -2, true},
		{lab.Unsynchronised, 0, false},
		{lab.KissRate, 0, false},
		{lab.Silent, 0, false},
		{lab.Stratum0, 0, false},
		{lab.Malformed, 0, false},
		{lab.Mismatched, 0, false},
		{lab.Garbage, 0, false},
	}
	for _, row := range rows {
		t.Run(string(row.behaviour), func(t *testing.T) {
			t.Parallel()
			const noise = 0.02 // seconds, half of what is to be told apart: a busy machine wakes neither side at once
			server := start(t, lab.Options{Behaviours: []lab.Behaviour{row.behaviour}}).Servers()[0]
			seconds, trusted := chronydSays(t, server)
			if trusted != row.trusted || math.Abs(seconds-row.seconds) > noise {
				t.Errorf("chronyd has %v s, trusted: %v, want %v, %v", seconds, trusted, row.seconds, row.trusted)
			}
		})
	}
}

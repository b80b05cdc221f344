//go:build integration

package main_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wantEnd wants an end that was asked for: in time and without a complaint.
func wantEnd(t *testing.T, p *process) {
	t.Helper()
	if took, code := p.stop(); took > 5*time.Second || code != 0 {
		t.Errorf("want a clean end within 5 s, have exit code %d after %s", code, took)
	}
}

// A good start says where everything is, what is watched and how to see it, and nothing else; so does its end.
func TestAGoodStartIsQuiet(t *testing.T) {
	s := newStation(t)
	up := s.up()
	up.line("see it live with")
	wantEnd(t, up)
	want := regexp.MustCompile(`^ready in \d+\.\d s: http http://127\.0\.0\.1:\d+, mqtt mqtt://127\.0\.0\.1:\d+, database unix:/\S+/mysql\.sock
no servers given: watching a lab of 10 NTP servers of its own, good and bad, each every 5 s
see it live with: truechimer watch --state-dir \S+
$`)
	if have := up.text(); !want.MatchString(have) {
		t.Errorf("want %s\nhave %s", want, have)
	}
}

// A lab that is started again finds its servers, its agent and its settings as they were, and has nothing to change.
func TestALabStartedAgainChangesNothing(t *testing.T) {
	s := newStation(t)
	lab := *s
	lab.state = filepath.Join(s.state, "lab")
	var changes [2]int
	for i := range changes {
		up := s.up()
		db := lab.sql()
		if err := db.QueryRow("SELECT COUNT(*) FROM changes").Scan(&changes[i]); err != nil {
			t.Fatal(err)
		}
		db.Close()
		wantEnd(t, up)
	}
	if changes[0] < 10 || changes[1] != changes[0] {
		t.Errorf("want a change for each of 10 servers at the first start, and none at the second; have %d in all, then %d", changes[0], changes[1])
	}
}

// childOf is the process id of a child.
func childOf(t *testing.T, parent int, name string) int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		stat, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		if err != nil {
			continue
		}
		var pid, of int
		var comm, state string
		if _, err := fmt.Sscanf(string(stat), "%d (%s %s %d", &pid, &comm, &state, &of); err == nil && of == parent && comm == name+")" {
			return pid
		}
	}
	t.Fatalf("process %d has no child %s", parent, name)
	return 0
}

// A database that hangs doesn't keep the program from ending in time, and what was committed is there afterwards.
func TestAHangingDatabaseDoesNotHoldTheEnd(t *testing.T) {
	s := newStation(t)
	args := nobody(t)
	up := s.up(args...)
	if err := syscall.Kill(childOf(t, up.cmd.Process.Pid, "mariadbd"), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, up)
	s.up(args...)
	s.wantWhole(1)
}

// Without its database a hub is of no use: it says what has happened and ends, so that whoever runs it starts it anew.
func TestADatabaseThatDiesEndsTheHub(t *testing.T) {
	s := newStation(t)
	hub := start(t, binary, s.hubArgs("--log-level", "error")...)
	hub.line("ready in ")
	if err := syscall.Kill(childOf(t, hub.cmd.Process.Pid, "mariadbd"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-hub.ended:
	case <-time.After(patience):
		t.Fatal("it goes on without its database")
	}
	if code := hub.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(hub.text(), "truechimer: the database in "+s.state) {
		t.Errorf("exit code %d:\n%s", code, hub.text())
	}
}

// The first signal asks for an orderly end, the second one ends it at once, whatever hangs.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	s := newStation(t)
	up := s.up(nobody(t)...)
	if err := syscall.Kill(childOf(t, up.cmd.Process.Pid, "mariadbd"), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for {
		up.cmd.Process.Signal(syscall.SIGINT)
		select {
		case <-up.ended:
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// piped starts a program whose stdout is a pipe that the test reads, and may close.
func piped(t *testing.T, args ...string) (cmd *exec.Cmd, out *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = writer, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	t.Cleanup(func() {
		reader.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd, reader
}

// Who reads the first line of `up` and goes doesn't end it; who reads the first lines of `watch` and goes does, and
// both end without a complaint.
func TestReadersMayLeave(t *testing.T) {
	s := newStation(t)
	up, out := piped(t, s.upArgs()...)
	if line, err := bufio.NewReaderSize(out, 16).ReadString(' '); err != nil || line != "ready " {
		t.Fatalf("have %q (%v)", line, err)
	}
	out.Close()

	watch, out := piped(t, "watch", "--state-dir", s.state)
	if _, err := bufio.NewReaderSize(out, 16).ReadString(' '); err != nil {
		t.Fatal(err)
	}
	out.Close()
	ended := make(chan error, 1)
	go func() { ended <- watch.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("watch: %v", err)
		}
	case <-time.After(patience):
		t.Error("watch goes on for nobody")
	}
	up.Process.Signal(syscall.SIGTERM)
	if err := up.Wait(); err != nil {
		t.Errorf("up: %v", err)
	}
}

// A watcher that isn't live says so, once, and says when it is again.
func TestWatchSaysWhenItIsNotLive(t *testing.T) {
	s := newStation(t)
	up := s.up()
	watch := start(t, binary, "watch", "--state-dir", s.state)
	watch.line("(good-1)")
	up.kill()
	said := func(text string) bool { return strings.Contains(watch.text(), "truechimer: "+text) }
	await(t, "not live", func() bool { return said("not live: ") })
	s.up()
	await(t, "live again", func() bool { return said("live again\n") })
	if n := strings.Count(watch.text(), "not live"); n != 1 {
		t.Errorf("it says %d times that it isn't live:\n%s", n, watch.text())
	}
	if took, code := watch.stop(); took > 5*time.Second || code != 0 {
		t.Errorf("want a clean end, have exit code %d after %s", code, took)
	}
}

// An agent ends in time whether there is a hub or not.
func TestAnAgentEndsInTime(t *testing.T) {
	s := newStation(t)
	hub := start(t, binary, s.hubArgs()...)
	address := strings.Fields(hub.line("agents connect to "))[3]
	identity := filepath.Join(t.TempDir(), "alpha.pem")
	must(t, "agents", "add", "alpha", "--state-dir", s.state, "--hub", address, "--reference", "127.0.0.1:9", "--out", identity)
	status := s.subscribe("/devel/monitors/status/alpha/status")

	linked := start(t, binary, "agent", "run", "--identity", identity)
	status.line(`"online":true`)
	wantEnd(t, linked)
	status.line(`"online":false`)

	alone := start(t, binary, "agent", "run", "--identity", identity, "--hub", "127.0.0.1:"+freePort(t))
	await(t, "the lack of a hub is said", func() bool { return strings.Contains(alone.text(), "no link with the hub") })
	wantEnd(t, alone)
}

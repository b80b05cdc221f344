//go:build integration

package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait in these tests. The race detector on a busy machine is slow.
const patience = 90 * time.Second

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "truechimer-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "truechimer")
	build := exec.Command("go", "build", "-race", "-buildvcs=false", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program under test: %v\n%s", err, out)
		return 1
	}
	// Without this each run of the program sleeps for a second at its end, so that other goroutines may still meet a race.
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	return m.Run()
}

// process is a running program, and what it has said so far.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	name string

	mu    sync.Mutex
	said  strings.Builder
	lines []string
	news  chan struct{} // gets a word at each line
	ended chan struct{}
	err   error
}

// start starts a program. What it says is shown when the test fails.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: filepath.Base(name), cmd: exec.Command(name, args...), news: make(chan struct{}, 1), ended: make(chan struct{})}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { p.read(out, true) })
	reading.Go(func() { p.read(problems, false) })
	go func() {
		reading.Wait()
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", p.name, p.text())
		}
	})
	return p
}

// read notes what the program says; lines of its stdout can be waited for.
func (p *process) read(from io.Reader, results bool) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		p.mu.Lock()
		p.said.WriteString(lines.Text() + "\n")
		if results {
			p.lines = append(p.lines, lines.Text())
		}
		p.mu.Unlock()
		select {
		case p.news <- struct{}{}:
		default:
		}
	}
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// line waits for a line on stdout that has a text in it.
func (p *process) line(text string) string {
	p.t.Helper()
	bound := time.After(patience)
	for {
		p.mu.Lock()
		for _, line := range p.lines {
			if strings.Contains(line, text) {
				p.mu.Unlock()
				return line
			}
		}
		p.mu.Unlock()
		select {
		case <-p.news:
		case <-p.ended:
			p.t.Fatalf("%s ended (%v) without saying %q:\n%s", p.name, p.err, text, p.text())
		case <-bound:
			p.t.Fatalf("%s hasn't said %q within %s:\n%s", p.name, text, patience, p.text())
		}
	}
}

// reaches waits, closely, until a running program has come to some point.
func (p *process) reaches(point string, come func() bool) {
	p.t.Helper()
	bound := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !come() {
		select {
		case <-tick.C:
		case <-p.ended:
			p.t.Fatalf("%s ended (%v) before %s:\n%s", p.name, p.err, point, p.text())
		case <-bound:
			p.t.Fatalf("%s hasn't come to %s within %s:\n%s", p.name, point, patience, p.text())
		}
	}
}

// kill ends the program without a warning.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// stop asks the program to end, and tells how long it took and with which exit code.
func (p *process) stop() (took time.Duration, code int) {
	p.t.Helper()
	return p.end(syscall.SIGTERM)
}

// end is stop by any signal.
func (p *process) end(signal os.Signal) (took time.Duration, code int) {
	p.t.Helper()
	began := time.Now()
	p.cmd.Process.Signal(signal)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%s doesn't end", p.name)
	}
	return time.Since(began), p.cmd.ProcessState.ExitCode()
}

// run runs a program to its end, and tells what it wrote and its exit code.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, problems strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run %v: %v", args, err)
	}
	return out.String(), problems.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := run(t, args...)
	if code != 0 {
		t.Fatalf("truechimer %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	bound := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-bound:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// Ports for tests are those that the system doesn't give to whoever connects somewhere (from 32768 on by default): such
// a one may be gone before the program under test gets to it. Processes of tests begin anywhere, and give each out once.
const (
	lowestPort = 10_000
	portsInAll = 22_000
)

var nextPort atomic.Uint32

// freePort is one that nobody listens on now, over TCP and UDP.
func freePort(t *testing.T) string {
	t.Helper()
	nextPort.CompareAndSwap(0, 1+rand.Uint32N(portsInAll))
	for range 20 {
		port := strconv.Itoa(lowestPort + int(nextPort.Add(1)%portsInAll))
		tcp, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		tcp.Close()
		udp, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		udp.Close()
		return port
	}
	t.Fatal("no port is free")
	return ""
}

// needs finds a program that Debian has, or says how to install it.
func needs(t *testing.T, name, debianPackage string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("%s is missing: apt-get install %s, or make test, which does it", name, debianPackage)
	return ""
}

// startChronyd runs an NTP server on loopback that serves this machine's time, and returns where.
func startChronyd(t *testing.T) string {
	t.Helper()
	chronyd := needs(t, "chronyd", "chrony")
	dir, port := t.TempDir(), freePort(t)
	conf := filepath.Join(dir, "chrony.conf")
	text := fmt.Sprintf("local stratum 1\nport %s\nbindaddress 127.0.0.1\nallow 127.0.0.0/8\ncmdport 0\npidfile %s/pid\n", port, dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, chronyd, "-d", "-x", "-u", "root", "-f", conf)
	server := "127.0.0.1:" + port
	await(t, "chronyd serves time", func() bool {
		_, _, code := run(t, "check", "--allow-private", "--samples", "1", server)
		return code == 0
	})
	return server
}

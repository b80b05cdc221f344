package benchmarks

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait.
const patience = time.Minute

// build makes the program as it is released, once.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("truechimer-bench-%d", os.Getpid()))
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, "../truechimer")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		os.Remove(path)
	}
	os.Exit(code)
}

// process is the program, running.
type process struct {
	b     testing.TB
	cmd   *exec.Cmd
	lines chan string
	begun time.Time
}

func start(b testing.TB, args ...string) *process {
	b.Helper()
	path, err := build()
	if err != nil {
		b.Fatal(err)
	}
	p := &process{b: b, cmd: exec.Command(path, args...), lines: make(chan string, 100), begun: time.Now()}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	return p
}

// ready waits until the program says so, and returns how long that took from its start.
func (p *process) ready() time.Duration {
	p.b.Helper()
	p.line("ready in ")
	return time.Since(p.begun)
}

// line waits for a line that begins with a text, and returns the rest of it.
func (p *process) line(begin string) string {
	p.b.Helper()
	bound := time.After(patience)
	for {
		select {
		case line, more := <-p.lines:
			if rest, is := strings.CutPrefix(line, begin); is {
				return rest
			}
			if !more {
				p.b.Fatalf("the program ended before it said %q", begin)
			}
		case <-bound:
			p.b.Fatalf("the program hasn't said %q within %s", begin, patience)
		}
	}
}

// stop ends the program in order.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	for range p.lines {
	}
	p.cmd.Wait()
}

// resident is how much memory the process holds, in MB.
func (p *process) resident() float64 {
	p.b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.b.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if kb, is := strings.CutPrefix(line, "VmRSS:"); is {
			n, err := strconv.ParseFloat(strings.Fields(kb)[0], 64)
			if err != nil {
				p.b.Fatal(err)
			}
			return n / 1024
		}
	}
	p.b.Fatal("the kernel doesn't say how much memory the process holds")
	return 0
}

// ticks is the unit of CPU time in /proc on Linux.
const ticks = 10 * time.Millisecond

// computed is how much CPU time the process has used.
func (p *process) computed() time.Duration {
	p.b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	total := 0
	for _, field := range fields[11:13] { // utime and stime, see proc(5)
		n, err := strconv.Atoi(field)
		if err != nil {
			p.b.Fatal(err)
		}
		total += n
	}
	return time.Duration(total) * ticks
}

// run runs a command to its end.
func run(b testing.TB, args ...string) {
	b.Helper()
	path, err := build()
	if err != nil {
		b.Fatal(err)
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		b.Fatalf("truechimer %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

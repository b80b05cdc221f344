//go:build integration

package broker

import (
	"bufio"
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"

	"truechimer/hub/token"
)

// mosquittos are Debian's own clients at our broker.
type mosquittos struct{ *house }

func newMosquittos(t *testing.T) mosquittos {
	t.Helper()
	for _, program := range []string{"mosquitto_sub", "mosquitto_pub"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v; install it: apt-get install mosquitto-clients", err)
		}
	}
	return mosquittos{open(t, nil)}
}

// command is one of them, as a client of ours.
func (m mosquittos) command(ctx context.Context, program, name, password string, args ...string) *exec.Cmd {
	m.t.Helper()
	host, port, err := net.SplitHostPort(m.Addr().String())
	if err != nil {
		m.t.Fatal(err)
	}
	own := []string{"-V", "mqttv311", "-h", host, "-p", port, "-u", name, "-P", password, "-i", name}
	return exec.CommandContext(ctx, program, append(own, args...)...)
}

func (m mosquittos) run(program, name, password string, args ...string) (string, error) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	out, err := m.command(ctx, program, name, password, args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// What a client may it can, also one that we haven't written: publish its status, have it kept, and have its will
// said when it is killed.
func TestMosquittosClientsAreServed(t *testing.T) {
	const status = "/test/monitors/status/a1/status"
	m := newMosquittos(t)
	agent := m.grant(token.ForAgent("test", "a1"))
	if out, err := m.run("mosquitto_pub", "a1", agent, "-t", status, "-q", "1", "-r", "-m", "online"); err != nil {
		t.Fatalf("mosquitto_pub: %v: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	watcher := m.command(ctx, "mosquitto_sub", "watch/w1", m.grant(token.ForWatcher("test", "w1")),
		"-t", "/test/monitors/status/#", "-q", "1", "-F", "%t %q %r %p")
	pipe, err := watcher.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watcher.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(pipe)
	prints := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("have %q, want %q", lines.Text(), want)
		}
	}
	prints(status + " 1 1 online")

	doomed := m.command(ctx, "mosquitto_sub", "a1", agent, "-t", "/test/monitors/requests/a1/+",
		"--will-topic", status, "--will-payload", "offline", "--will-qos", "1", "--will-retain")
	if err := doomed.Start(); err != nil {
		t.Fatal(err)
	}
	m.until("the agent is connected", func() bool { return m.guard.sessions.count() == 2 })
	_ = doomed.Process.Kill()
	_ = doomed.Wait() // it was killed
	prints(status + " 1 0 offline")
	cancel()
	_ = watcher.Wait() // it was killed too
}

// What a client may not it can't: come with a guess, speak MQTT 5, read what isn't its own, or publish it.
func TestMosquittosClientsAreRefused(t *testing.T) {
	m := newMosquittos(t)
	agent := m.grant(token.ForAgent("test", "a1"))
	for _, row := range []struct {
		name, program, password string
		args                    []string
		want                    string
	}{
		{"a guess", "mosquitto_pub", "guess", []string{"-t", "x", "-m", "y"}, "bad user name or password"},
		{"another's client id", "mosquitto_pub", agent, []string{"-i", "a2", "-t", "x", "-m", "y"}, "identifier rejected"},
		{"MQTT 5", "mosquitto_pub", agent, []string{"-V", "mqttv5", "-t", "x", "-m", "y"}, "Unsupported Protocol Version"},
		{"MQTT 3.1", "mosquitto_pub", agent, []string{"-V", "mqttv31", "-t", "x", "-m", "y"}, "unacceptable protocol version"},
		{"another's requests", "mosquitto_sub", agent, []string{"-t", "/test/monitors/requests/a2/+"}, "All subscription requests were denied"},
		{"everything", "mosquitto_sub", agent, []string{"-t", "#"}, "All subscription requests were denied"},
	} {
		out, err := m.run(row.program, "a1", row.password, row.args...) // mosquitto_sub takes a denial for a success
		if !strings.Contains(strings.ToLower(out), strings.ToLower(row.want)) {
			t.Errorf("%s: have %q and error %v, want %q", row.name, out, err, row.want)
		}
	}
	if out, err := m.run("mosquitto_pub", "a1", agent, "-q", "1", "-t", "/test/servers/192.0.2.1/score", "-r", "-m", "20"); err != nil {
		t.Errorf("what is ignored is acknowledged: %v: %s", err, out)
	}
	if kept := m.guard.retained.covered("#"); len(kept) != 0 || m.Counts().Ignored != 1 {
		t.Errorf("%v are kept, %d ignored; want nothing and 1", kept, m.Counts().Ignored)
	}
}

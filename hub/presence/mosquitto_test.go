//go:build integration

package presence

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// With Debian's broker, and its own client as a watcher: the agent comes, is gone without a word, comes again, leaves.
func TestAgainstMosquitto(t *testing.T) {
	for _, program := range []string{"mosquitto", "mosquitto_sub"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v; install it: apt-get install mosquitto mosquitto-clients", err)
		}
	}
	host, port := runMosquitto(t)
	lines := watch(t, host, port)
	hears := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("have %q, want %q", lines.Text(), want)
		}
	}
	options := Options{
		URL: "mqtt://" + net.JoinHostPort(host, port), Env: "test", Name: "a1",
		Online: []byte("online"), Offline: []byte("offline"),
		Token: func() (string, error) { return "secret", nil },
	}
	p := begin(t, options)
	hears("online")
	p.stop()
	hears("offline")
	p = begin(t, options)
	hears("online")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
	hears("offline")
}

func begin(t *testing.T, options Options) *Presence {
	t.Helper()
	p, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		<-p.gone
	})
	return p
}

// runMosquitto runs a broker that lets everybody in, and waits until it listens.
func runMosquitto(t *testing.T) (host, port string) {
	t.Helper()
	place, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := place.Addr().String()
	_ = place.Close() // mosquitto takes it over
	if host, port, err = net.SplitHostPort(address); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := "listener " + port + " " + host + "\nuser root\nallow_anonymous true\npersistence false\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("mosquitto", "-c", config)
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait() // it was killed
	})
	awaitPort(t, address)
	return host, port
}

func awaitPort(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); ; {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("nobody listens on %s", address)
		}
	}
}

// watch reads what a watcher prints: the payload of each status.
func watch(t *testing.T, host, port string) *bufio.Scanner {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	watcher := exec.CommandContext(ctx, "mosquitto_sub", "-h", host, "-p", port, "-t", "/test/monitors/status/#", "-F", "%p")
	pipe, err := watcher.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watcher.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = watcher.Wait() // it was killed
	})
	return bufio.NewScanner(pipe)
}

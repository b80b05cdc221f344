//go:build integration

package live_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"truechimer/hub/live"
)

// mosquitto is Debian's broker, with our rights in its own files, since it can't read our tokens.
type mosquitto struct {
	*house
	config string
	daemon *exec.Cmd
}

func newMosquitto(t *testing.T) *mosquitto {
	t.Helper()
	for _, program := range []string{"mosquitto", "mosquitto_passwd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v; install it: apt-get install mosquitto", err)
		}
	}
	m := &mosquitto{house: newHouse(t)}
	folder := t.TempDir()
	passwords, rights := filepath.Join(folder, "passwords"), filepath.Join(folder, "rights")
	for i, user := range []string{"hub/h1", "watch/w1"} {
		args := []string{"-b", passwords, user, "secret"}
		if i == 0 {
			args = append([]string{"-c"}, args...)
		}
		if out, err := exec.Command("mosquitto_passwd", args...).CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_passwd: %v: %s", err, out)
		}
	}
	host, port, err := net.SplitHostPort(m.address)
	if err != nil {
		t.Fatal(err)
	}
	m.config = filepath.Join(folder, "mosquitto.conf")
	for name, text := range map[string]string{
		rights: "user hub/h1\ntopic readwrite /test/#\n\nuser watch/w1\ntopic read /test/#\n",
		m.config: fmt.Sprintf("listener %s %s\nuser root\nallow_anonymous false\npassword_file %s\nacl_file %s\npersistence false\n",
			port, host, passwords, rights),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(m.kill)
	return m
}

func (m *mosquitto) run() *mosquitto {
	m.t.Helper()
	m.daemon = exec.Command("mosquitto", "-c", m.config)
	if err := m.daemon.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.until("mosquitto listens", func() bool {
		conn, err := net.Dial("tcp", m.address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return m
}

func (m *mosquitto) kill() {
	if m.daemon != nil {
		_ = m.daemon.Process.Kill()
		_ = m.daemon.Wait()
	}
	m.daemon = nil
}

func (m *mosquitto) enters(user string) live.Access {
	return live.Access{
		URL: "mqtt://" + m.address, ClientID: user + ":1", User: user,
		Token: func() (string, error) { return "secret", nil },
	}
}

func (m *mosquitto) hears(user string, qos byte, filters ...string) *ear {
	m.t.Helper()
	e := &ear{h: m.house, messages: make(chan live.Message, 10_000), states: make(chan error, 100)}
	s, err := live.Subscribe(m.t.Context(), live.Subscription{
		Access: m.enters(user), Filters: filters, QoS: qos,
		OnMessage: func(m live.Message) { e.messages <- m },
		OnState:   func(err error) { e.states <- err },
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(s.Close)
	return e
}

// With a broker of the user's own: what is published is heard and kept, the state is published again after the broker
// was killed, and the last words are said by us, or by the broker.
func TestAgainstMosquitto(t *testing.T) {
	m := newMosquitto(t)
	ups := make(chan struct{}, 10)
	p := m.dial(live.Options{
		Access: m.enters("hub/h1"), Will: offline(), OnUp: func() { ups <- struct{}{} },
	})
	e := m.hears("watch/w1", 0, "/test/servers/#", "/test/hubs/+/status")
	for round := range 3 {
		m.run()
		e.isUp()
		select {
		case <-ups:
		case <-time.After(patience):
			t.Fatal("the publisher doesn't come back")
		}
		publish(t, p, status, 1, true, "online")
		publish(t, p, score, 1, true, fmt.Sprint(round))
		m.until("all is acknowledged", func() bool { return p.Counts().Waiting == 0 })
		heard := map[string]string{}
		for heard[status] == "" || heard[score] == "" {
			said := e.next()
			heard[said.Topic] = string(said.Payload)
		}
		if heard[status] != "online" || heard[score] != fmt.Sprint(round) {
			t.Errorf("heard %v", heard)
		}
		m.kill()
		e.isDown()
	}
	m.run()
	e.isUp()
	publish(t, p, status, 1, true, "online")
	if said := e.next(); said.Topic != status || string(said.Payload) != "online" {
		t.Errorf("heard %q on %s", said.Payload, said.Topic)
	}
	m.leave(p)
	e.hears(status, "offline", false)
}

// A watcher of a large pool gets every score that is retained. With QoS 1 it would get about a thousand.
func TestALargePoolOnMosquitto(t *testing.T) {
	const servers = 6000
	m := newMosquitto(t).run()
	p := m.dial(live.Options{Access: m.enters("hub/h1")})
	for i := range servers {
		publish(t, p, fmt.Sprintf("/test/servers/10.0.%d.%d/score", i/250, i%250), 1, true, strings.Repeat("x", 300))
	}
	m.until("all is acknowledged", func() bool { return p.Counts().Waiting == 0 })
	e := m.hears("watch/w1", 0, "/test/servers/#")
	for range servers {
		e.next()
	}
}

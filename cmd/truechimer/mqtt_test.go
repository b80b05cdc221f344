//go:build integration

package main_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// startMosquitto runs Debian's broker on loopback, open to all, and returns its port.
func startMosquitto(t *testing.T) string {
	t.Helper()
	mosquitto := needs(t, "mosquitto", "mosquitto")
	port, conf := freePort(t), filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n", port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, mosquitto, "-c", conf)
	await(t, "mosquitto listens", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return port
}

// With an outside broker nothing listens inside, and everything is said there.
func TestAnOutsideBrokerIsUsed(t *testing.T) {
	sub := needs(t, "mosquitto_sub", "mosquitto-clients")
	port := startMosquitto(t)
	s := newStation(t)
	up := s.up("--mqtt-url", "mqtt://127.0.0.1:"+port)
	up.line("mqtt mqtt://127.0.0.1:" + port)
	heard := start(t, sub, "-h", "127.0.0.1", "-p", port, "-v", "-t", "/devel/#")
	heard.line(`/devel/monitors/status/local/status {"online":true`)
	heard.line("/devel/servers/127.0.1.1/sample/local {")
	heard.line("/devel/servers/127.0.1.1/score {")
	if _, code := up.stop(); code != 0 {
		t.Errorf("want exit code 0, have %d", code)
	}
	heard.line(`/devel/monitors/status/local/status {"online":false`)
}

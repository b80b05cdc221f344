package agentnode

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"truechimer/agentnode/identity"
)

// journal hands on what is logged.
type journal chan string

func (j journal) Write(line []byte) (int, error) {
	select {
	case j <- string(line):
	default: // nobody reads so much
	}
	return len(line), nil
}

// awaitLine waits for a line that has a text in it.
func (j journal) awaitLine(t *testing.T, text string) string {
	t.Helper()
	bound := time.After(patience)
	for {
		select {
		case line := <-j:
			if strings.Contains(line, text) {
				return line
			}
		case <-bound:
			t.Fatalf("nobody logged %q", text)
		}
	}
}

// Why there is no link is said as it is: that the agent's certificate has ended only where it has.
func TestTheReasonOfALostLinkIsTrue(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, row := range []struct {
		name  string
		until time.Time
		want  string
	}{
		{"a fresh certificate for each link", time.Time{}, ": connection refused"},
		{"a certificate that holds", time.Now().Add(time.Hour), ": connection refused"},
		{"a certificate that has ended", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), ": connection refused; the agent's certificate ended on 2026-01-02"},
	} {
		t.Run(row.name, func(t *testing.T) {
			log := make(journal, 100)
			agent, err := Start(Options{
				Identity: identity.Identity{
					Name: "alpha", Hub: gone.Addr().String(), TLS: &tls.Config{ServerName: "hub"}, Until: row.until,
				},
				Runtime: machine{time.Now()}, Log: zerolog.New(log), Presence: unseen{},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer agent.Close(context.Background())
			var line struct{ Reason string }
			if err := json.Unmarshal([]byte(log.awaitLine(t, "no link with the hub")), &line); err != nil {
				t.Fatal(err)
			}
			if have := strings.ReplaceAll(line.Reason, `"`, ""); !strings.HasSuffix(have, row.want) { // gRPC quotes its part
				t.Errorf("want %q at the end of %q", row.want, line.Reason)
			}
		})
	}
}

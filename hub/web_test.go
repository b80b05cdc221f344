package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"truechimer/persistence"
)

// Every answer of the port is JSON with the fitting status, errors too; metrics are text.
func TestThePortAnswers(t *testing.T) {
	h := run(t, options(persistence.NewMemory(persistence.Options{})))
	await(t, "the shards", h.Ready())
	tests := []struct {
		name, method, path string
		want               int
		says               string
	}{
		{"alive", http.MethodGet, "/healthz", http.StatusOK, `{"status":"alive"}`},
		{"alive, without a body", http.MethodHead, "/healthz", http.StatusOK, ""},
		{"ready", http.MethodGet, "/readyz", http.StatusOK, `{"status":"ready"}`},
		{"nothing there", http.MethodGet, "/nothing", http.StatusNotFound, `{"error":"there is nothing at /nothing"}`},
		{"nothing at the root", http.MethodGet, "/", http.StatusNotFound, `"error"`},
		{"nothing to write to", http.MethodPost, "/nothing", http.StatusNotFound, `"error"`},
		{"only for reading", http.MethodPost, "/healthz", http.StatusMethodNotAllowed, `{"error":"/healthz is only for reading"}`},
		{"metrics only for reading", http.MethodDelete, "/metrics", http.StatusMethodNotAllowed, `"error"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, contentType, body := ask(t, h, tt.method, tt.path)
			if code != tt.want || !strings.Contains(body, tt.says) || contentType != "application/json" {
				t.Errorf("want %d %s, have %d %s as %s", tt.want, tt.says, code, body, contentType)
			}
			if tt.method != http.MethodHead && !json.Valid([]byte(body)) {
				t.Errorf("it is no JSON: %s", body)
			}
		})
	}
}

// A hub isn't ready before its shards are loaded, nor while the database doesn't answer; it is alive all the time.
func TestReadyMeansThatItServes(t *testing.T) {
	store := untroubled()
	loaded := make(chan struct{})
	store.open = func(ctx context.Context) error {
		select {
		case <-loaded:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var away atomic.Bool
	store.newest = func() error {
		if away.Load() {
			return errAway
		}
		return nil
	}
	h := run(t, options(store))
	want := func(code int, says string) {
		t.Helper()
		if have, _, body := ask(t, h, http.MethodGet, "/readyz"); have != code || !strings.Contains(body, says) {
			t.Errorf("want %d %s, have %d %s", code, says, have, body)
		}
		if have, _, body := ask(t, h, http.MethodGet, "/healthz"); have != http.StatusOK {
			t.Errorf("want it alive, have %d %s", have, body)
		}
	}
	want(http.StatusServiceUnavailable, "the shards aren't loaded yet")
	close(loaded)
	await(t, "the shards", h.Ready())
	want(http.StatusOK, "ready")
	away.Store(true)
	want(http.StatusServiceUnavailable, "the database doesn't answer")
	away.Store(false)
	want(http.StatusOK, "ready")
}

// lockedBuffer is a log that is written and read at the same time.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A handler that panics costs its own connection, and is said in our log.
func TestAPanicIsSaidInTheLog(t *testing.T) {
	var log lockedBuffer
	w, err := listenWeb("127.0.0.1:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") }), zerolog.New(&log))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.serve() }()
	if response, err := http.Get("http://" + w.listener.Addr().String()); err == nil {
		response.Body.Close()
		t.Error("want no answer")
	}
	awaitThat(t, "the panic in the log", func() bool { return strings.Contains(log.String(), "oh") })
	w.close(t.Context())
	if err := <-served; err != nil {
		t.Errorf("want an orderly end, have %v", err)
	}
}

// A client that says nothing, or half of a request, doesn't keep its connection.
func TestNobodyKeepsAConnectionForNothing(t *testing.T) {
	w, err := listenWeb("127.0.0.1:0", http.NotFoundHandler(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close(context.Background())
	s := w.server
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 {
		t.Errorf("a bound is missing: %s, %s, %s, %s", s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout)
	}
	s.ReadHeaderTimeout = 50 * time.Millisecond // the same, faster
	go w.serve()
	conn, err := net.Dial("tcp", w.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: half")); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var answer [64]byte
	for {
		if _, err := conn.Read(answer[:]); err != nil {
			if timeout, is := err.(net.Error); is && timeout.Timeout() {
				t.Error("the connection is still there")
			}
			return
		}
	}
}

package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	// headersWithin and answerWithin bound a request: nobody keeps a connection for nothing.
	headersWithin = 5 * time.Second
	answerWithin  = 30 * time.Second
	// readyWithin bounds the look at the database that /readyz takes.
	readyWithin = 2 * time.Second
)

// web is the hub's HTTP port.
type web struct {
	listener net.Listener
	server   *http.Server
}

// listenWeb takes the address.
func listenWeb(address string, handler http.Handler) (*web, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP on %s: %w; choose another address with --http-listen", address, err)
	}
	return &web{
		listener: listener,
		server:   &http.Server{Handler: handler, ReadHeaderTimeout: headersWithin, WriteTimeout: answerWithin},
	}, nil
}

// routes is what the port answers.
func (h *Hub) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", h.readyz)
	mux.Handle("GET /metrics", h.metrics.handler)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNotFound, map[string]string{"error": "there is nothing at " + r.URL.Path})
	})
	return mux
}

// readyz is 200 while the hub serves its shards and the database answers.
func (h *Hub) readyz(w http.ResponseWriter, r *http.Request) {
	select {
	case <-h.ready:
	default:
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "the shards aren't loaded yet"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	if _, err := h.options.Store.LatestChange(ctx); err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "the database doesn't answer"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

// answer writes JSON with a status.
func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(body) // a client that left doesn't want to know
}

// serve answers until close.
func (w *web) serve() error {
	if err := w.server.Serve(w.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// close ends it, after the requests that are under way.
func (w *web) close(ctx context.Context) {
	if w.server.Shutdown(ctx) != nil {
		w.server.Close()
	}
	w.listener.Close() // where it was never served
}

package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Bounds of a request: nobody keeps a connection for nothing, or makes us remember much.
const (
	headersWithin = 5 * time.Second
	requestWithin = 10 * time.Second // headers and body: no request has more than a form of a few words
	answerWithin  = 30 * time.Second
	idleWithin    = 2 * time.Minute // between two requests over one connection; a Prometheus asks every minute or sooner
	maxHeaders    = 16 << 10        // bytes; a browser's have about one kB

	// readyWithin bounds the look at the database that /readyz takes.
	readyWithin = 2 * time.Second
)

// web is the hub's HTTP port.
type web struct {
	listener net.Listener
	server   *http.Server
}

// listenWeb takes the address.
func listenWeb(address string, handler http.Handler, log zerolog.Logger) (*web, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP on %s: %w; choose another address with --http-listen", address, err)
	}
	return &web{
		listener: listener,
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: headersWithin,
			ReadTimeout:       requestWithin,
			WriteTimeout:      answerWithin,
			IdleTimeout:       idleWithin,
			MaxHeaderBytes:    maxHeaders,
			ErrorLog:          stdlog.New(httpLog{log}, "", 0),
		},
	}, nil
}

// httpLog takes what net/http has to say: a handler that panicked, or a system out of descriptors.
type httpLog struct{ log zerolog.Logger }

func (l httpLog) Write(line []byte) (int, error) {
	l.log.Warn().Str("reason", strings.TrimSpace(string(line))).Msg("trouble with HTTP")
	return len(line), nil
}

// routes is what the port answers.
func (h *Hub) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", h.readyz)
	mux.Handle("GET /metrics", h.metrics.handler)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { nothing(w, r, mux) })
	return mux
}

// nothing answers what no route does: a path that there isn't, or one that is only for reading.
func nothing(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	read := &http.Request{Method: http.MethodGet, URL: r.URL, Host: r.Host}
	if _, route := mux.Handler(read); route != "/" {
		w.Header().Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed, map[string]string{"error": r.URL.Path + " is only for reading"})
		return
	}
	answer(w, http.StatusNotFound, map[string]string{"error": "there is nothing at " + r.URL.Path})
}

// readyz is 200 while the hub serves its shards and the database answers.
func (h *Hub) readyz(w http.ResponseWriter, r *http.Request) {
	select {
	case <-h.ready:
	default:
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "the shards aren't loaded yet"})
		return
	}
	if err := h.Err(); err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
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

package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"truechimer/persistence"
	"truechimer/pool"
)

// patience bounds every wait of these tests; what they wait for takes milliseconds, but the machine may be busy.
const patience = 30 * time.Second

// machine is the runtime of this machine. It implements port.Runtime.
type machine struct{ started time.Time }

func (machine) Now() time.Time           { return time.Now().UTC() }
func (m machine) Elapsed() time.Duration { return time.Since(m.started) }
func (machine) Sometimes(string)         {}

func (machine) AfterFunc(d time.Duration, f func()) (stop func()) {
	timer := time.AfterFunc(d, f)
	return func() { timer.Stop() }
}

func (machine) Rand(string) *mathrand.Rand {
	var seed [32]byte
	rand.Read(seed[:])
	return mathrand.New(mathrand.NewChaCha8(seed))
}

// options are those of a hub on free ports of loopback.
func options(store persistence.Store) Options {
	return Options{
		ID: "test", Version: "test", Deployment: "test", Store: store,
		Runtime: machine{time.Now()}, Log: zerolog.Nop(),
		AgentListen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0",
	}
}

// run opens and starts a hub. It is closed at the end of the test, if it isn't yet.
func run(t *testing.T, options Options) *Hub {
	t.Helper()
	h, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(t.Context()); err != nil {
		shut(h)
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(h) })
	return h
}

func shut(h *Hub) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.Close(ctx)
}

// await waits for a channel to say something, or to be closed.
func await[T any](t *testing.T, what string, c <-chan T) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

// awaitThat waits until a condition holds.
func awaitThat(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	bound := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-bound:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// ask sends a request to the hub's HTTP port.
func ask(t *testing.T, h *Hub, method, path string) (code int, contentType, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("http://%s%s", h.HTTPAddr(), path), nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

// goroutines are the stacks of those that run code of ours, but for the tests themselves.
func goroutines() []string {
	text := make([]byte, 4<<20)
	text = text[:runtime.Stack(text, true)]
	var ours []string
	for stack := range strings.SplitSeq(string(text), "\n\n") {
		if strings.Contains(stack, "truechimer/") && !strings.Contains(stack, "testing.tRunner") {
			ours = append(ours, stack)
		}
	}
	return ours
}

// A hub serves all shards, ends without leaving a goroutine or a port behind, and starts again from what is stored.
func TestAHubStartsAndEndsAndStartsAgain(t *testing.T) {
	store := persistence.NewMemory(persistence.Options{})
	places := options(store)
	for range 3 {
		h := run(t, places)
		await(t, "the shards", h.Ready())
		places.AgentListen, places.HTTPListen = h.AgentAddr().String(), h.HTTPAddr().String()
		places.MQTTListen = strings.TrimPrefix(h.MQTTURL(), "mqtt://")
		began := time.Now()
		shut(h)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s to end", took)
		}
		if err := h.Err(); err != nil {
			t.Errorf("an orderly end is no halt, have %v", err)
		}
		awaitThat(t, "no goroutine of the hub is left", func() bool { return len(goroutines()) == 0 })
	}
}

// A hub whose port is taken says which one and what to do, and gives the others back.
func TestATakenPortLeavesNothingRunning(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name  string
		spoil func(*Options)
		want  string
	}{
		{"agents", func(o *Options) { o.AgentListen = taken.Addr().String() }, "--agent-listen"},
		{"HTTP", func(o *Options) { o.HTTPListen = taken.Addr().String() }, "--http-listen"},
		{"MQTT", func(o *Options) { o.MQTTListen = taken.Addr().String() }, "--mqtt-listen"},
		{"MQTT elsewhere", func(o *Options) { o.MQTTURL = "http://127.0.0.1" }, "URL"},
		{"a hub without a name", func(o *Options) { o.ID = "" }, "name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := persistence.NewMemory(persistence.Options{})
			o := options(store)
			tt.spoil(&o)
			h, err := Open(t.Context(), o)
			if err == nil {
				shut(h)
				t.Fatal("it opened")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("want one line with %q, have %q", tt.want, err)
			}
			awaitThat(t, "no goroutine of the hub is left", func() bool { return len(goroutines()) == 0 })
		})
	}
}

// A hub that was opened and not started, as when what stands before its start fails, ends like any other.
func TestAHubThatWasOnlyOpenedEnds(t *testing.T) {
	h, err := Open(t.Context(), options(persistence.NewMemory(persistence.Options{})))
	if err != nil {
		t.Fatal(err)
	}
	shut(h)
	awaitThat(t, "no goroutine of the hub is left", func() bool { return len(goroutines()) == 0 })
}

// troubled is a store that can be made to fail.
type troubled struct {
	persistence.Store
	open    func(context.Context) error // before shards are opened
	newest  func() error                // before the newest change is read
	keep    func() error                // before room is made
	secrets func() error
}

func untroubled() *troubled {
	fine := func() error { return nil }
	return &troubled{
		Store: persistence.NewMemory(persistence.Options{}), newest: fine, keep: fine, secrets: fine,
		open: func(context.Context) error { return nil },
	}
}

var errAway = errors.New("the store is away")

func (s *troubled) Open(ctx context.Context, hub string, shards []pool.ShardID, now time.Time) ([]pool.ShardImage, error) {
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	return s.Store.Open(ctx, hub, shards, now)
}

func (s *troubled) LatestChange(ctx context.Context) (uint64, error) {
	if err := s.newest(); err != nil {
		return 0, err
	}
	return s.Store.LatestChange(ctx)
}

func (s *troubled) Housekeep(ctx context.Context, now time.Time) error {
	if err := s.keep(); err != nil {
		return err
	}
	return s.Store.Housekeep(ctx, now)
}

func (s *troubled) Authority(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	if err := s.secrets(); err != nil {
		return nil, err
	}
	return s.Store.Authority(ctx, name, create)
}

// Whatever the store refuses at the start is said, and nothing is left running.
func TestAStoreThatRefusesLeavesNothingRunning(t *testing.T) {
	refuse := func() error { return errAway }
	tests := []struct {
		name  string
		spoil func(*troubled)
	}{
		{"secrets", func(s *troubled) { s.secrets = refuse }},
		{"room", func(s *troubled) { s.keep = refuse }},
		{"changes", func(s *troubled) { s.newest = refuse }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := untroubled()
			tt.spoil(store)
			h, err := Open(t.Context(), options(store))
			if err == nil {
				err = h.Start(t.Context())
				shut(h)
			}
			if !errors.Is(err, errAway) {
				t.Errorf("want %v, have %v", errAway, err)
			}
			awaitThat(t, "no goroutine of the hub is left", func() bool { return len(goroutines()) == 0 })
		})
	}
}

// A hub that has to end doesn't wait for a store that hangs any longer than it is given.
func TestCloseKeepsToItsContext(t *testing.T) {
	store := untroubled()
	asked := make(chan struct{}, 100)
	store.open = func(ctx context.Context) error {
		asked <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	h := run(t, options(store))
	await(t, "the question to the store", asked)
	const given = 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), given)
	defer cancel()
	began := time.Now()
	h.Close(ctx)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("given %s, it took %s", given, took)
	}
	awaitThat(t, "no goroutine of the hub is left", func() bool { return len(goroutines()) == 0 })
}

// Of two hubs with one store the first one is fenced as soon as it wants to keep something: it says so, and is no
// longer ready. The second one goes on.
func TestAFencedHubHalts(t *testing.T) {
	store := persistence.NewMemory(persistence.Options{})
	first := run(t, options(store))
	await(t, "the first hub's shards", first.Ready())
	second := run(t, options(store))
	await(t, "the second hub's shards", second.Ready())

	account, err := store.EnsureAccount(t.Context(), "test", "somebody")
	if err != nil {
		t.Fatal(err)
	}
	// Both hubs learn of the new agent and the new server, and want to keep that the one probes the other.
	monitors := []pool.Monitor{{Version: pool.IPv4, Status: pool.GlobalActive, Addr: netip.MustParseAddr("198.51.100.1")}}
	if err := store.AddAgent(t.Context(), "test", pool.Agent{Name: "alpha", Account: account}, monitors); err != nil {
		t.Fatal(err)
	}
	server := pool.Server{Addr: netip.MustParseAddrPort("192.0.2.1:123")}
	if _, _, err := store.AddServer(t.Context(), "test", server); err != nil {
		t.Fatal(err)
	}
	await(t, "the first hub's halt", first.Halted())
	if have := fmt.Sprint(first.Err()); !strings.Contains(have, "another hub has taken shard") {
		t.Errorf("want the reason, have %s", have)
	}
	if code, _, body := ask(t, first, http.MethodGet, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "another hub") {
		t.Errorf("want the first hub not ready, have %d %s", code, body)
	}
	if err := second.Err(); err != nil {
		t.Errorf("the second hub has halted: %v", err)
	}
	if code, _, body := ask(t, second, http.MethodGet, "/readyz"); code != http.StatusOK {
		t.Errorf("want the second hub ready, have %d %s", code, body)
	}
}

package link

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"truechimer/actors/port"
	"truechimer/messages"
)

// patience bounds every wait of these tests; what they wait for takes milliseconds, but the machine may be busy.
const patience = 30 * time.Second

// agent is an agent's end with everything that a test needs of it: its link, and actors that tell what they hear.
type agent struct {
	*Link
	t     testing.TB
	heard chan heard
	ended chan port.LinkEnded
	log   *journal
}

// heard is a message as it came to one of the agent's actors.
type heard struct {
	actor   string
	message any
	sender  *actor.PID
}

// open makes an agent that doesn't dial yet.
func (f *family) open(t testing.TB, hub string) *agent {
	t.Helper()
	a := &agent{t: t, heard: make(chan heard, 100_000), ended: make(chan port.LinkEnded, 100), log: &journal{}}
	system := port.NewSystem(messages.AgentAddress("fra1"), zerolog.Nop())
	a.Link = New(Options{
		Hub: hub, TLS: f.agent(t), Until: time.Now().Add(time.Hour), System: system, Log: zerolog.New(a.log),
	})
	for _, name := range []string{"agent", uplink} {
		props := actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case actor.AutoReceiveMessage, actor.SystemMessage:
			default:
				a.heard <- heard{name, m, ctx.Sender()}
			}
		})
		if _, err := system.Root.SpawnNamed(props, name); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		a.Close()
		waitFor(t, "the link's goroutines to end", func() bool { return !strings.Contains(stacks(), "link.(*connection).") })
	})
	return a
}

// stacks are those of all goroutines.
func stacks() string {
	text := make([]byte, 1<<20)
	return string(text[:runtime.Stack(text, true)])
}

// dial dials; the answer is kept.
func (a *agent) dial() { a.Dial(func(e port.LinkEnded) { a.ended <- e }) }

// join makes a link with a hub.
func (a *agent) join(h *hub) *call {
	a.t.Helper()
	a.dial()
	c := h.welcome()
	wantHeard[*messages.Welcome](a)
	return c
}

// say sends a message from one of the agent's actors to one of the hub's.
func (a *agent) say(to *actor.PID, from string, m any) {
	system := a.options.System
	var sender *actor.PID
	if from != "" {
		sender = system.NewLocalPID(from)
	}
	system.Root.RequestWithCustomSender(to, m, sender)
}

// hubActor is an actor of the hub, as the agent's actors know it.
func hubActor(id string) *actor.PID { return actor.NewPID(messages.HubAddress, id) }

// wantHeard waits for the next message to one of the agent's actors, which has to be of a kind.
func wantHeard[M any](a *agent) heard {
	a.t.Helper()
	next := await(a.t, a.heard)
	if _, is := next.message.(M); !is {
		a.t.Fatalf("%s heard a %T, want a %T", next.actor, next.message, *new(M))
	}
	return next
}

// wantWord waits for the agent's next message, which has to be of a kind.
func wantWord[M any](c *call) M {
	c.t.Helper()
	envelope := await(c.t, c.inbox)
	m, is := any(envelope.GetMessage()).(M)
	if !is {
		c.t.Fatalf("the agent says %v, want a %T", envelope, m)
	}
	return m
}

// journal is a log that tests can read.
type journal struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(line)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func await[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case x := <-c:
		return x
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// waitFor waits until a condition holds.
func waitFor(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

package port_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"

	"truechimer/actors/port"
	"truechimer/actors/supervision"
)

// patience is how long a test waits for what must come: far longer than a busy machine takes.
const patience = 10 * time.Second

// handRuntime is a runtime whose timers go off when the test says so.
type handRuntime struct {
	mu      sync.Mutex
	timers  []func()
	set     chan struct{} // gets one for each timer
	streams []string      // paths of the streams given out
}

func (r *handRuntime) Now() time.Time         { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
func (r *handRuntime) Elapsed() time.Duration { return 0 }
func (r *handRuntime) Sometimes(string)       {}

func (r *handRuntime) Rand(path string) *rand.Rand {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streams = append(r.streams, path)
	return rand.New(rand.NewPCG(0, uint64(len(r.streams))))
}

// AfterFunc keeps f; the stop of this runtime always comes too late, as a real one's may.
func (r *handRuntime) AfterFunc(_ time.Duration, f func()) (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timers = append(r.timers, f)
	r.set <- struct{}{}
	return func() {}
}

// fire lets all timers go off that were ever set.
func (r *handRuntime) fire() {
	r.mu.Lock()
	timers := r.timers
	r.timers = nil
	r.mu.Unlock()
	for _, f := range timers {
		f()
	}
}

// logBook is a log that tests can read.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(line)
}

// lines are those with the message.
func (l *logBook) lines(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("read log line %q: %v", line, err)
		}
		if fields["message"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// stage is a real actor system with one actor under test, who tells what it hears.
type stage struct {
	*port.Node
	t       *testing.T
	runtime *handRuntime
	log     *logBook
	actor   *actor.PID
	heard   chan string
}

// act is a message that makes the actor under test do something, on its own goroutine.
type act func(env *port.Environment, ctx actor.Context)

// word is a message that the actor under test repeats, with the number of its incarnation.
type word string

// newStage starts the actor; on is called with each message that isn't an act or a word.
func newStage(t *testing.T, on act) *stage {
	s := &stage{t: t, runtime: &handRuntime{set: make(chan struct{}, 100)}, log: &logBook{}, heard: make(chan string, 1000)}
	log := zerolog.New(s.log)
	s.Node = &port.Node{System: port.NewSystem("test", log), Runtime: s.runtime, Log: log}
	incarnation := 0
	props := s.Props(func(env *port.Environment) actor.Actor {
		incarnation++
		number := incarnation
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case act:
				m(env, ctx)
			case word:
				s.heard <- fmt.Sprintf("%s in incarnation %d", m, number)
			default:
				on(env, ctx)
			}
		})
	}, supervision.Option(s.runtime), actor.WithGuardian(supervision.NewRestart(s.runtime)))
	pid, err := s.System.Root.SpawnNamed(props, "actor")
	if err != nil {
		t.Fatalf("spawn the actor: %v", err)
	}
	s.actor = pid
	return s
}

func ignore(*port.Environment, actor.Context) {}

// do makes the actor do something, and waits until it has.
func (s *stage) do(a act) {
	s.t.Helper()
	done := make(chan struct{})
	s.System.Root.Send(s.actor, act(func(env *port.Environment, ctx actor.Context) {
		defer close(done)
		a(env, ctx)
	}))
	await(s.t, done)
}

// fail makes the actor panic; what is sent afterwards is for the next incarnation.
func (s *stage) fail() {
	s.t.Helper()
	s.do(func(*port.Environment, actor.Context) { panic("on purpose") })
}

// failAtOnce makes the actor fail as often as it is started again without a pause.
func (s *stage) failAtOnce() {
	s.t.Helper()
	for range 3 {
		s.fail()
	}
}

// wantHeard says a last word, and compares all that the actor has repeated by then.
func (s *stage) wantHeard(want ...string) {
	s.t.Helper()
	var last string
	s.do(func(_ *port.Environment, ctx actor.Context) { ctx.Send(ctx.Self(), word("end")) })
	var have []string
	for !strings.HasPrefix(last, "end ") {
		last = await(s.t, s.heard)
		have = append(have, last)
	}
	if diff := cmp.Diff(want, have[:len(have)-1], cmpopts.EquateEmpty()); diff != "" {
		s.t.Error(diff)
	}
}

// watch makes an actor that tells when the one under test has ended.
func (s *stage) watch() <-chan struct{} {
	s.t.Helper()
	watching, ended := make(chan struct{}), make(chan struct{})
	s.System.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(s.actor)
			close(watching)
		case *actor.Terminated:
			close(ended)
		}
	}))
	await(s.t, watching)
	return ended
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case x := <-c:
		return x
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// A timer that goes off is the message that was given with it.
func TestTimerIsAMessage(t *testing.T) {
	s := newStage(t, ignore)
	s.do(func(env *port.Environment, _ actor.Context) {
		env.After(time.Second, word("first"))
		env.After(time.Minute, word("second"))
	})
	s.runtime.fire()
	s.wantHeard("first in incarnation 1", "second in incarnation 1")
}

// Timers belong to an incarnation: one that goes off while its actor is started again reaches nobody.
func TestStaleTimersNeverArrive(t *testing.T) {
	s := newStage(t, ignore)
	s.do(func(env *port.Environment, _ actor.Context) { env.After(time.Second, word("stale")) })
	s.fail()
	s.do(func(env *port.Environment, _ actor.Context) { env.After(time.Second, word("fresh")) })
	s.runtime.fire()
	s.wantHeard("fresh in incarnation 2")
}

// So do the answers of ports.
func TestAnswersToEarlierIncarnationsAreDropped(t *testing.T) {
	s := newStage(t, ignore)
	var early, fresh func(word)
	s.do(func(env *port.Environment, _ actor.Context) { early = port.Answer[word](env) })
	s.fail()
	s.do(func(env *port.Environment, _ actor.Context) { fresh = port.Answer[word](env) })
	early("early")
	fresh("fresh")
	s.wantHeard("fresh in incarnation 2")
}

// The log names the actor and the message, and where the panic came from; once, for protoactor is silent about it.
func TestPanicIsLoggedOnceWithItsStack(t *testing.T) {
	s := newStage(t, ignore)
	s.do(whoPanics)
	s.wantHeard()
	lines := s.log.lines(t, "actor panicked")
	if len(lines) != 1 {
		t.Fatalf("want one line, have %v", lines)
	}
	line := lines[0]
	if line["actor"] != "actor" || line["message_type"] != "port_test.act" || line["reason"] != "on purpose" {
		t.Errorf("have %v", line)
	}
	if stack := fmt.Sprint(line["stack"]); !strings.Contains(stack, "port_test.whoPanics") {
		t.Errorf("want the function that panicked in the stack, have\n%s", stack)
	}
}

func whoPanics(*port.Environment, actor.Context) { panic("on purpose") }

// protoactor would revive an actor that panics in Stopping, and not tell those who watch one that panics in Stopped.
func TestPanicAtTheEndRevivesNobody(t *testing.T) {
	for _, during := range []string{"*actor.Stopping", "*actor.Stopped"} {
		t.Run(during, func(t *testing.T) {
			starts := make(chan struct{}, 10)
			s := newStage(t, func(_ *port.Environment, ctx actor.Context) {
				switch fmt.Sprintf("%T", ctx.Message()) {
				case during:
					panic("on purpose")
				case "*actor.Started":
					starts <- struct{}{}
				}
			})
			ended := s.watch()
			s.System.Root.Stop(s.actor)
			await(t, ended)
			if len(starts) != 1 {
				t.Errorf("want one incarnation, have %d", len(starts))
			}
			if lines := s.log.lines(t, "actor panicked"); len(lines) != 1 {
				t.Errorf("want the panic logged once, have %v", lines)
			}
		})
	}
}

// A panic in Restarting must not keep the next incarnation from coming.
func TestPanicInRestartingDoesNotHinderIt(t *testing.T) {
	s := newStage(t, func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Restarting); ok {
			panic("on purpose")
		}
	})
	s.fail()
	s.System.Root.Send(s.actor, word("hello"))
	s.wantHeard("hello in incarnation 2")
}

// Each incarnation that draws has a stream of its own for its path, and draws all from it.
func TestEachIncarnationHasItsOwnStream(t *testing.T) {
	s := newStage(t, ignore)
	draw := func(env *port.Environment, _ actor.Context) { env.Rand().Uint64(); env.Rand().Uint64() }
	s.do(draw)
	s.do(draw)
	s.fail()
	s.do(draw)
	s.runtime.mu.Lock()
	defer s.runtime.mu.Unlock()
	if diff := cmp.Diff([]string{"actor", "actor"}, s.runtime.streams); diff != "" {
		t.Error(diff)
	}
}

// A timer that is cancelled never arrives, also when it has gone off and waits in the actor's mailbox.
func TestCancelledTimerNeverArrives(t *testing.T) {
	s := newStage(t, ignore)
	s.do(func(env *port.Environment, _ actor.Context) {
		cancel := env.After(time.Second, word("early"))
		cancel()
		s.runtime.fire()
		cancel = env.After(time.Second, word("late"))
		s.runtime.fire()
		cancel()
	})
	s.wantHeard()
}

// holdChild makes the actor under test a parent, whose child ends no sooner than the test lets it: so long the actor
// itself is stopping.
func (s *stage) holdChild() (release func()) {
	s.t.Helper()
	hold := make(chan struct{})
	s.do(func(_ *port.Environment, ctx actor.Context) {
		ctx.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Stopping); ok {
				<-hold
			}
		}))
	})
	return func() { close(hold) }
}

// While an actor waits for its children to end it still hears messages. If one makes it panic it ends all the same:
// protoactor would restart it, and its parent and who watches it would wait for ever.
func TestPanicWhileStoppingRevivesNobody(t *testing.T) {
	stopping := make(chan struct{}, 10)
	s := newStage(t, func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Stopping); ok {
			stopping <- struct{}{}
		}
	})
	ended, release := s.watch(), s.holdChild()
	s.System.Root.Stop(s.actor)
	await(t, stopping)
	s.fail()
	s.System.Root.Send(s.actor, word("still here"))
	await(t, s.heard)
	release()
	await(t, ended)
}

// A restart that was decided before a stop, and comes after it, doesn't undo it: as at the end of a pause, or
// when an actor fails while its parent is stopped.
func TestStopIsNotUndoneByARestart(t *testing.T) {
	stopping := make(chan *port.Environment, 10)
	s := newStage(t, func(env *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Stopping); ok {
			stopping <- env
		}
	})
	s.failAtOnce()
	ended, release := s.watch(), s.holdChild()
	s.fail()
	await(t, s.runtime.set) // whose going off brings the restart
	s.System.Root.Stop(s.actor)
	first := await(t, stopping)
	s.runtime.fire()
	release()
	await(t, ended)
	if len(stopping) > 0 && await(t, stopping) == first {
		t.Error("one incarnation was told twice that it stops")
	}
}

// An incarnation that has failed hears nothing more: what it would do, it would do in a broken state.
func TestFailedIncarnationHearsNothing(t *testing.T) {
	heard := make(chan string, 100)
	s := newStage(t, func(_ *port.Environment, ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Terminated); ok {
			heard <- "terminated"
		}
	})
	var other *actor.PID
	s.do(func(_ *port.Environment, ctx actor.Context) {
		other = s.System.Root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
		ctx.Watch(other)
	})
	s.failAtOnce()
	s.fail()
	await(t, s.runtime.set)
	ended := make(chan struct{})
	s.System.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(other)
			ctx.Stop(other)
		case *actor.Terminated:
			close(ended)
		}
	}))
	await(t, ended)
	s.runtime.fire()
	s.wantHeard()
	if len(heard) > 0 {
		t.Error("a failed incarnation heard of an end")
	}
}

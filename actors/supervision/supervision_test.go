package supervision_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"truechimer/actors/port"
	"truechimer/actors/supervision"
)

// patience is how long a test waits for what must come: far longer than a busy machine takes.
const patience = 10 * time.Second

// handRuntime is a runtime whose clock moves when the test moves it.
type handRuntime struct {
	mu      sync.Mutex
	elapsed time.Duration
	timers  []timer
	set     chan time.Duration // how long each timer was set for
}

type timer struct {
	due time.Duration
	f   func()
}

func newHandRuntime() *handRuntime { return &handRuntime{set: make(chan time.Duration, 100)} }

func (r *handRuntime) Now() time.Time         { return time.Time{} }
func (r *handRuntime) Rand(string) *rand.Rand { return rand.New(rand.NewPCG(0, 0)) }
func (r *handRuntime) Sometimes(string)       {}

func (r *handRuntime) Elapsed() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.elapsed
}

func (r *handRuntime) AfterFunc(d time.Duration, f func()) (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timers = append(r.timers, timer{r.elapsed + d, f})
	r.set <- d
	return func() {}
}

// advance moves the clock and lets the timers go off that are due.
func (r *handRuntime) advance(d time.Duration) {
	r.mu.Lock()
	r.elapsed += d
	var due []timer
	r.timers = slices.DeleteFunc(r.timers, func(t timer) bool {
		if t.due <= r.elapsed {
			due = append(due, t)
		}
		return t.due <= r.elapsed
	})
	r.mu.Unlock()
	for _, t := range due {
		t.f()
	}
}

// Messages to the actors of these tests.
type (
	fail  struct{}
	spawn struct{ name string }
	end   struct{ name string }
)

// family is a parent whose children start, fail and end when they are told to.
type family struct {
	t       *testing.T
	system  *actor.ActorSystem
	runtime *handRuntime
	parent  *actor.PID
	started chan string // ids of actors
	ended   chan string
}

func newFamily(t *testing.T) *family {
	f := &family{
		t: t, runtime: newHandRuntime(), system: port.NewSystem("test", zerolog.Nop()),
		started: make(chan string, 100), ended: make(chan string, 100),
	}
	f.parent = f.system.Root.Spawn(f.props(actor.WithGuardian(supervision.NewRestart(f.runtime))))
	f.await(f.started)
	return f
}

// props are those of a member of the family, who can itself be a parent.
func (f *family) props(options ...actor.PropsOption) *actor.Props {
	node := &port.Node{System: f.system, Runtime: f.runtime, Log: zerolog.Nop()}
	return node.Props(func(*port.Environment) actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				f.started <- ctx.Self().Id
			case *actor.Terminated:
				f.ended <- m.Who.Id
			case spawn:
				if _, err := ctx.SpawnNamed(f.props(), m.name); err != nil {
					f.t.Errorf("spawn %s: %v", m.name, err)
				}
			case end:
				ctx.Stop(actor.NewPID("test", ctx.Self().Id+"/"+m.name))
			case fail:
				panic("on purpose")
			}
		})
	}, append(options, supervision.Option(f.runtime))...)
}

// child starts a child of the parent.
func (f *family) child(name string) *actor.PID {
	f.t.Helper()
	f.system.Root.Send(f.parent, spawn{name})
	return actor.NewPID("test", f.await(f.started))
}

func (f *family) await(c <-chan string) string {
	f.t.Helper()
	select {
	case id := <-c:
		return id
	case <-time.After(patience):
		f.t.Fatal("waited in vain")
		return ""
	}
}

// pause is what the supervisor waits before the start that follows.
func (f *family) pause() time.Duration {
	f.t.Helper()
	select {
	case d := <-f.runtime.set:
		return d
	case <-time.After(patience):
		f.t.Fatal("waited in vain")
		return 0
	}
}

// failAtOnce lets the child fail as often as it is started again without a pause.
func (f *family) failAtOnce(child *actor.PID) {
	f.t.Helper()
	for range 3 {
		f.system.Root.Send(child, fail{})
		f.await(f.started)
	}
}

// The first failures cost nothing; then the pauses double up to a minute, and stay there.
func TestPausesGrow(t *testing.T) {
	f := newFamily(t)
	child := f.child("child")
	f.failAtOnce(child)
	var have []time.Duration
	for range 9 {
		f.system.Root.Send(child, fail{})
		d := f.pause()
		have = append(have, d)
		f.runtime.advance(d)
		f.await(f.started)
	}
	s := time.Second
	want := []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, time.Minute, time.Minute, time.Minute}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

// An actor that has run for more than five minutes is as good as new; not after five minutes to the second.
func TestFailuresAreForgiven(t *testing.T) {
	for _, test := range []struct {
		name   string
		ran    time.Duration
		pauses bool
	}{
		{"five minutes", 5 * time.Minute, true},
		{"more", 5*time.Minute + 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFamily(t)
			child := f.child("child")
			f.failAtOnce(child)
			f.runtime.advance(test.ran)
			f.system.Root.Send(child, fail{})
			if test.pauses {
				f.runtime.advance(f.pause())
			}
			f.await(f.started)
			if len(f.runtime.set) > 0 {
				t.Error("want no pause")
			}
		})
	}
}

// Each child is judged by its own failures, and its brothers don't notice them.
func TestBrothersDoNotNotice(t *testing.T) {
	f := newFamily(t)
	good, bad := f.child("good"), f.child("bad")
	f.failAtOnce(bad)
	f.system.Root.Send(bad, fail{})
	f.pause()
	f.system.Root.Send(good, fail{})
	if id := f.await(f.started); id != good.Id {
		t.Errorf("want %s started again at once, have %s", good.Id, id)
	}
}

// A root's guardian restarts it as a parent does a child.
func TestGuardianRestartsTheRoot(t *testing.T) {
	f := newFamily(t)
	f.failAtOnce(f.parent)
	f.system.Root.Send(f.parent, fail{})
	f.runtime.advance(f.pause())
	if id := f.await(f.started); id != f.parent.Id {
		t.Errorf("want the parent, have %s", id)
	}
}

// What is sent to an actor during its pause waits for the next incarnation.
func TestMessagesOutlastThePause(t *testing.T) {
	f := newFamily(t)
	child := f.child("child")
	f.failAtOnce(child)
	f.system.Root.Send(child, fail{})
	d := f.pause()
	f.system.Root.Send(child, spawn{"grandchild"})
	f.runtime.advance(d)
	if id := f.await(f.started); id != child.Id {
		t.Errorf("want %s first, have %s", child.Id, id)
	}
	if id := f.await(f.started); id != child.Id+"/grandchild" {
		t.Errorf("want the grandchild, have %s", id)
	}
}

// An actor can be stopped during its pause, and the end of the pause starts nobody.
func TestStoppedActorStaysStopped(t *testing.T) {
	f := newFamily(t)
	child := f.child("child")
	f.failAtOnce(child)
	f.system.Root.Send(child, fail{})
	d := f.pause()
	f.system.Root.Send(f.parent, end{"child"})
	f.await(f.ended)
	f.runtime.advance(d)
	f.system.Root.Send(f.parent, spawn{"another"})
	if id := f.await(f.started); id != f.parent.Id+"/another" {
		t.Errorf("want only another one started, have %s", id)
	}
}

// A pause ends for the actor that failed, not for one that has taken its name meanwhile.
func TestSuccessorIsNotRestarted(t *testing.T) {
	f := newFamily(t)
	child := f.child("child")
	f.failAtOnce(child)
	f.system.Root.Send(child, fail{})
	d := f.pause()
	f.system.Root.Send(f.parent, end{"child"})
	f.await(f.ended)
	f.child("child")
	f.runtime.advance(d)
	f.system.Root.Send(f.parent, spawn{"another"})
	if id := f.await(f.started); id != f.parent.Id+"/another" {
		t.Errorf("want only another one started, have %s", id)
	}
}

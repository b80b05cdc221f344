// Package supervision says what happens when an actor panics: it starts again, alone, and from what is stored.
//
// protoactor's own strategies count failures by the machine's clock and give up for good after a few.
// A server or a monitor must never be given up: this strategy runs on the runtime's clock, and
// an actor that fails again and again is started again after growing pauses.
package supervision

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
)

const (
	// atOnce is how many failures in a row are answered by a start at once: a fault in one message is gone with it.
	atOnce = 3
	// firstPause and longestPause bound the pauses after that: they double, so that a fault
	// that comes back at every start costs next to nothing, and one that passes is healed within a minute.
	firstPause   = time.Second
	longestPause = time.Minute
	// forgiven is how long an actor must have run for its earlier failures to be forgotten.
	forgiven = 5 * time.Minute
)

// Restart is a one-for-one strategy: the child that failed is started again, its brothers don't notice.
type Restart struct {
	runtime  port.Runtime
	failures map[string]failure // by the child's id
}

type failure struct {
	inARow int
	last   time.Duration // by Runtime.Elapsed
}

// NewRestart makes the strategy of one parent.
func NewRestart(runtime port.Runtime) *Restart {
	return &Restart{runtime: runtime, failures: make(map[string]failure)}
}

// Option is the strategy as an option of its parent's props.
func Option(runtime port.Runtime) actor.PropsOption {
	return actor.WithSupervisor(NewRestart(runtime))
}

// HandleFailure starts the child again, at once or after a pause.
func (s *Restart) HandleFailure(system *actor.ActorSystem, parent actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	s.runtime.Sometimes("actor restarted")
	now := s.runtime.Elapsed()
	s.forget(now)
	f := s.failures[child.Id]
	f.inARow++
	f.last = now
	s.failures[child.Id] = f
	if f.inARow <= atOnce {
		parent.RestartChildren(child)
		return
	}
	failed, _ := system.ProcessRegistry.Get(child)
	s.runtime.AfterFunc(pause(f.inARow), func() {
		// Another actor may have taken the name by now.
		if present, _ := system.ProcessRegistry.Get(child); present == failed {
			parent.RestartChildren(child)
		}
	})
}

// forget drops what is forgiven, so that the book holds only children that failed lately.
func (s *Restart) forget(now time.Duration) {
	for id, f := range s.failures {
		if now-f.last > forgiven {
			delete(s.failures, id)
		}
	}
}

// pause is how long to wait before the start after the n-th failure in a row.
func pause(n int) time.Duration {
	d := firstPause
	for range n - atOnce - 1 {
		if d *= 2; d >= longestPause {
			return longestPause
		}
	}
	return d
}

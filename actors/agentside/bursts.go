package agentside

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
)

const (
	// maxBursts is how many probes go at once. A thousand probes a second, more than any agent has, of servers that
	// are all silent for the 9 s that three queries take, make 9,000. Each costs some 5 kB and one open socket.
	maxBursts = 10_000

	// maxWaiting is how many more may wait for a place. Even if every probe takes its longest 24 s, places
	// come free at 400 a second: who waits does so for less than 3 s.
	maxWaiting = 1_000

	// skippedEvery is how often the log is told of probes that were left out.
	skippedEvery = time.Minute
)

// bursts bounds how many probes go at once. Each has an actor of its own. Nobody is told of a probe that was lost
// or left out: who ordered it has other means to notice.
//
// When it fails the probes under way are lost with it.
type bursts struct {
	env    *port.Environment
	config *Config

	started uint64 // how many have been started: their names
	running int
	waiting []orderedBurst // first come, first served
	skipped int            // since the log was told
	saying  bool           // the log will be told
}

// orderedBurst is a probe and who wants to know what it finds.
type orderedBurst struct {
	order    *messages.Burst
	measured *actor.PID
}

// saySkipped is the timer for the log.
type saySkipped struct{}

func newBursts(env *port.Environment, config *Config) *bursts {
	return &bursts{env: env, config: config}
}

func (a *bursts) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *messages.Burst:
		a.onBurst(ctx, msg)
	case *actor.Terminated:
		a.onTerminated(ctx)
	case saySkipped:
		a.onSaySkipped()
	}
}

func (a *bursts) onBurst(ctx actor.Context, order *messages.Burst) {
	ordered := orderedBurst{order: order, measured: ctx.Sender()}
	switch {
	case a.running < maxBursts:
		a.start(ctx, ordered)
	case len(a.waiting) < maxWaiting:
		a.env.Sometimes("burst waits")
		a.waiting = append(a.waiting, ordered)
	default:
		a.skip()
	}
}

func (a *bursts) start(ctx actor.Context, ordered orderedBurst) {
	a.running++
	a.started++
	spawn(ctx, fmt.Sprintf("burst/%d", a.started), a.config.Node.Props(func(env *port.Environment) actor.Actor {
		return newBurst(env, a.config.Prober, ordered)
	}))
}

// onTerminated gives the place of a probe that has ended, or failed, to the next.
func (a *bursts) onTerminated(ctx actor.Context) {
	a.running--
	if len(a.waiting) > 0 {
		next := a.waiting[0]
		a.waiting = a.waiting[1:]
		a.start(ctx, next)
	}
}

// skip leaves a probe out, and has the log told how many there were.
func (a *bursts) skip() {
	a.env.Sometimes("burst skipped")
	a.skipped++
	if !a.saying {
		a.saying = true
		a.env.After(skippedEvery, saySkipped{})
	}
}

func (a *bursts) onSaySkipped() {
	a.env.Log().Warn().Int("skipped", a.skipped).Int("at_once", maxBursts).Msg("too many probes at once")
	a.skipped, a.saying = 0, false
}

// giveUp is the supervision of bursts: one that fails is stopped, its probe is lost. Starting it again would ask
// a server a second time, sooner than it likes.
type giveUp struct{ runtime port.Runtime }

// HandleFailure implements actor.SupervisorStrategy.
func (s giveUp) HandleFailure(_ *actor.ActorSystem, parent actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	s.runtime.Sometimes("burst failed")
	parent.StopChildren(child)
}

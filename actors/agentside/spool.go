package agentside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

const (
	// maxSpooled is how many samples of each IP version are kept. A sample takes some 500 bytes, so both take up
	// to 50 MB; a monitor with 1,000 servers, each probed every 9 min, is safe for 7 h.
	maxSpooled = 50_000

	// standingEvery is how often at most the agent is told how many there are: it tells the hub less often.
	standingEvery = 10 * time.Second

	// droppedEvery is how often the log is told of samples that had to go.
	droppedEvery = time.Minute
)

// spool keeps samples until the hub has said what became of them. What exceeds its bound is dropped, the oldest first.
//
// When it fails, or the program ends, its samples are lost.
type spool struct {
	env  *port.Environment
	kept map[pool.IPVersion]*shelf

	telling bool // the agent will be told how many there are
	dropped int  // since the log was told
	saying  bool // the log will be told
}

// collector is who waits for samples.
type collector struct {
	pid   *actor.PID
	limit int
}

// private messages of the spool.
type (
	tellStanding struct{}
	sayDropped   struct{}
)

func newSpool(env *port.Environment) *spool {
	return &spool{env: env, kept: make(map[pool.IPVersion]*shelf)}
}

func (a *spool) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *messages.Spool:
		a.onSpool(ctx, msg)
	case *messages.Collect:
		a.onCollect(ctx, msg)
	case *messages.Forget:
		a.onForget(msg)
	case tellStanding:
		a.onTellStanding(ctx)
	case sayDropped:
		a.onSayDropped()
	}
}

// shelf is where the samples of an IP version are. Its numbers begin anywhere: those of a spool that has
// failed must not be taken for those of the one after it.
func (a *spool) shelf(version pool.IPVersion) *shelf {
	if a.kept[version] == nil {
		a.kept[version] = newShelf(a.env.Rand().Uint64() / 2)
	}
	return a.kept[version]
}

func (a *spool) onSpool(ctx actor.Context, msg *messages.Spool) {
	s := a.shelf(pool.IPVersion(msg.IpVersion))
	for _, evidence := range msg.Evidence {
		s.put(evidence)
		if s.len() > maxSpooled {
			s.dropOldest()
			a.drop()
		}
	}
	a.change()
	a.serve(ctx, msg.IpVersion, s)
}

func (a *spool) onCollect(ctx actor.Context, msg *messages.Collect) {
	s := a.shelf(pool.IPVersion(msg.IpVersion))
	s.waiting = &collector{pid: ctx.Sender(), limit: int(msg.Limit)}
	a.serve(ctx, msg.IpVersion, s)
}

func (a *spool) onForget(msg *messages.Forget) {
	s := a.shelf(pool.IPVersion(msg.IpVersion))
	for _, number := range msg.Numbers {
		s.forget(number)
	}
	a.change()
}

// serve answers who waits for samples, if there are any.
func (a *spool) serve(ctx actor.Context, version uint32, s *shelf) {
	if s.waiting == nil || s.len() == 0 {
		return
	}
	w := s.waiting
	s.waiting = nil
	ctx.Send(w.pid, &messages.Collected{IpVersion: version, Spooled: s.take(w.limit)})
}

// change has the agent told, soon, how many samples there are.
func (a *spool) change() {
	if !a.telling {
		a.telling = true
		a.env.After(standingEvery, tellStanding{})
	}
}

func (a *spool) onTellStanding(ctx actor.Context) {
	a.telling = false
	for _, version := range versions {
		if s := a.kept[version]; s != nil {
			ctx.Request(ctx.Parent(), &messages.Standing{Pulse: messages.FromVitals(messages.Vitals{
				Version: version, Spooled: s.len(),
			})})
		}
	}
}

// drop notes that a sample had to go.
func (a *spool) drop() {
	a.env.Sometimes("spool drop")
	a.dropped++
	if !a.saying {
		a.saying = true
		a.env.After(droppedEvery, sayDropped{})
	}
}

func (a *spool) onSayDropped() {
	a.env.Log().Warn().Int("dropped", a.dropped).Int("kept", maxSpooled).Msg("the spool is full, its oldest samples are lost")
	a.dropped, a.saying = 0, false
}

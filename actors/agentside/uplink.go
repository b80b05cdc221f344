package agentside

import (
	"maps"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

const (
	// maxBatchBytes is how many bytes of samples a batch may have, which leaves room in a frame for all around them.
	// A full batch whose samples all carry the longest texts is smaller, so it is a bound for what nobody expects.
	maxBatchBytes = messages.MaxFrame - 16<<10

	// batchEvery is how long samples are gathered for the next batch, if they don't fill one before.
	batchEvery = time.Second

	// answerWithin is how long a batch waits for its verdicts. The hub answers within 5 s, so it was lost with one
	// of the actors on its way.
	answerWithin = 30 * time.Second

	// collectWithin is how long the spool is waited for. It answers when it has something; asking again costs
	// nothing, and one that has started anew doesn't know the question.
	collectWithin = 30 * time.Second

	// firstUndecidedPause is longer than a hub takes to commit, longestUndecidedPause as long as one may be away.
	firstUndecidedPause   = 2 * time.Second
	longestUndecidedPause = time.Minute

	// refusedEvery is how often the log is told of samples that the hub has refused.
	refusedEvery = time.Minute
)

// uplink brings samples from the spool to the hub in batches, one at a time for each IP version. A sample stays in the
// spool until the hub has stored or refused it. A batch is sent again when there is a new link, or no answer;
// what the hub got twice counts once.
//
// When it fails, the samples of a batch under way are sent again in another one.
type uplink struct {
	env   *port.Environment
	spool *actor.PID

	session   *actor.PID // on the hub; nil: there is no link
	streams   map[pool.IPVersion]*stream
	lastBatch uint64 // begins anywhere: the hub must not take an answer to an earlier incarnation's for ours

	refused map[string]int // by reason, since the log was told
	saying  bool           // the log was told lately, and will be again
}

// stream is the way of one IP version's samples.
type stream struct {
	version   uint32
	batch     *batch // under way; nil: none
	sent      time.Duration
	undecided pauses
	stop      func() // of the timer that runs: for the answer of the spool or the hub, or until the next batch
}

// batch is one on its way.
type batch struct {
	message *messages.Batch
	numbers []uint64 // of the samples in the spool, in the order of the batch
	full    bool     // there was no room for more
}

// private messages of the uplink.
type (
	collectDue struct{ stream *stream }
	answerDue  struct{ stream *stream }
	sayRefused struct{}
)

func newUplink(env *port.Environment, spool *actor.PID) *uplink {
	a := &uplink{
		env: env, spool: spool, streams: make(map[pool.IPVersion]*stream), refused: make(map[string]int),
	}
	for _, version := range versions {
		a.streams[version] = &stream{
			version:   uint32(version),
			undecided: pauses{first: firstUndecidedPause, longest: longestUndecidedPause},
			stop:      func() {},
		}
	}
	return a
}

func (a *uplink) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.lastBatch = a.env.Rand().Uint64()
	case *messages.LinkUp:
		a.onLinkUp(ctx, msg)
	case *messages.LinkDown:
		a.onLinkDown()
	case collectDue:
		a.collect(ctx, msg.stream)
	case *messages.Collected:
		a.onCollected(ctx, msg)
	case answerDue:
		a.onAnswerDue(ctx, msg.stream)
	case *messages.Verdicts:
		a.onVerdicts(ctx, msg)
	case sayRefused:
		a.saying = false
		a.tellLog()
	}
}

// onLinkUp goes on where the last link ended.
func (a *uplink) onLinkUp(ctx actor.Context, msg *messages.LinkUp) {
	a.session = actor.NewPID(messages.HubAddress, msg.Welcome.Session)
	for _, version := range versions {
		s := a.streams[version]
		s.undecided.reset()
		if s.batch != nil {
			a.send(ctx, s)
		} else {
			a.collect(ctx, s)
		}
	}
}

func (a *uplink) onLinkDown() {
	a.session = nil
	for _, s := range a.streams {
		s.stop()
	}
}

// collect asks the spool for samples.
func (a *uplink) collect(ctx actor.Context, s *stream) {
	s.stop()
	s.stop = a.env.After(collectWithin, collectDue{s})
	ctx.Request(a.spool, &messages.Collect{IpVersion: s.version, Limit: messages.MaxBatch})
}

// onCollected makes a batch. Without a link the samples are left where they are.
func (a *uplink) onCollected(ctx actor.Context, msg *messages.Collected) {
	s := a.streams[pool.IPVersion(msg.IpVersion)]
	if s == nil || s.batch != nil || a.session == nil {
		return
	}
	a.lastBatch++
	s.batch = newBatch(a.lastBatch, msg)
	a.send(ctx, s)
}

// newBatch takes as many of the samples as there is room for.
func newBatch(id uint64, collected *messages.Collected) *batch {
	b := &batch{message: &messages.Batch{Id: id, IpVersion: collected.IpVersion}}
	bytes := 0
	for _, spooled := range collected.Spooled {
		bytes += proto.Size(spooled.Evidence)
		if len(b.numbers) == messages.MaxBatch || bytes > maxBatchBytes && len(b.numbers) > 0 {
			b.full = true
			return b
		}
		b.numbers = append(b.numbers, spooled.Number)
		b.message.Evidence = append(b.message.Evidence, spooled.Evidence)
	}
	b.full = len(b.numbers) == messages.MaxBatch
	return b
}

// send sends the batch that is under way, for the first time or again.
func (a *uplink) send(ctx actor.Context, s *stream) {
	s.stop()
	s.stop = a.env.After(answerWithin, answerDue{s})
	s.sent = a.env.Elapsed()
	ctx.Request(a.session, s.batch.message)
}

// onAnswerDue sends a batch again: it or its answer was lost.
func (a *uplink) onAnswerDue(ctx actor.Context, s *stream) {
	if s.batch == nil || a.session == nil {
		return
	}
	a.env.Sometimes("batch sent again")
	a.send(ctx, s)
}

// onVerdicts has the spool forget what was decided, and goes on with what wasn't and what has come since.
func (a *uplink) onVerdicts(ctx actor.Context, msg *messages.Verdicts) {
	s := a.streams[pool.IPVersion(msg.IpVersion)]
	if s == nil || s.batch == nil || s.batch.message.Id != msg.BatchId {
		return // answered already
	}
	b := s.batch
	s.batch = nil
	decided := a.decided(b, msg)
	ctx.Send(a.spool, &messages.Forget{IpVersion: s.version, Numbers: decided})
	if a.session == nil {
		return // the link has ended since; the next one goes on
	}
	pause := a.pause(s, b, len(decided))
	if pause <= 0 {
		a.collect(ctx, s)
		return
	}
	s.stop()
	s.stop = a.env.After(pause, collectDue{s})
}

// decided are the numbers of the samples that need not be sent again.
func (a *uplink) decided(b *batch, msg *messages.Verdicts) (numbers []uint64) {
	seen := make([]bool, len(b.numbers))
	for _, v := range msg.Verdicts {
		if int(v.Index) >= len(seen) || seen[v.Index] {
			continue
		}
		seen[v.Index] = true
		switch v.Outcome {
		case messages.Verdict_REFUSED:
			a.refused[v.Reason]++
			numbers = append(numbers, b.numbers[v.Index])
		case messages.Verdict_STORED:
			numbers = append(numbers, b.numbers[v.Index])
		}
	}
	a.tellLog()
	return numbers
}

// pause is how long to wait before the next batch: not at all after a full one that was decided,
// long where the hub couldn't decide on anything.
func (a *uplink) pause(s *stream, b *batch, decided int) time.Duration {
	if decided == 0 {
		a.env.Sometimes("batch undecided")
		return s.undecided.take(a.env.Rand())
	}
	s.undecided.reset()
	if b.full && decided == len(b.numbers) {
		return 0
	}
	return s.sent + batchEvery - a.env.Elapsed()
}

// tellLog tells the log, now and then, why the hub has refused samples.
func (a *uplink) tellLog() {
	if len(a.refused) == 0 || a.saying {
		return
	}
	a.saying = true
	a.env.After(refusedEvery, sayRefused{})
	for _, reason := range slices.Sorted(maps.Keys(a.refused)) {
		a.env.Log().Warn().Str("reason", reason).Int("samples", a.refused[reason]).Msg("the hub refused samples")
	}
	clear(a.refused)
}

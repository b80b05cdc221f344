package hubside

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/scoring"
	"truechimer/pool/selection"
)

// commitSamples bounds what one server asks to be kept at once; more waits for the next commit.
// How much can wait the shard's credit bounds.
const commitSamples = messages.MaxBatch

// score keeps what one NTP server is worth: a score for each monitor, and the overall ones.
// One commit is under way at a time, and nobody is told of a sample before it is kept.
// When it panics or a commit is refused it starts again from the store: memory never outlives the database.
type score struct {
	env    *port.Environment
	config *Config
	shard  pool.ShardID
	epoch  uint64
	id     pool.ServerID

	scorers   []pool.Scorer
	asked     uint64        // the question that waits for the image
	book      *scoring.Book // nil: waiting for it
	ledger    *selection.Ledger
	weigher   *actor.PID       // who waits for figures; nil: nobody
	weighing  uint64           // its question
	server    *messages.Server // as loaded
	cause     *messages.LogRow // the newest sample that moved a score; nil: there is none
	condemned map[pool.MonitorID]bool
	statuses  map[pool.MonitorID]pool.Status

	pending []evidence
	apart   int // how many of these are to be kept one by one: among them is one that can't be
	under   *commitUnderWay
	keep    question
}

// commitUnderWay is what the archivist was asked to keep.
type commitUnderWay struct {
	evidence []evidence
	rows     []*messages.LogRow
}

func newScore(env *port.Environment, config *Config, shard pool.ShardID, epoch uint64, id pool.ServerID) *score {
	return &score{env: env, keep: question{env: env}, config: config, shard: shard, epoch: epoch, id: id}
}

func (a *score) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		ctx.Send(Shard(ctx.ActorSystem(), a.shard), &messages.Settled{ServerId: uint32(a.id), All: true})
		a.load(ctx)
	case *messages.Roster:
		a.scorers = roster{msg}.scorers()
	case *messages.ServerLoaded:
		a.onLoaded(ctx, msg)
	case *messages.PairsChanged:
		a.onPairsChanged(ctx, msg)
	case *messages.Samples:
		a.onSamples(ctx, msg)
	case *messages.Committed:
		a.onCommitted(ctx, msg)
	case *messages.Weigh:
		a.onWeigh(ctx, msg)
	case askAgain:
		msg.again(ctx)
	}
}

// load forgets what the server is worth and asks for what is stored, behind all that was to be kept.
func (a *score) load(ctx actor.Context) {
	a.book, a.asked = nil, a.env.Rand().Uint64()
	ctx.Request(ctx.Parent(), &messages.LoadServer{ServerId: uint32(a.id), Question: a.asked})
}

// onLoaded starts from what is stored. When it has started, an image is only news of what others have changed:
// the scores in it may lack the commit that is under way.
func (a *score) onLoaded(ctx actor.Context, msg *messages.ServerLoaded) {
	switch {
	case a.book == nil && msg.Question == a.asked:
		a.start(messages.ToServerImage(msg.Image))
	case a.book == nil:
		return // asked by an earlier incarnation
	}
	a.server = msg.Image.Server
	for _, p := range msg.Image.Pairs {
		if monitor := pool.MonitorID(p.MonitorId); !a.isScorer(monitor) {
			a.setStatus(monitor, pool.Status(p.Status.GetStatus()))
		}
	}
	a.announce(ctx, nil)
	a.record(ctx)
	a.answerWeigher(ctx)
}

// start makes the book anew.
func (a *score) start(image pool.ServerImage) {
	snapshot := scoring.SnapshotOf(image, a.scorers)
	a.book = scoring.NewBook(snapshot)
	a.ledger, a.cause = selection.NewLedger(image), causeOf(image, a.isScorer)
	a.condemned = make(map[pool.MonitorID]bool)
	a.statuses = make(map[pool.MonitorID]pool.Status)
	for _, p := range snapshot.Pairs {
		a.condemned[p.Monitor] = scoring.Condemned(p.Last.Score, p.Last.Step)
	}
}

func (a *score) isScorer(id pool.MonitorID) bool {
	return slices.ContainsFunc(a.scorers, func(s pool.Scorer) bool { return s.ID == id })
}

func (a *score) setStatus(monitor pool.MonitorID, status pool.Status) {
	a.statuses[monitor] = status
	a.book.SetStatus(monitor, status)
}

// onPairsChanged learns which monitors count from now on.
func (a *score) onPairsChanged(ctx actor.Context, msg *messages.PairsChanged) {
	if a.book == nil {
		return // the image will have them
	}
	for _, p := range msg.Pairs {
		a.setStatus(pool.MonitorID(p.MonitorId), pool.Status(p.Status))
	}
	a.announce(ctx, nil)
}

// onSamples takes evidence. While the image is on its way it waits.
func (a *score) onSamples(ctx actor.Context, msg *messages.Samples) {
	for _, s := range msg.Samples {
		e := evidence{session: ctx.Sender(), batch: msg.BatchId, ipVersion: msg.IpVersion, index: s.Index}
		sample, err := messages.ToSample(s.Sample)
		if err != nil {
			a.decide(ctx, []evidence{e}, messages.Verdict_REFUSED, malformed)
			continue
		}
		e.observed = scoring.Observation{Monitor: pool.MonitorID(msg.MonitorId), Sample: sample}
		a.pending = append(a.pending, e)
	}
	a.record(ctx)
}

// record scores what is pending and asks for it to be kept.
func (a *score) record(ctx actor.Context) {
	for a.book != nil && a.under == nil && len(a.pending) > 0 {
		taken := a.take()
		batch := make([]scoring.Observation, len(taken))
		for i, e := range taken {
			batch[i] = e.observed
		}
		entries, _ := a.book.Record(batch)
		if len(entries) == 0 { // nothing but repetitions of what is stored
			a.env.Sometimes("sample sent twice")
			a.decide(ctx, taken, messages.Verdict_STORED, "")
			continue
		}
		commit := messages.FromServerCommit(a.keep.draw(), a.commitOf(entries))
		a.under = &commitUnderWay{evidence: taken, rows: commit.Rows}
		a.keep.put(ctx, local(ctx, archivistName), commit)
	}
}

// take is what the next commit is made of.
func (a *score) take() []evidence {
	n := min(len(a.pending), commitSamples)
	if a.apart > 0 {
		a.apart--
		n = 1
	}
	taken := a.pending[:n:n]
	if a.pending = a.pending[n:]; len(a.pending) == 0 {
		a.pending = nil // the array isn't kept for what is gone
	}
	return taken
}

// commitOf is what the archivist shall keep of a recorded batch.
func (a *score) commitOf(entries []scoring.Entry) pool.ServerCommit {
	scores, overall := a.book.Unstored()
	commit := pool.ServerCommit{
		Shard: a.shard, Epoch: a.epoch, Server: a.id,
		Rows: make([]pool.LogRow, len(entries)), Scores: scores, Overall: overall,
	}
	for i, e := range entries {
		commit.Rows[i] = e.LogRow()
	}
	return commit
}

// onCommitted tells everybody what is now on disk, and goes on.
func (a *score) onCommitted(ctx actor.Context, msg *messages.Committed) {
	if !a.keep.answeredBy(msg.Id) {
		return // asked by an earlier incarnation
	}
	under := a.under
	a.under = nil
	switch msg.Outcome {
	case messages.Committed_KEPT:
		a.onKept(ctx, under, msg.LogIds)
	case messages.Committed_FENCED:
		a.book = nil
		a.decide(ctx, append(under.evidence, a.pending...), messages.Verdict_UNDECIDED, "another hub has the server now")
		a.pending = nil
	default:
		a.onRefused(ctx, under)
	}
}

// onRefused starts again from the store. Of several samples each is tried by itself then, so that one that
// can't be kept takes no other with it. Why it can't is in the hub's log.
func (a *score) onRefused(ctx actor.Context, under *commitUnderWay) {
	if len(under.evidence) > 1 {
		a.env.Sometimes("refused samples tried one by one")
		a.apart = len(under.evidence)
		a.pending = append(under.evidence, a.pending...)
	} else {
		a.decide(ctx, under.evidence, messages.Verdict_REFUSED, "it can't be stored")
	}
	a.load(ctx)
}

func (a *score) onKept(ctx actor.Context, under *commitUnderWay, ids []uint64) {
	logged := make([]pool.LogID, len(ids))
	for i, id := range ids {
		logged[i] = pool.LogID(id)
	}
	a.book.Stored(logged)
	a.decide(ctx, under.evidence, messages.Verdict_STORED, "")
	a.enter(under.rows, ids)
	news := newsOf(under.rows)
	for _, row := range news {
		a.noteCondemned(ctx, pool.MonitorID(row.MonitorId), row.Score, row.Step)
	}
	a.announce(ctx, news)
	a.record(ctx)
}

// noteCondemned tells the server when a monitor has given it up, or takes hope again.
func (a *score) noteCondemned(ctx actor.Context, monitor pool.MonitorID, value, step float64) {
	condemned := scoring.Condemned(value, step)
	if condemned != a.condemned[monitor] {
		a.condemned[monitor] = condemned
		ctx.Send(ctx.Parent(), &messages.Condemned{MonitorId: uint32(monitor), Condemned: condemned})
	}
}

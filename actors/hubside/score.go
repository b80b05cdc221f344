package hubside

import (
	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
	"truechimer/pool/scoring"
)

const (
	// commitSamples bounds what one server asks to be kept at once; more waits for the next commit.
	commitSamples = messages.MaxBatch
	// pendingSamples bounds what waits while a commit is under way: more than a server gets in hours.
	pendingSamples = 4 * commitSamples
)

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
	book      *scoring.Book    // nil: waiting for the image
	server    *messages.Server // as loaded
	pending   []evidence
	under     *commitUnderWay
	keep      question
	condemned map[pool.MonitorID]bool
	statuses  map[pool.MonitorID]pool.Status
}

// evidence is a sample and who waits for the verdict on it.
type evidence struct {
	session   *actor.PID
	batch     uint64
	ipVersion uint32
	index     uint32
	observed  scoring.Observation
}

// commitUnderWay is what the archivist was asked to keep.
type commitUnderWay struct {
	id       uint64
	evidence []evidence
	rows     []*messages.LogRow
}

func newScore(env *port.Environment, config *Config, shard pool.ShardID, epoch uint64, id pool.ServerID) *score {
	return &score{env: env, keep: question{env: env}, config: config, shard: shard, epoch: epoch, id: id}
}

func (a *score) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		a.load(ctx)
	case *messages.Roster:
		a.scorers = messages.ToRoster(msg).Scorers
	case *messages.ServerImage:
		a.onImage(ctx, msg)
	case *messages.PairsChanged:
		a.onPairsChanged(ctx, msg)
	case *messages.Samples:
		a.onSamples(ctx, msg)
	case *messages.Committed:
		a.onCommitted(ctx, msg)
	case askAgain:
		msg.again(ctx)
	}
}

// load forgets everything and asks for what is stored.
func (a *score) load(ctx actor.Context) {
	a.book, a.under, a.pending = nil, nil, nil
	ctx.Request(ctx.Parent(), &messages.LoadServer{ServerId: uint32(a.id)})
}

// onImage starts from what is stored. What was under way until now is undecided: it will be sent again,
// and found stored if it was.
func (a *score) onImage(ctx actor.Context, msg *messages.ServerImage) {
	if a.under != nil {
		a.decide(ctx, a.under.evidence, messages.Verdict_UNDECIDED, "the server was loaded anew")
		a.under = nil
		a.keep.answered()
	}
	snapshot := scoring.SnapshotOf(messages.ToServerImage(msg), a.scorers)
	a.server = msg.Server
	a.book = scoring.NewBook(snapshot)
	a.condemned = make(map[pool.MonitorID]bool)
	a.statuses = make(map[pool.MonitorID]pool.Status)
	for _, p := range snapshot.Pairs {
		a.statuses[p.Monitor] = p.Status
		a.condemned[p.Monitor] = scoring.Condemned(p.Last.Score, p.Last.Step)
	}
	a.announce(ctx, nil)
	a.record(ctx)
}

// onPairsChanged learns which monitors count from now on.
func (a *score) onPairsChanged(ctx actor.Context, msg *messages.PairsChanged) {
	if a.book == nil {
		return // the image will have them
	}
	for _, p := range msg.Pairs {
		monitor, status := pool.MonitorID(p.MonitorId), pool.Status(p.Status)
		a.statuses[monitor] = status
		a.book.SetStatus(monitor, status)
	}
	a.announce(ctx, nil)
}

func (a *score) onSamples(ctx actor.Context, msg *messages.Samples) {
	if a.book == nil || len(a.pending)+len(msg.Samples) > pendingSamples {
		decideAll(ctx, ctx.Sender(), msg, messages.Verdict_UNDECIDED, "the server has too much to do")
		a.settled(ctx, len(msg.Samples))
		return
	}
	for _, s := range msg.Samples {
		e := evidence{session: ctx.Sender(), batch: msg.BatchId, ipVersion: msg.IpVersion, index: s.Index}
		sample, err := messages.ToSample(s.Sample)
		if err != nil {
			a.decide(ctx, []evidence{e}, messages.Verdict_REFUSED, "malformed sample")
			continue
		}
		e.observed = scoring.Observation{Monitor: pool.MonitorID(msg.MonitorId), Sample: sample}
		a.pending = append(a.pending, e)
	}
	a.record(ctx)
}

// record scores what is pending and asks for it to be kept.
func (a *score) record(ctx actor.Context) {
	if a.book == nil || a.under != nil || len(a.pending) == 0 {
		return
	}
	n := min(len(a.pending), commitSamples)
	taken := a.pending[:n:n]
	a.pending = a.pending[n:]
	batch := make([]scoring.Observation, n)
	for i, e := range taken {
		batch[i] = e.observed
	}
	entries, _ := a.book.Record(batch)
	if len(entries) == 0 { // nothing but repetitions of what is stored
		a.env.Sometimes("sample sent twice")
		a.decide(ctx, taken, messages.Verdict_STORED, "")
		a.record(ctx)
		return
	}
	commit := a.commitOf(entries)
	a.under = &commitUnderWay{id: commit.Id, evidence: taken, rows: commit.Rows}
	a.keep.put(ctx, local(ctx, archivistName), commit)
}

// commitOf is what the archivist shall keep of a recorded batch.
func (a *score) commitOf(entries []scoring.Entry) *messages.Commit {
	scores, overall := a.book.Unstored()
	commit := pool.ServerCommit{
		Shard: a.shard, Epoch: a.epoch, Server: a.id,
		Rows: make([]pool.LogRow, len(entries)), Scores: scores, Overall: overall,
	}
	for i, e := range entries {
		commit.Rows[i] = e.LogRow()
	}
	return messages.FromServerCommit(a.env.Rand().Uint64(), commit)
}

// onCommitted tells everybody what is now on disk, and goes on.
func (a *score) onCommitted(ctx actor.Context, msg *messages.Committed) {
	if a.under == nil || msg.Id != a.under.id {
		return // asked by an earlier incarnation
	}
	under := a.under
	a.under = nil
	a.keep.answered()
	switch msg.Outcome {
	case messages.Committed_KEPT:
		a.onKept(ctx, under, msg.LogIds)
	case messages.Committed_FENCED:
		a.book = nil
		a.decide(ctx, append(under.evidence, a.pending...), messages.Verdict_UNDECIDED, "another hub has the server now")
		a.pending = nil
	default:
		a.decide(ctx, under.evidence, messages.Verdict_REFUSED, "it can't be stored") // why is in the hub's log
		a.decide(ctx, a.pending, messages.Verdict_UNDECIDED, "the server was loaded anew")
		a.load(ctx)
	}
}

func (a *score) onKept(ctx actor.Context, under *commitUnderWay, ids []uint64) {
	logged := make([]pool.LogID, len(ids))
	for i, id := range ids {
		logged[i] = pool.LogID(id)
	}
	a.book.Stored(logged)
	a.decide(ctx, under.evidence, messages.Verdict_STORED, "")
	news := newsOf(under.rows)
	for _, row := range news {
		a.noteCondemned(ctx, pool.MonitorID(row.MonitorId), row.Score, row.Step)
	}
	a.announce(ctx, news)
	a.record(ctx)
}

// newsOf are the rows that are monitors' newest samples.
func newsOf(rows []*messages.LogRow) []*messages.LogRow {
	var news []*messages.LogRow
	for _, row := range rows {
		if row.Sample != nil && !row.Late {
			news = append(news, row)
		}
	}
	return news
}

// noteCondemned tells the server when a monitor has given it up, or takes hope again.
func (a *score) noteCondemned(ctx actor.Context, monitor pool.MonitorID, value, step float64) {
	condemned := scoring.Condemned(value, step)
	if condemned != a.condemned[monitor] {
		a.condemned[monitor] = condemned
		ctx.Send(ctx.Parent(), &messages.Condemned{MonitorId: uint32(monitor), Condemned: condemned})
	}
}

// announce tells watchers the state of the server, and what monitors said since the last time.
func (a *score) announce(ctx actor.Context, rows []*messages.LogRow) {
	overall := a.book.Overall()
	announcement := &messages.Announcement{
		Ip: a.server.Ip, Hostname: a.server.Hostname, Rows: rows, Overall: messages.FromOverall(overall),
	}
	for _, status := range a.statuses {
		switch status {
		case pool.Active:
			announcement.Active++
		case pool.Testing:
			announcement.Testing++
		}
	}
	ctx.Send(local(ctx, announcerName), announcement)
}

// decide tells the sessions what became of their samples, each in one message, and the shard that they are settled.
func (a *score) decide(ctx actor.Context, all []evidence, outcome messages.Verdict_Outcome, reason string) {
	if len(all) == 0 {
		return
	}
	a.settled(ctx, len(all))
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].batch == all[0].batch && all[n].session.Equal(all[0].session) {
			n++
		}
		decidePart(ctx, all[:n], outcome, reason)
		all = all[n:]
	}
}

// decidePart tells one session what became of samples of one batch.
func decidePart(ctx actor.Context, part []evidence, outcome messages.Verdict_Outcome, reason string) {
	if part[0].session == nil {
		return
	}
	verdicts := &messages.Verdicts{BatchId: part[0].batch, IpVersion: part[0].ipVersion}
	for _, e := range part {
		verdicts.Verdicts = append(verdicts.Verdicts, messages.NewVerdict(e.index, outcome, reason))
	}
	ctx.Send(part[0].session, verdicts)
}

func (a *score) settled(ctx actor.Context, samples int) {
	ctx.Send(shardOf(ctx, a.shard), &messages.Settled{ServerId: uint32(a.id), Samples: uint32(samples)})
}

// shardOf is the shard's actor on this hub: the grandparent of its servers' scores.
func shardOf(ctx actor.Context, shard pool.ShardID) *actor.PID {
	return Shard(ctx.ActorSystem(), shard)
}

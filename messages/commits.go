package messages

import (
	"errors"

	"truechimer/pool"
)

// FromServerCommit makes the message of a commit. The id is the asker's own, to know the answer by.
func FromServerCommit(id uint64, c pool.ServerCommit) *Commit {
	return &Commit{
		Id:       id,
		Shard:    uint32(c.Shard),
		Epoch:    c.Epoch,
		ServerId: uint32(c.Server),
		Rows:     each(c.Rows, FromLogRow),
		Scores:   each(c.Scores, FromPairScore),
		Overall:  fromOptional(c.Overall, FromOverall),
		Statuses: each(c.Statuses, FromPairStatus),
		Review:   fromOptional(c.Review, FromReview),
	}
}

// ToServerCommit is the commit of a message.
func ToServerCommit(m *Commit) pool.ServerCommit {
	return pool.ServerCommit{
		Shard:    pool.ShardID(m.GetShard()),
		Epoch:    m.GetEpoch(),
		Server:   pool.ServerID(m.GetServerId()),
		Rows:     each(m.GetRows(), ToLogRow),
		Scores:   each(m.GetScores(), ToPairScore),
		Overall:  toOptional(m.GetOverall(), ToOverall),
		Statuses: each(m.GetStatuses(), ToPairStatus),
		Review:   toOptional(m.GetReview(), ToReview),
	}
}

// FromCommitOutcome makes the answer to the commit with this id.
func FromCommitOutcome(id uint64, o pool.CommitOutcome) *Committed {
	m := &Committed{Id: id, LogIds: each(o.IDs, func(id pool.LogID) uint64 { return uint64(id) })}
	switch {
	case o.Fenced:
		m.Outcome = Committed_FENCED
	case o.Err != nil:
		m.Outcome = Committed_REFUSED
		// A database's error may be long and quote any bytes. Agents are told it in their verdicts.
		m.Reason = Legible(o.Err.Error())
	}
	return m
}

// ToCommitOutcome is the outcome that an answer tells. An outcome of a newer hub counts as refused.
func ToCommitOutcome(m *Committed) pool.CommitOutcome {
	o := pool.CommitOutcome{IDs: each(m.GetLogIds(), func(id uint64) pool.LogID { return pool.LogID(id) })}
	switch m.GetOutcome() {
	case Committed_KEPT:
	case Committed_FENCED:
		o.Fenced = true
	default:
		o.Err = errors.New(m.GetReason())
	}
	return o
}

// FromLogRow makes the message of a row for log_scores.
func FromLogRow(r pool.LogRow) *LogRow {
	return &LogRow{
		MonitorId: uint32(r.Monitor),
		AtUs:      fromTime(r.At),
		Score:     r.Score,
		Step:      r.Step,
		Sample:    fromOptional(r.Sample, FromSample),
		Late:      r.Late,
		Counted:   each(r.Counted, FromRef),
		Rule:      r.Rule,
	}
}

// ToLogRow is the row of a message. Its sample was checked when it came to the hub and is not checked again.
func ToLogRow(m *LogRow) pool.LogRow {
	return pool.LogRow{
		Monitor: pool.MonitorID(m.GetMonitorId()),
		At:      toTime(m.GetAtUs()),
		Score:   m.GetScore(),
		Step:    m.GetStep(),
		Sample:  toOptional(m.GetSample(), toSample),
		Late:    m.GetLate(),
		Counted: each(m.GetCounted(), ToRef),
		Rule:    m.GetRule(),
	}
}

// FromRef makes the message of a reference to a row.
func FromRef(r pool.Ref) *Ref {
	return &Ref{Id: uint64(r.ID), Row: uint32(r.Row)}
}

// ToRef is the reference of a message.
func ToRef(m *Ref) pool.Ref {
	return pool.Ref{ID: pool.LogID(m.GetId()), Row: int(m.GetRow())}
}

// FromPairScore makes the message of what a pair is worth.
func FromPairScore(p pool.PairScore) *PairScore {
	return &PairScore{
		MonitorId: uint32(p.Monitor),
		Score:     p.Score,
		AtUs:      fromTime(p.At),
		Stratum:   uint32(p.Stratum),
		Row:       int32(p.Row),
	}
}

// ToPairScore is what a pair is worth by a message.
func ToPairScore(m *PairScore) pool.PairScore {
	return pool.PairScore{
		Monitor: pool.MonitorID(m.GetMonitorId()),
		Score:   m.GetScore(),
		At:      toTime(m.GetAtUs()),
		Stratum: uint8(m.GetStratum()),
		Row:     int(m.GetRow()),
	}
}

// FromOverall makes the message of an overall score.
func FromOverall(o pool.Overall) *Overall {
	return &Overall{Known: o.Known, Score: o.Score, AtUs: fromTime(o.At), Stratum: uint32(o.Stratum)}
}

// ToOverall is the overall score of a message.
func ToOverall(m *Overall) pool.Overall {
	return pool.Overall{
		Known:   m.GetKnown(),
		Score:   m.GetScore(),
		At:      toTime(m.GetAtUs()),
		Stratum: uint8(m.GetStratum()),
	}
}

package hubside

import (
	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
	"truechimer/messages"
	"truechimer/pool"
)

// What the archivist does with what has become of commits.

func (a *archivist) onCommitted(ctx actor.Context, answer port.Committed) {
	for i, q := range a.finish(answer.Err) {
		a.answerCommit(ctx, q.sender, q.message.(*messages.Commit), answer.Outcomes[i])
	}
}

func (a *archivist) answerCommit(ctx actor.Context, asker *actor.PID, commit *messages.Commit, outcome pool.CommitOutcome) {
	answer := messages.FromCommitOutcome(commit.Id, outcome)
	a.config.Count(port.CountCommits, outcomeWord(answer.Outcome), 1)
	switch answer.Outcome {
	case messages.Committed_FENCED:
		a.env.Sometimes("commit fenced")
		if commit.Epoch >= a.opened[commit.Shard] { // else a newer activation on this hub has fenced it
			ctx.Send(ctx.Parent(), &messages.Lost{Shard: commit.Shard})
		}
	case messages.Committed_REFUSED:
		a.env.Log().Error().Err(outcome.Err).Uint32("server", commit.ServerId).Msg("a commit can't be kept")
	}
	ctx.Send(asker, answer)
}

func outcomeWord(o messages.Committed_Outcome) string {
	switch o {
	case messages.Committed_KEPT:
		return "kept"
	case messages.Committed_FENCED:
		return "fenced"
	default:
		return "refused"
	}
}

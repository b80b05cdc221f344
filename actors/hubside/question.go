package hubside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
)

// askAgainAfter is how long an answer is waited for before it is asked for again. Who fails forgets what it was asked;
// what is still in the archivist's queue it doesn't take twice.
const askAgainAfter = 15 * time.Second

// question is one thing that an actor wants to know of another one, mostly of the archivist, put again and again until it is answered.
// Its id tells its answer from one to an earlier question, which may lack what was kept since.
type question struct {
	env   *port.Environment
	id    uint64
	relax func() // stops the timer; nil: nothing is asked
}

// askAgain is the timer of a question.
type askAgain struct {
	question *question
	to       *actor.PID
	message  any
}

// draw is the id of the question that is put next.
func (q *question) draw() uint64 {
	q.id = q.env.Rand().Uint64()
	return q.id
}

// put asks, and takes the place of what was asked before.
func (q *question) put(ctx actor.Context, to *actor.PID, message any) {
	q.drop()
	ctx.Request(to, message)
	q.relax = q.env.After(askAgainAfter, askAgain{q, to, message})
}

// again asks once more.
func (a askAgain) again(ctx actor.Context) {
	a.question.env.Sometimes("asked again")
	a.question.put(ctx, a.to, a.message)
}

// isOpen tells whether an answer is waited for.
func (q *question) isOpen() bool { return q.relax != nil }

// answeredBy tells whether an answer with this id is the one that is waited for; then the question is over.
func (q *question) answeredBy(id uint64) bool {
	if !q.isOpen() || id != q.id {
		return false
	}
	q.drop()
	return true
}

// drop ends the question, answered or not.
func (q *question) drop() {
	if q.relax != nil {
		q.relax()
		q.relax = nil
	}
}

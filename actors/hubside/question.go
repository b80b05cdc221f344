package hubside

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/actors/port"
)

// askAgainAfter is how long an answer of the archivist is waited for before it is asked again. It forgets what it was
// asked when it fails; what is still in its queue it doesn't take twice.
const askAgainAfter = 15 * time.Second

// question is one thing that an actor wants to know of the archivist, put again and again until it is answered.
type question struct {
	env   *port.Environment
	relax func() // stops the timer; nil: nothing is asked
}

// askAgain is the timer of a question. The actor that asked calls put with it.
type askAgain struct {
	question *question
	to       *actor.PID
	message  any
}

// put asks, and takes the place of what was asked before.
func (q *question) put(ctx actor.Context, to *actor.PID, message any) {
	q.answered()
	ctx.Request(to, message)
	q.relax = q.env.After(askAgainAfter, askAgain{q, to, message})
}

// again asks once more.
func (a askAgain) again(ctx actor.Context) {
	a.question.env.Sometimes("archivist asked again")
	a.question.put(ctx, a.to, a.message)
}

// answered ends the question.
func (q *question) answered() {
	if q.relax != nil {
		q.relax()
		q.relax = nil
	}
}

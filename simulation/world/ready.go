package world

import (
	"math/rand/v2"
	"slices"
)

// Policy says which of the mailboxes that have messages is next.
type Policy uint8

const (
	// Random picks any mailbox, each as likely as the others, anew for each message.
	Random Policy = iota

	// FIFO picks mailboxes in the order in which they got messages, and timers in the order in which they were set:
	// what an idle machine would mostly do.
	FIFO

	// PCT gives each mailbox a priority, and changes one now and then. So an actor may go without its messages for
	// long, which finds what Random hardly ever does (Burckhardt et al., A Randomized Scheduler with Probabilistic
	// Guarantees of Finding Bugs, 2010).
	PCT
)

// priorityLife is the most steps between two changes of a priority under PCT: few enough for some changes within
// one exchange of a handful of actors, many enough that one of them is starved through most of it.
const priorityLife = 200

// readyQueue holds the mailboxes that have something to deliver, each once.
type readyQueue struct {
	policy    Policy
	rand      *rand.Rand
	mailboxes []*mailbox
	unchanged uint64 // steps until the next change of a priority
}

func (q *readyQueue) empty() bool    { return len(q.mailboxes) == 0 }
func (q *readyQueue) add(m *mailbox) { q.mailboxes = append(q.mailboxes, m) }

// take takes out the mailbox that is next, or none when the timer comes first. The timer is nil when none is due;
// then there must be a mailbox.
func (q *readyQueue) take(due *Timer) *mailbox {
	if q.empty() {
		return nil
	}
	switch q.policy {
	case FIFO:
		return q.takeOldest()
	case PCT:
		return q.takeHighest(due)
	default:
		return q.takeAny(due)
	}
}

func (q *readyQueue) takeAny(due *Timer) *mailbox {
	n := len(q.mailboxes)
	if due != nil {
		n++
	}
	i := 0
	if n > 1 {
		i = q.rand.IntN(n)
	}
	if i == len(q.mailboxes) {
		return nil
	}
	return q.takeAt(i)
}

func (q *readyQueue) takeOldest() *mailbox {
	m := q.mailboxes[0]
	q.mailboxes[0] = nil
	q.mailboxes = q.mailboxes[1:]
	return m
}

// takeHighest takes the mailbox of the highest priority; that of a timer is its tie.
func (q *readyQueue) takeHighest(due *Timer) *mailbox {
	if q.unchanged == 0 {
		q.unchanged = 1 + q.rand.Uint64N(priorityLife)
		q.mailboxes[q.rand.IntN(len(q.mailboxes))].priority = q.rand.Uint64()
	}
	q.unchanged--
	best := 0
	for i, m := range q.mailboxes {
		if m.priority > q.mailboxes[best].priority {
			best = i
		}
	}
	if due != nil && due.tie > q.mailboxes[best].priority {
		return nil
	}
	return q.takeAt(best)
}

// takeAt takes one out by moving the last into its place: only FIFO needs the order.
func (q *readyQueue) takeAt(i int) *mailbox {
	last := len(q.mailboxes) - 1
	m := q.mailboxes[i]
	q.mailboxes[i] = q.mailboxes[last]
	q.mailboxes[last] = nil
	q.mailboxes = q.mailboxes[:last]
	return m
}

// takeNode takes out all mailboxes of a node, in their order.
func (q *readyQueue) takeNode(n *Node) (taken []*mailbox) {
	q.mailboxes = slices.DeleteFunc(q.mailboxes, func(m *mailbox) bool {
		if m.node == n {
			taken = append(taken, m)
		}
		return m.node == n
	})
	return taken
}

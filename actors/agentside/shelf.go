package agentside

import (
	"slices"

	"truechimer/messages"
)

// shelf holds samples by number. Numbers grow by one, so that the oldest and the next new one are found by counting.
type shelf struct {
	evidence map[uint64]*messages.Evidence
	oldest   uint64   // number; no lower one is there
	fresh    uint64   // from here on none has been handed out yet
	next     uint64   // the number that the next one gets
	tried    []uint64 // handed out before, and perhaps forgotten since; who waits longest comes first
	waiting  *collector
}

func newShelf(first uint64) *shelf {
	return &shelf{evidence: make(map[uint64]*messages.Evidence), oldest: first, fresh: first, next: first}
}

func (s *shelf) len() int { return len(s.evidence) }

func (s *shelf) put(evidence *messages.Evidence) {
	s.evidence[s.next] = evidence
	s.next++
}

func (s *shelf) forget(number uint64) {
	delete(s.evidence, number)
	for s.oldest < s.next && s.evidence[s.oldest] == nil {
		s.oldest++
	}
}

func (s *shelf) dropOldest() { s.forget(s.oldest) }

// take hands out up to limit samples, the oldest first. Those that were handed out before and weren't decided get
// half of the room at most, as long as there are others: so some that never are decided don't hold up all the rest.
func (s *shelf) take(limit int) []*messages.Spooled {
	numbers := s.takeTried(limit / 2)
	numbers = append(numbers, s.takeFresh(limit-len(numbers))...)
	if room := limit - len(numbers); room > 0 {
		numbers = append(numbers, s.takeTried(room)...)
	}
	s.tried = append(s.tried, numbers...)
	slices.Sort(numbers)
	spooled := make([]*messages.Spooled, len(numbers))
	for i, number := range numbers {
		spooled[i] = &messages.Spooled{Number: number, Evidence: s.evidence[number]}
	}
	return spooled
}

// takeTried takes out up to limit of those handed out before that are still there.
func (s *shelf) takeTried(limit int) (numbers []uint64) {
	for len(s.tried) > 0 && len(numbers) < limit {
		number := s.tried[0]
		s.tried = s.tried[1:]
		if s.evidence[number] != nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// takeFresh takes up to limit of those never handed out.
func (s *shelf) takeFresh(limit int) (numbers []uint64) {
	for s.fresh < s.next && len(numbers) < limit {
		if s.evidence[s.fresh] != nil {
			numbers = append(numbers, s.fresh)
		}
		s.fresh++
	}
	return numbers
}

package broker

import (
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"truechimer/hub/token"
)

// session is an admitted client.
type session struct {
	claims token.Claims
	conn   *conn
	client *mqtt.Client
	since  time.Time
	expiry *time.Timer  // cuts it off when its token runs out
	misses atomic.Int64 // messages that it published without the right to

	// replays are due once the client has been told of its subscriptions; of the goroutine that reads.
	replays []replay
}

// sessions are all that are admitted, by client id.
type sessions struct {
	mu     sync.Mutex
	byID   map[string]*session
	byName map[string]int // how many a name has
}

func newSessions() *sessions {
	return &sessions{byID: make(map[string]*session), byName: make(map[string]int)}
}

// enter admits a session in place of the one that had its client id, which it returns. It fails when the name has
// all the sessions that one may have.
func (all *sessions) enter(s *session) (prior *session, ok bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	prior = all.byID[s.client.ID]
	if prior == nil {
		if all.byName[s.claims.Name] >= maxClientsOfOne {
			return nil, false
		}
		all.byName[s.claims.Name]++
	}
	all.byID[s.client.ID] = s
	return prior, true
}

// leave forgets a session, unless another has taken its place.
func (all *sessions) leave(s *session) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.byID[s.client.ID] != s {
		return
	}
	delete(all.byID, s.client.ID)
	all.byName[s.claims.Name]--
	if all.byName[s.claims.Name] == 0 {
		delete(all.byName, s.claims.Name)
	}
}

func (all *sessions) count() int {
	all.mu.Lock()
	defer all.mu.Unlock()
	return len(all.byID)
}

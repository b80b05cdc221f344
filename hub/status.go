package hub

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"truechimer/hub/live"
	"truechimer/messages"
	"truechimer/messages/topic"
)

// statusEvery is how often the hub's status is looked after: as long may it say less than all agents that have come.
const statusEvery = 15 * time.Second

// status is what a hub says of itself over MQTT. It is retained, so that whoever comes knows at once. That the hub is
// gone it says at its end; after a death without a word the broker does, for it is the will of the hub's connection.
type status struct {
	topic   string
	offline []byte

	mu     sync.Mutex
	online []byte // as said last; nil: nothing was said yet
}

func newStatus(options Options) (*status, error) {
	name, err := topic.Hub(options.Deployment, options.ID)
	if err != nil {
		return nil, err
	}
	return &status{topic: name, offline: messages.LiveJSON(messages.NewLiveHub(false, options.Version, 0, 0))}, nil
}

// will is what the broker says of a hub that is gone.
func (s *status) will() *live.Message {
	return &live.Message{Topic: s.topic, QoS: 1, Retained: true, Payload: s.offline}
}

// is notes what the status is from now on, and tells whether it was another.
func (s *status) is(online []byte) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	news = !bytes.Equal(s.online, online)
	s.online = online
	return news
}

// last is what was said last; nil before anything was.
func (s *status) last() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.online
}

// show publishes the hub's status where it is news.
func (l *liveSide) show(servers, agents int) {
	online := messages.LiveJSON(messages.NewLiveHub(true, l.options.Version, servers, agents))
	if l.status.is(online) {
		l.Publish(l.status.topic, 1, true, online)
	}
}

// showAgain publishes the status over a new connection: the broker has forgotten it, or has said that the hub is gone.
func (l *liveSide) showAgain() {
	if online := l.status.last(); online != nil {
		l.Publish(l.status.topic, 1, true, online)
	}
}

// showStatus says that the hub serves, and how much.
func (h *Hub) showStatus(ctx context.Context) error {
	watched, err := h.options.Store.Watched(ctx, h.options.Runtime.Now())
	if err != nil {
		return fmt.Errorf("count servers for the hub's status: %w", err)
	}
	h.live.show(len(watched), h.links.Agents())
	return nil
}

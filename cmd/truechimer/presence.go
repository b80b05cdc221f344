package main

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"truechimer/actors/port"
	"truechimer/hub/live"
	"truechimer/messages"
	"truechimer/messages/topic"
)

// presence shows over MQTT that an agent is there, with the access that its hub gives it. It implements port.Presence.
type presence struct {
	name string
	log  zerolog.Logger

	mu     sync.Mutex
	access *messages.LiveAccess // the newest; its token is used for the next connection
	online []byte
	shown  shown
	voice  *live.Publisher // nil: nothing is shown

	leaving sync.WaitGroup
}

// leaveWithin bounds a goodbye. The broker says it by itself if it isn't heard.
const leaveWithin = time.Second

// shown is what a publisher can't change: for another one of these it takes another publisher.
type shown struct{ url, deployment, session string }

var _ port.Presence = (*presence)(nil)

func newPresence(name string, log zerolog.Logger) *presence { return &presence{name: name, log: log} }

// Announce shows the agent with a new access. One for the same session only renews the token.
func (p *presence) Announce(access *messages.LiveAccess, status *messages.LiveAgent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.access, p.online = access, messages.LiveJSON(status)
	now := shown{access.Url, access.Deployment, status.Session}
	if p.voice != nil && now == p.shown {
		return
	}
	if p.voice != nil {
		p.leave(p.voice)
		p.voice = nil
	}
	voice, err := p.speak(status)
	if err != nil {
		p.log.Warn().Err(err).Msg("the agent can't show that it is there")
		return
	}
	p.voice, p.shown = voice, now
}

// speak connects to the broker. Whenever there is a connection the status is published;
// when it breaks, the broker publishes the offline one.
func (p *presence) speak(status *messages.LiveAgent) (*live.Publisher, error) {
	name, err := topic.Status(p.access.Deployment, p.name)
	if err != nil {
		return nil, err
	}
	offline := &messages.LiveAgent{Version: status.Version, Session: status.Session, Since: status.Since}
	ready := make(chan *live.Publisher, 1)
	voice, err := live.Dial(context.Background(), live.Options{
		Access: live.Access{URL: p.access.Url, ClientID: p.name, User: p.name, Token: p.token},
		Will:   &live.Message{Topic: name, QoS: 1, Retained: true, Payload: messages.LiveJSON(offline)},
		Log:    p.log,
		OnUp: func() {
			v := <-ready
			ready <- v
			v.Publish(name, 1, true, p.status()) // retained: if this connection breaks, the next one says it again
		},
	})
	ready <- voice
	return voice, err
}

// token is the newest one.
func (p *presence) token() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.access.Token, nil
}

func (p *presence) status() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.online
}

// Withdraw shows that the agent is gone.
func (p *presence) Withdraw() {
	p.mu.Lock()
	voice := p.voice
	p.voice = nil
	p.mu.Unlock()
	if voice != nil {
		p.leave(voice)
	}
}

// leave says goodbye within bounds. An actor is waiting: it is done in the background.
func (p *presence) leave(voice *live.Publisher) {
	p.leaving.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
		defer cancel()
		if err := voice.Close(ctx); err != nil {
			p.log.Debug().Err(err).Msg("the broker wasn't told that the agent is gone")
		}
	})
}

// Wait returns when all goodbyes are said, or given up.
func (p *presence) Wait() { p.leaving.Wait() }

package main

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"truechimer/actors/port"
	"truechimer/hub/presence"
	"truechimer/messages"
)

// goodbyeWithin bounds a goodbye. The broker says it by itself if it isn't heard.
const goodbyeWithin = time.Second

// shownAgent shows over MQTT that an agent is there, with the access that its hub gives it. It implements port.Presence.
type shownAgent struct {
	name string
	log  zerolog.Logger

	mu      sync.Mutex
	access  *messages.LiveAccess // the newest; its token is used for the next connection
	shown   shown
	present *presence.Presence // nil: nothing is shown

	leaving sync.WaitGroup
}

// shown is what a presence can't change: for another one of these it takes another presence.
type shown struct{ url, deployment, session string }

var _ port.Presence = (*shownAgent)(nil)

func newPresence(name string, log zerolog.Logger) *shownAgent {
	return &shownAgent{name: name, log: log}
}

// Announce shows the agent with a new access. One for the same session only renews the token.
func (p *shownAgent) Announce(access *messages.LiveAccess, status *messages.LiveAgent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.access = access
	now := shown{access.Url, access.Deployment, status.Session}
	if p.present != nil && now == p.shown {
		return
	}
	p.leave()
	offline := &messages.LiveAgent{Version: status.Version, Session: status.Session, Since: status.Since}
	present, err := presence.Start(presence.Options{
		URL: access.Url, Env: access.Deployment, Name: p.name, Token: p.token,
		Online: messages.LiveJSON(status), Offline: messages.LiveJSON(offline), Log: p.log,
	})
	if err != nil {
		p.log.Warn().Err(err).Msg("the agent can't show that it is there")
		return
	}
	p.present, p.shown = present, now
}

// token is the newest one.
func (p *shownAgent) token() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.access.Token, nil
}

// Withdraw shows that the agent is gone.
func (p *shownAgent) Withdraw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leave()
}

// leave says goodbye in the background, since an actor is waiting. The caller holds the lock.
func (p *shownAgent) leave() {
	present := p.present
	if present == nil {
		return
	}
	p.present = nil
	p.leaving.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), goodbyeWithin)
		defer cancel()
		if err := present.Close(ctx); err != nil {
			p.log.Debug().Err(err).Msg("the broker wasn't told that the agent is gone")
		}
	})
}

// wait returns when all goodbyes are said, or the context has ended. Nothing may be announced any more.
func (p *shownAgent) wait(ctx context.Context) {
	said := make(chan struct{})
	go func() {
		p.leaving.Wait()
		close(said)
	}()
	select {
	case <-said:
	case <-ctx.Done():
	}
}

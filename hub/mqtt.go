package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"truechimer/actors/port"
	"truechimer/hub/broker"
	"truechimer/hub/live"
	"truechimer/hub/token"
	"truechimer/messages"
)

const (
	// hubTokenLife is short: the publisher has a new one made for each connection, and renews it by itself.
	hubTokenLife = time.Hour
	// agentTokenLife is how long an agent's access to the broker holds; its session renews it.
	agentTokenLife = time.Hour
)

// liveSide is all of the hub's MQTT: the broker inside, if there is no other, and the publisher. It implements port.Live.
type liveSide struct {
	options Options
	url     string // of the broker, for clients on this machine
	signer  token.Signer
	broker  *broker.Broker // nil: an outside one
	voice   *live.Publisher
	status  *status
	count   port.Count
	log     zerolog.Logger
}

var _ port.Live = (*liveSide)(nil)

// startLive starts the broker, unless there is an outside one, and connects to it. Up is called whenever there is a
// connection: the broker may have forgotten what was retained.
func startLive(options Options, key token.Key, count port.Count, up func()) (*liveSide, error) {
	l := &liveSide{options: options, url: options.MQTTURL, signer: token.NewSigner(key), count: count, log: options.Log}
	if l.url == "" {
		b, err := broker.Start(broker.Options{
			Listen: options.MQTTListen, Keys: token.NewVerifier(key.Public()), Log: options.Log,
		})
		if err != nil {
			return nil, fmt.Errorf("%w; choose another address with --mqtt-listen, or your own broker with --mqtt-url", err)
		}
		l.broker, l.url = b, "mqtt://"+b.Addr().String()
	}
	if err := l.speak(up); err != nil {
		l.close(context.Background())
		return nil, err
	}
	return l, nil
}

// speak connects the publisher. Its will says that the hub is gone.
func (l *liveSide) speak(up func()) error {
	grant, err := token.ForHub(l.options.Deployment, l.options.ID)
	if err != nil {
		return err
	}
	if l.status, err = newStatus(l.options); err != nil {
		return err
	}
	l.voice, err = live.Dial(context.Background(), live.Options{
		Access: live.Access{
			URL: l.url, ClientID: grant.Name, User: grant.Name,
			Token: func() (string, error) {
				return l.signer.Sign(grant, l.options.Runtime.Now(), hubTokenLife)
			},
		},
		Will: l.status.will(),
		Log:  l.log,
		OnUp: func() {
			l.showAgain()
			up()
		},
	})
	return err
}

// Publish hands a message to the publisher. What it doesn't take is counted.
func (l *liveSide) Publish(topic string, qos byte, retained bool, payload []byte) {
	if err := l.voice.Publish(topic, qos, retained, payload); err != nil {
		l.count(port.CountUnpublished, "", 1)
	}
}

// access is a port.LiveAccess: what an agent needs to show itself on the broker.
func (l *liveSide) access(agent string, now time.Time) *messages.LiveAccess {
	grant, err := token.ForAgent(l.options.Deployment, agent)
	if err != nil {
		l.log.Error().Err(err).Str("agent", agent).Msg("an agent gets no access to the broker")
		return nil
	}
	text, err := l.signer.Sign(grant, now, agentTokenLife)
	if err != nil {
		l.log.Error().Err(err).Str("agent", agent).Msg("an agent gets no access to the broker")
		return nil
	}
	return &messages.LiveAccess{
		Url: l.url, Token: text, Deployment: l.options.Deployment, UntilS: now.Add(agentTokenLife).Unix(),
	}
}

// close says goodbye and ends the broker. When the context ends first, watchers are cut off.
func (l *liveSide) close(ctx context.Context) {
	if l.voice != nil {
		if err := l.voice.Close(ctx); err != nil {
			l.log.Debug().Err(err).Msg("watchers didn't get everything")
		}
	}
	if l.broker == nil {
		return
	}
	within(ctx, func() {
		if err := l.broker.Close(); err != nil {
			l.log.Warn().Err(err).Msg("the broker didn't close in order")
		}
	})
}

// WatcherToken makes an access for somebody who watches over MQTT.
func (h *Hub) WatcherToken(name string, life time.Duration) (user, text string, err error) {
	grant, err := token.ForWatcher(h.options.Deployment, name)
	if err != nil {
		return "", "", err
	}
	text, err = h.live.signer.Sign(grant, h.options.Runtime.Now(), life)
	return grant.Name, text, err
}

// Deployment is devel, test or prod.
func (h *Hub) Deployment() string { return h.options.Deployment }

// Package mqttlink holds a connection to an MQTT broker for ever, one after another, with a fresh password for each.
// What is said and heard over them is the callers' concern: hubs, agents and watchers.
package mqttlink

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/rs/zerolog"
)

const (
	// The first pause before another attempt is short, as most losses are over at once; each is twice the last
	// one, up to one that a broker can stand from all its clients together. Half of each is random, so that they
	// don't come together.
	firstPause   = 250 * time.Millisecond
	longestPause = 30 * time.Second

	// steady is how long a connection must have held for the pauses to begin anew.
	steady = 10 * time.Second
)

// ErrRenew is the cause (see context.Cause) for which a connection's context ends when its token is about to expire:
// another connection follows, and the broker is to notice nothing.
var ErrRenew = errors.New("the token is about to expire")

// Access is how a client gets in at a broker.
type Access struct {
	URL      string      // tcp://host:port or mqtt://host:port; with TLS ssl://, tls:// or mqtts://; port 1883, or 8883 with TLS, unless given
	TLS      *tls.Config // nil: the system's roots
	ClientID string      // with the same one, a newer connection takes the place of an older one
	User     string

	// Token makes the password of each connection, a fresh one each time. When it is a JSON Web Token, the
	// connection is renewed before it expires, without the broker announcing a will.
	Token func() (string, error)
}

// Message is something said on a topic.
type Message struct {
	Topic    string
	QoS      byte // 0 or 1
	Retained bool // to be published: the broker keeps it for those who come later; heard: it was kept
	Payload  []byte
}

// Options are what a Link needs.
type Options struct {
	Access
	Will *Message      // said by the broker when a connection breaks; nil: nothing is
	Hear func(Message) // gets what is subscribed to, one message at a time; nil: nothing is
	Log  zerolog.Logger
}

// Link holds one connection after another.
type Link struct {
	options Options
	address *url.URL // scheme tcp or tls, host and port
	log     zerolog.Logger
}

// New makes a link that has no connection yet. The error says what is wrong with the URL.
func New(options Options) (*Link, error) {
	address, err := parseURL(options.URL)
	if err != nil {
		return nil, err
	}
	log := options.Log.With().Str("broker", address.Host).Str("client", options.ClientID).Logger()
	return &Link{options: options, address: address, log: log}, nil
}

// CheckURL says what is wrong with a broker's URL (see Access), without the password that may be in it.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

// parseURL says where a broker is, and whether with TLS.
func parseURL(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	if err != nil { // which would show the password
		return nil, errors.New("read the broker's URL: it is none; " + wantURL)
	}
	scheme, port := "", ""
	switch parsed.Scheme {
	case "tcp", "mqtt":
		scheme, port = "tcp", "1883"
	case "ssl", "tls", "mqtts":
		scheme, port = "tls", "8883"
	}
	port = cmp.Or(parsed.Port(), port)
	number, err := strconv.ParseUint(port, 10, 16)
	if scheme == "" || parsed.Hostname() == "" || number == 0 || err != nil {
		return nil, fmt.Errorf("read the broker's URL: %q is none; %s", parsed.Redacted(), wantURL)
	}
	return &url.URL{Scheme: scheme, Host: net.JoinHostPort(parsed.Hostname(), port)}, nil
}

// wantURL says what a broker's URL looks like, in the words that people know best.
const wantURL = "want mqtt://host:1883, or with TLS mqtts://host:8883"

// Serve works with one connection until it is over, and says why it was. Its context ends when the connection is to
// end: it then returns, and the broker is told good-bye unless the connection was abandoned.
type Serve func(ctx context.Context, c *Connection) error

// Hold has one connection after another until ctx ends, with growing pauses between them, and lets serve work with
// each. What ended a connection, or prevented it, is told to over.
func (l *Link) Hold(ctx context.Context, serve Serve, over func(error)) {
	pause := firstPause
	for {
		start := time.Now()
		err := l.once(ctx, serve)
		over(err)
		if ctx.Err() != nil {
			return
		}
		if time.Since(start) > steady {
			pause = firstPause
		}
		wait := pause/2 + rand.N(pause/2)
		l.log.Info().Err(err).Int64("pause_ms", wait.Milliseconds()).Msg("no mqtt connection")
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			pause = min(2*pause, longestPause)
		}
	}
}

// once has one connection.
func (l *Link) once(ctx context.Context, serve Serve) error {
	password, err := l.options.Token()
	if err != nil {
		return fmt.Errorf("make a token for the broker: %w", err)
	}
	if renewal, ok := renewalOf(password, time.Now()); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, renewal, ErrRenew)
		defer cancel()
	}
	c, err := l.connect(ctx, password)
	if err != nil {
		return err
	}
	defer c.end()
	l.log.Info().Msg("mqtt connection is up")
	return serve(ctx, c)
}

// renewalOf is when a connection with this password should be renewed: after nine tenths of what is left of its
// life, which leaves time for an attempt that fails. A password that isn't a JSON Web Token has no such time; one that
// has expired is for the broker to refuse.
func renewalOf(password string, now time.Time) (time.Time, bool) {
	var claims jwt.RegisteredClaims
	_, _, err := jwt.NewParser().ParseUnverified(password, &claims)
	if err != nil || claims.ExpiresAt == nil || !claims.ExpiresAt.After(now) {
		return time.Time{}, false
	}
	return now.Add(claims.ExpiresAt.Sub(now) / 10 * 9), true
}

package broker

import (
	"fmt"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"truechimer/hub/token"
)

// refusal is why a client isn't let in, and what it is told.
type refusal struct {
	code packets.Code
	err  error
}

func refuse(code packets.Code, format string, args ...any) *refusal {
	return &refusal{code: code, err: fmt.Errorf(format, args...)}
}

// examine tells what a client may do, going by its CONNECT packet, or why it isn't let in.
func (g *guard) examine(client *mqtt.Client, pk packets.Packet) (token.Claims, *refusal) {
	none := token.Claims{}
	if pk.ProtocolVersion != protocol {
		return none, refuse(packets.ErrUnsupportedProtocolVersion, "speaks MQTT version %d, not 3.1.1", pk.ProtocolVersion)
	}
	claims, err := g.keys.Verify(string(pk.Connect.Password), time.Now())
	if err != nil {
		return none, refuse(packets.ErrMalformedUsernameOrPassword, "password: %w", err)
	}
	if string(pk.Connect.Username) != claims.Name {
		return none, refuse(packets.ErrMalformedUsernameOrPassword, "user name %.100q with the token of %s",
			pk.Connect.Username, claims.Name)
	}
	if !claims.OwnsClient(client.ID) {
		return none, refuse(packets.Err3ClientIdentifierNotValid, "client id %.100q of %s", client.ID, claims.Name)
	}
	will := pk.Connect
	if will.WillFlag && !mayPublish(claims, will.WillTopic, will.WillRetain) {
		return none, refuse(packets.Err3NotAuthorized, "will on topic %.100q of %s", will.WillTopic, claims.Name)
	}
	return claims, nil
}

// admit lets a client in, in place of an older connection with its client id. The older one is gone, with its will
// published, before the newer one begins: so the newer one's word is the last. (mochi would let both overlap, and
// now and then forget the newer one, which then hears nothing.)
func (g *guard) admit(s *session) *refusal {
	prior, ok := g.sessions.enter(s)
	if !ok {
		return refuse(packets.ErrServerUnavailable, "%s has %d connections already", s.claims.Name, maxClientsOfOne)
	}
	if prior != nil && !g.replace(prior) || s.conn.isClosed() {
		g.sessions.leave(s)
		return refuse(packets.ErrServerUnavailable, "client id %s is taken", s.client.ID)
	}
	s.since = time.Now()
	s.expiry = time.AfterFunc(time.Until(s.claims.Until), func() { s.conn.cut("token has expired") })
	if s.client.State.Keepalive == 0 || s.client.State.Keepalive > g.limits.keepalive {
		s.client.State.Keepalive = g.limits.keepalive
	}
	s.conn.session = s
	return nil
}

// replace ends an older session for a newer one, and tells whether it has gone in time.
func (g *guard) replace(prior *session) bool {
	prior.conn.cut("another connection took its place")
	select {
	case <-prior.conn.ended:
		return true
	case <-time.After(g.limits.takeover):
		return false
	}
}

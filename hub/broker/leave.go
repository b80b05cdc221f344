package broker

import (
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// left clears away what a client leaves, so that no session outlives its connection. mochi does so too, but not for
// clients that ask to be remembered, nor after a panic, nor when a client went before it had its answer.
func (g *guard) left(c *conn, err error) {
	s := c.session
	if s == nil {
		g.counts.refused.Add(1)
		g.log.Debug().Str("remote", c.RemoteAddr().String()).AnErr("cause", err).Msg("mqtt connection led to nothing")
		return
	}
	s.expiry.Stop()
	if mine, ok := g.server.Clients.Get(s.client.ID); ok && mine == s.client {
		g.server.UnsubscribeClient(s.client)
		g.server.Clients.Delete(s.client.ID)
	}
	g.sessions.leave(s)
	why := c.cutFor()
	if why != "" {
		g.counts.cut.Add(1)
	}
	g.log.Info().Str("client", s.client.ID).Str("remote", s.client.Net.Remote).Str("reason", why).AnErr("cause", err).
		Int64("connected_ms", time.Since(s.since).Milliseconds()).Msg("mqtt client left")
}

// publishWill says the last word of a client whose connection ended in a panic; in all other cases mochi does.
func (g *guard) publishWill(c *conn) {
	if c.session == nil || atomic.LoadUint32(&c.session.client.Properties.Will.Flag) == 0 {
		return
	}
	will := c.session.client.Properties.Will
	err := g.server.InjectPacket(g.voice, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: will.Qos, Retain: will.Retain},
		TopicName:   will.TopicName,
		Payload:     will.Payload,
		PacketID:    1, // checked, but of no consequence without a connection
	})
	if err != nil {
		g.log.Error().Err(err).Str("client", c.session.client.ID).Msg("mqtt client's will can't be published")
	}
}

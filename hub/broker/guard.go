package broker

import (
	"fmt"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/rs/zerolog"

	"truechimer/hub/token"
	"truechimer/messages/topic"
)

// guard stands between mochi and the clients: mochi asks it at each step, as a hook.
type guard struct {
	mqtt.HookBase
	server   *mqtt.Server
	keys     *token.Verifier
	limits   limits
	log      zerolog.Logger
	sessions *sessions
	retained *retained
	counts   counters
	voice    *mqtt.Client // through which the guard itself publishes; it has no connection
}

func newGuard(server *mqtt.Server, options Options, limits limits) *guard {
	return &guard{
		server:   server,
		keys:     options.Keys,
		limits:   limits,
		log:      options.Log,
		sessions: newSessions(),
		retained: newRetained(),
		voice:    server.NewClient(nil, "guard", "guard", true),
	}
}

// ID is the hook's name.
func (g *guard) ID() string { return "guard" }

// Provides tells mochi what to ask.
func (g *guard) Provides(hook byte) bool {
	switch hook {
	case mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnPacketRead, mqtt.OnPacketProcessed, mqtt.OnPacketEncode,
		mqtt.OnACLCheck, mqtt.OnSubscribed, mqtt.OnPublish, mqtt.OnPublishDropped, mqtt.OnQosPublish, mqtt.OnWill:
		return true
	}
	return false
}

// OnConnect admits a client or refuses it.
func (g *guard) OnConnect(client *mqtt.Client, pk packets.Packet) error {
	c := connOf(client)
	claims, why := g.examine(client, pk)
	if why == nil {
		why = g.admit(&session{claims: claims, conn: c, client: client})
	}
	if why == nil {
		return nil
	}
	g.log.Info().Str("client", short(client.ID)).Str("remote", client.Net.Remote).Err(why.err).
		Msg("mqtt client refused")
	_ = g.server.SendConnack(client, why.code, false, nil) // it is gone in any case
	return why.err
}

// OnConnectAuthenticate has nothing to add to OnConnect, which has refused all others.
func (g *guard) OnConnectAuthenticate(client *mqtt.Client, _ packets.Packet) bool {
	return connOf(client).session != nil
}

// OnPacketRead ends the connection of a client that sends what no client of ours does. What is left for mochi to
// handle is small: messages with QoS 0 and 1, their acknowledgements, subscriptions, pings and the farewell.
func (g *guard) OnPacketRead(client *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c := connOf(client)
	if why := unwanted(client, c.session != nil, pk); why != "" {
		c.cut(why)
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

// unwanted tells why a packet is not one that we take; empty where we do.
func unwanted(client *mqtt.Client, admitted bool, pk packets.Packet) string {
	switch pk.FixedHeader.Type {
	case packets.Connect:
		if admitted {
			return "connects twice"
		}
	case packets.Publish:
		// mochi would drop the last two without a word, and leave the client waiting.
		if pk.FixedHeader.Qos > maxQoS || strings.ContainsAny(pk.TopicName, "+#") || strings.HasPrefix(pk.TopicName, "$") {
			return "publishes what no client may"
		}
	case packets.Subscribe:
		if len(pk.Filters)+client.State.Subscriptions.Len() > maxFilters {
			return "subscribes too much"
		}
	case packets.Puback, packets.Unsubscribe, packets.Pingreq, packets.Disconnect:
	default:
		return "sends what no client does"
	}
	return ""
}

// OnACLCheck tells whether a client may have what a filter brings, or a message on a topic, and takes a place in its
// queue. What a client may publish OnPublish decides, since the answer here would end the connection.
func (g *guard) OnACLCheck(client *mqtt.Client, filter string, write bool) bool {
	if write {
		return true
	}
	c := connOf(client)
	return c.session.claims.MaySubscribe(filter) && c.reserve()
}

// OnSubscribed looks up what is to be replayed, and gives back the places that OnACLCheck took, since it can't tell a
// subscription from a message.
func (g *guard) OnSubscribed(client *mqtt.Client, pk packets.Packet, codes []byte) {
	c := connOf(client)
	granted := 0
	for i, code := range codes {
		if code <= maxQoS {
			granted++
			c.session.replays = append(c.session.replays, replay{g.retained.covered(pk.Filters[i].Filter), code})
		}
	}
	c.release(granted)
}

// OnPacketProcessed replays the retained messages to a client that has just been told of its subscriptions.
func (g *guard) OnPacketProcessed(client *mqtt.Client, pk packets.Packet, err error) {
	if pk.FixedHeader.Type != packets.Subscribe || err != nil {
		return
	}
	c := connOf(client)
	for _, what := range c.session.replays {
		if err := g.retained.replay(client, what); err != nil {
			c.cut("takes nothing")
		}
	}
	c.session.replays = nil
}

// OnPublish lets a message pass to its readers if its publisher has the right. If not, the message is acknowledged
// and goes no further, as MQTT 3.1.1 section 3.3.5 allows: a client newer than this hub goes on working.
func (g *guard) OnPublish(client *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c := connOf(client)
	if c != nil && !mayPublish(c.session.claims, pk.TopicName, pk.FixedHeader.Retain) {
		g.counts.ignored.Add(1)
		if c.session.misses.Add(1) == 1 {
			g.log.Warn().Str("client", client.ID).Str("topic", short(pk.TopicName)).
				Msg("mqtt client publishes what it may not; this and more of it is ignored")
		}
		return pk, packets.CodeSuccessIgnore
	}
	if pk.FixedHeader.Retain {
		g.retained.keep(pk.TopicName, pk.Payload, pk.FixedHeader.Qos)
		pk.FixedHeader.Retain = false // mochi needn't
	}
	return pk, nil
}

// OnWill keeps a will that is to be retained; its right to be published was checked when its client came.
func (g *guard) OnWill(_ *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	if will.Retain {
		g.retained.keep(will.TopicName, will.Payload, will.Qos)
		will.Retain = false
	}
	return will, nil
}

// mayPublish tells whether a message is granted, and is one of ours. Only what says how something is may be
// retained: there is a bounded number of such topics, while a client could make up answers without end.
func mayPublish(claims token.Claims, name string, retained bool) bool {
	if !claims.MayPublish(name) {
		return false
	}
	t, err := topic.Parse(name)
	return err == nil && (!retained || t.Kind.Retained())
}

// OnPublishDropped can't happen while each message has its place. If it did, the client would have to go: it comes
// back to the retained messages, but if it stayed it would never learn what it has missed.
func (g *guard) OnPublishDropped(client *mqtt.Client, _ packets.Packet) {
	connOf(client).cut("does not keep up")
}

// OnQosPublish forgets a message as soon as it has its packet id. mochi keeps it to send it again when the client
// comes back, which no session of ours survives. A client that acknowledges nothing would fill the memory; and mochi,
// which counts the ids of both directions as one, would refuse a subscription under an id that it has used itself.
func (g *guard) OnQosPublish(client *mqtt.Client, pk packets.Packet, _ int64, _ int) {
	client.State.Inflight.Delete(pk.PacketID)
}

// OnPacketEncode is where a message leaves its place in the queue. Those that are replayed have none.
func (g *guard) OnPacketEncode(client *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type == packets.Publish && !pk.FixedHeader.Retain {
		connOf(client).release(1)
	}
	return pk
}

// connOf is a client's connection; nil for the guard's own voice, which has none.
func connOf(client *mqtt.Client) *conn {
	c, _ := client.Net.Conn.(*conn)
	return c
}

// short keeps a text that a stranger has sent from flooding the log.
func short(text string) string {
	return fmt.Sprintf("%.100s", text)
}

package link

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"truechimer/messages"
)

// A hub may be newer than the agent, or wrong: what can't be taken is left alone, and the rest of the frame is.
func TestWhatCannotBeTakenIsLeftAlone(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	c := a.join(h)
	unknown := encode(t, &messages.FromHub{To: "agent"})
	unknown = protowire.AppendTag(unknown, 99, protowire.BytesType)
	unknown = protowire.AppendBytes(unknown, []byte("from the future"))
	frame := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), unknown)
	dismissal := func(reason string) *messages.FromHub_Dismissal {
		return &messages.FromHub_Dismissal{Dismissal: &messages.Dismissal{Reason: reason}}
	}
	c.frame(append(frame, encode(t, &messages.Down{Messages: []*messages.FromHub{
		{},
		{To: "agent"},
		{To: "no id", Message: dismissal("one")},
		{To: "agent", Message: dismissal("\x1b[2J")},
		{To: "eventstream", Message: dismissal("to one of protoactor's")},
		{To: "agents", Message: dismissal("to nobody")},
		{To: "agent", Message: dismissal("good")},
	}})...))
	if m := wantHeard[*messages.Dismissal](a).message.(*messages.Dismissal); m.Reason != "good" {
		t.Errorf("heard %v", m)
	}
	if n := strings.Count(a.log.text(), "left alone"); n != 7 {
		t.Errorf("the log tells of %d messages, want 7:\n%s", n, a.log.text())
	}
}

// What no hub takes isn't sent, and the link goes on without it.
func TestWhatNoHubTakesIsNotSent(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	c := a.join(h)
	pid := hubActor(session)
	a.say(pid, "agent", &messages.Hello{Features: []string{strings.Repeat("x", messages.MaxFrame)}})
	a.say(pid, "agent", &messages.Hello{Version: "\xff"})
	a.say(pid, "agent", &messages.Welcome{})
	a.say(pid, "agent", struct{}{})
	a.say(hubActor("no id"), "agent", &messages.Hello{})
	a.say(pid, "agent", &messages.Goodbye{})
	wantWord[*messages.FromAgent_Goodbye](c)
	if n := strings.Count(a.log.text(), "can't go to the hub"); n != 5 {
		t.Errorf("the log tells of %d messages, want 5:\n%s", n, a.log.text())
	}
}

// An actor may be gone when the hub writes to it. protoactor answers for it, which is nothing for a hub or the log.
func TestWhatComesForAnActorThatIsGoneIsDropped(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	c := a.join(h)
	c.say("agent/probe/v4", session, &messages.Assignments{IpVersion: 4, MonitorId: 1})
	c.say("agent", session, &messages.Dismissal{})
	wantHeard[*messages.Dismissal](a)
	if text := a.log.text(); text != "" {
		t.Errorf("the log says:\n%s", text)
	}
}

// Life and death of actors aren't shared over a link: nobody stops a hub's actors from an agent.
func TestSystemMessagesStayAtHome(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	c := a.join(h)
	a.options.System.Root.Stop(hubActor(session))
	a.say(hubActor(session), "agent", &messages.Goodbye{})
	wantWord[*messages.FromAgent_Goodbye](c)
}

// An agent talks to a hub of its own authority and to nobody else, and says what was wrong.
func TestOnlyItsHubIsTalkedTo(t *testing.T) {
	ours := newFamily(t)
	for _, row := range []struct {
		name string
		hub  func(*tls.Config)
		want string // in the error; empty: it is talked to
	}{
		{"its hub", func(*tls.Config) {}, ""},
		{"a hub of another authority", func(c *tls.Config) {
			c.Certificates = newFamily(t).hub(t).Certificates
		}, "unknown authority"},
		{"an agent of the same authority", func(c *tls.Config) {
			c.Certificates[0] = ours.member(t, messages.HubCertificateName, x509.ExtKeyUsageClientAuth, nil)
		}, "incompatible key usage"},
		{"another server of the same authority", func(c *tls.Config) {
			c.Certificates[0] = ours.member(t, "fra1", x509.ExtKeyUsageServerAuth, nil)
		}, "not " + messages.HubCertificateName},
		{"a hub whose certificate has expired", func(c *tls.Config) {
			c.Certificates[0] = ours.member(t, messages.HubCertificateName, x509.ExtKeyUsageServerAuth, func(c *x509.Certificate) {
				c.NotAfter = time.Now().Add(-time.Minute)
			})
		}, "expired"},
		{"a hub with an older TLS", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, "protocol version"},
	} {
		t.Run(row.name, func(t *testing.T) {
			config := ours.hub(t)
			row.hub(config)
			h := serve(t, "127.0.0.1:0", config)
			a := ours.open(t, h.addr)
			a.dial()
			if row.want == "" {
				h.welcome()
				wantHeard[*messages.Welcome](a)
				return
			}
			wantEnd(t, a, row.want)
		})
	}
}

// TLS tells the hub that an agent's certificate has expired, and the agent less: it sees for itself.
func TestAnEndedCertificateIsNamed(t *testing.T) {
	family := newFamily(t)
	h := family.serve(t, "127.0.0.1:0")
	a := family.open(t, h.addr)
	ended := time.Now().Add(-time.Minute)
	a.options.Until = ended
	a.options.TLS.Certificates[0] = family.member(t, "fra1", x509.ExtKeyUsageClientAuth, func(c *x509.Certificate) { c.NotAfter = ended })
	a.dial()
	wantEnd(t, a, "certificate ended on "+ended.Format(time.DateOnly))
}

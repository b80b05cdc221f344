package link

import (
	"testing"

	"truechimer/actors/port"
	"truechimer/messages"
)

// A hub's order and the actor's answer, one at a time, over TLS on loopback.
func BenchmarkRoundTrip(b *testing.B) {
	family := newFamily(b)
	h := family.serve(b, "127.0.0.1:0")
	a := family.open(b, h.addr)
	c := a.join(h)
	for b.Loop() {
		c.say("agent", session, &messages.Dismissal{})
		m := <-a.heard
		a.say(m.sender, "agent", &messages.Goodbye{})
		<-c.inbox
	}
}

// What an agent can say. It runs ahead by less than its queue takes.
func BenchmarkToHub(b *testing.B) {
	family := newFamily(b)
	h := family.serve(b, "127.0.0.1:0")
	a := family.open(b, h.addr)
	c := a.join(h)
	pid := hubActor(session)
	const ahead = queueLength / 2
	b.ResetTimer()
	for i := range b.N {
		a.say(pid, "agent", &messages.Goodbye{})
		if i >= ahead {
			<-c.inbox
		}
	}
	for range min(b.N, ahead) {
		<-c.inbox
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// A dial, from the first packet to the welcome and the orderly end.
func BenchmarkDial(b *testing.B) {
	family := newFamily(b)
	h := family.serve(b, "127.0.0.1:0")
	a := family.open(b, h.addr)
	for b.Loop() {
		a.join(h)
		a.Close()
		if ended := <-a.ended; ended != (port.LinkEnded{}) {
			b.Fatal(ended.Err)
		}
	}
}

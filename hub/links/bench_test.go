package links

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
)

// unbounded lets an agent send as fast as it can.
func unbounded(l *limits) { l.rate, l.ahead = 1<<40, time.Hour }

// An agent's question and the session's answer, one at a time, over TLS on loopback.
func BenchmarkRoundTrip(b *testing.B) {
	h := open(b, plan{limits: unbounded, onHeard: func(ctx actor.Context, _ heard) {
		ctx.Send(ctx.Sender(), &messages.Verdicts{BatchId: 1, IpVersion: 4})
	}})
	a := h.join("fra1")
	frame := encode(b, &messages.Up{Messages: []*messages.FromAgent{{
		To: a.session, From: "agent/uplink", Message: &messages.FromAgent_Batch{Batch: &messages.Batch{IpVersion: 4}},
	}}})
	for b.Loop() {
		a.frame(frame)
		if <-a.inbox == nil {
			b.Fatal(a.ended)
		}
	}
}

// What one agent can say, each message in a frame of its own, as agents of ours do.
func BenchmarkFromAgent(b *testing.B) {
	heardAll := make(chan int, 1)
	want, have := 0, 0
	h := open(b, plan{limits: unbounded, onHeard: func(_ actor.Context, m heard) {
		switch m := m.message.(type) {
		case *messages.Hello:
			have++
		case int:
			want = m
		}
		if have == want {
			heardAll <- have
		}
	}})
	a := h.join("fra1")
	frame := encode(b, &messages.Up{Messages: []*messages.FromAgent{{
		To: a.session, Message: &messages.FromAgent_Hello{Hello: &messages.Hello{Version: "v1.2.3"}},
	}}})
	n := 0
	b.ResetTimer()
	for range b.N {
		a.frame(frame)
		n++
	}
	h.system.Root.Send(h.system.NewLocalPID(a.session), n)
	<-heardAll
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
}

// What one agent can be told, in frames of as many messages as wait.
func BenchmarkToAgent(b *testing.B) {
	h := open(b, plan{})
	a := h.join("fra1")
	m := &messages.Verdicts{BatchId: 1, IpVersion: 4, Verdicts: []*messages.Verdict{{Outcome: messages.Verdict_STORED}}}
	const ahead = 500 // less than the outbox takes
	b.ResetTimer()
	for i := range b.N {
		h.say("fra1", m)
		if i >= ahead {
			if <-a.inbox == nil {
				b.Fatal(a.ended)
			}
		}
	}
	for range min(b.N, ahead) {
		<-a.inbox
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

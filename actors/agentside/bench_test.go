package agentside_test

import (
	"testing"
	"time"

	"truechimer/messages"
	"truechimer/pool"
	"truechimer/simulation/world"
)

// An operation is a second of an agent that takes 1,000 samples a second: 9,000 servers, each probed every 9 s with
// one query. What it takes of a second is what it takes of a core, the simulated network and hub included.
func BenchmarkThousandProbesASecond(b *testing.B) {
	r := newRig(b, world.Config{})
	r.terms[pool.IPv4] = &messages.Terms{Status: "active", BaseChecks: []string{"ref"}, Samples: 1}
	r.start()
	r.run(time.Second)
	for id := range uint32(9000) {
		c := cadence(id+1, 9*time.Second, 9*time.Second)
		r.now().assign(pool.IPv4, false, r.order(id+1, c, func(a *pool.Assignment) { a.Cadence.Phase = 0 }))
	}
	r.run(20 * time.Second)
	before := len(r.stored)
	for b.Loop() {
		r.run(time.Second)
		r.queries = r.queries[:0]
		r.now().batches = nil
	}
	b.ReportMetric(float64(len(r.stored)-before)/float64(b.N), "samples/op")
}

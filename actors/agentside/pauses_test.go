package agentside

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Each pause is drawn from half to one and a half of its mean, which doubles up to the longest and begins anew.
func TestPausesDouble(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		p := pauses{first: 2 * time.Second, longest: time.Minute}
		mean := p.first
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				if have := p.take(random); have < mean/2 || have >= mean*3/2 {
					t.Fatalf("want %s, half of it more or less, have %s", mean, have)
				}
				mean = min(2*mean, p.longest)
			},
			"reset": func(*rapid.T) {
				p.reset()
				mean = p.first
			},
		})
	})
}

// Ten thousand agents that lost their hub together come back spread over two seconds, no tenth of it much fuller
// than the others.
func TestFirstDialsAreSpread(t *testing.T) {
	const agents = 10_000
	var tenths [10]int
	for seed := range uint64(agents) {
		redial := newRedial()
		d := redial.pause(time.Hour, false, rand.New(rand.NewPCG(seed, 1)))
		tenths[(d-time.Second)/(200*time.Millisecond)]++
	}
	for i, n := range tenths {
		if n < agents/10*8/10 || n > agents/10*12/10 {
			t.Errorf("tenth %d: want about %d agents, have %d", i, agents/10, n)
		}
	}
}

// Takeovers in a row make an agent stay away longer and longer; they don't touch the pauses of lost links.
func TestTakeoverPausesGrow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	redial := newRedial()
	for i, test := range []struct {
		held, want time.Duration
	}{
		{time.Minute, 2 * time.Minute},
		{2 * time.Minute, 5 * time.Minute},
		{29 * time.Minute, 10 * time.Minute},
		{0, 15 * time.Minute},
		{0, 15 * time.Minute},
		{30 * time.Minute, 2 * time.Minute},
		{0, 5 * time.Minute},
	} {
		if have := redial.pause(test.held, true, random); have != test.want {
			t.Errorf("takeover %d: want %s, have %s", i, test.want, have)
		}
	}
	if have := redial.pause(0, false, random); have > 3*time.Second {
		t.Errorf("want the first pause of a lost link, have %s", have)
	}
}

package scoring

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"truechimer/pool"
)

// near tells whether two scores are the same but for the rounding of doubles.
func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-12
}

// One bad week of a server, as one monitor and as "every" see it. Each figure was worked out by hand from the one
// above it: 0.95 times it, plus the step, then the cap.
func TestAScoreIsTheFoldOfItsSteps(t *testing.T) {
	silent := pool.Sample{NoReply: true}
	score, every := 0.0, float64(everyStart)
	for _, row := range []struct {
		name        string
		sample      pool.Sample
		score       float64
		everysValue float64
	}{
		{"good", off(0), 1, -3.75},                                       // 0 + 1; −4.75 + 1
		{"good", off(9 * time.Millisecond), 1.95, -2.5625},               // 0.95 + 1; −3.5625 + 1
		{"50 ms", off(50 * time.Millisecond), 2.68615, -1.600725},        // 1.8525 + 0.83365; −2.434375 + 0.83365
		{"500 ms", off(-500 * time.Millisecond), 2.1288425, -1.94368875}, // 2.5518425 − 0.423; −1.52068875 − 0.423
		{"no reply", silent, -2.977599625, -6.8465043125},                // 2.022400375 − 5; −1.8465043125 − 5
		{"RATE", pool.Sample{Kiss: "RATE"}, -6.32871964375, -10.004179096875},
		{"4 s, capped", off(4 * time.Second), -20, -20},
		{"good", off(0), -18, -18},                                           // −19 + 1
		{"DENY, capped but in every", pool.Sample{Kiss: "DENY"}, -50, -27.1}, // −17.1 − 10
		{"good", off(0), -46.5, -24.745},                                     // −47.5 + 1; −25.745 + 1
		{"4 s: from below only every is set to −20", off(4 * time.Second), -48.175, -20},
	} {
		step := StepOf(row.sample)
		score, every = Next(score, step), NextEvery(every, step)
		if !near(score, row.score) || !near(every, row.everysValue) {
			t.Errorf("%s: want %v and %v, have %v and %v", row.name, row.score, row.everysValue, score, every)
		}
	}
}

// A server that comes back from a restart says for a while that it has no time; it must not serve with a score from
// before.
func TestAServerWithoutTimeLeavesServiceAtOnce(t *testing.T) {
	if have := Next(Ceiling, StepOf(pool.Sample{})); have != 5 {
		t.Errorf("want 5, have %v", have)
	}
	if have := NextEvery(Ceiling, StepOf(pool.Sample{})); have != 17 {
		t.Errorf("every has no such cap: want 17, have %v", have)
	}
	if have := Next(4, StepOf(pool.Sample{})); !near(have, 1.8) {
		t.Errorf("below the cap it is an ordinary step: want 1.8, have %v", have)
	}
}

// The comments promise how long it takes in and out of service; these are the numbers.
func TestHowManySamplesToBeFit(t *testing.T) {
	good := StepOf(off(0))
	for _, row := range []struct {
		name  string
		score float64
		want  int
	}{
		{"new", 0, 14},
		{"after stratum 0", capNoTime, 8},
		{"after more than 3 s", capFarOff, 28},
		{"after a refusal", capRefused, 38},
	} {
		have := 0
		for score := row.score; score < Fit; have++ {
			score = Next(score, good)
		}
		if have != row.want {
			t.Errorf("%s: want %d good samples, have %d", row.name, row.want, have)
		}
	}
	silent := StepOf(pool.Sample{NoReply: true})
	once := Next(Ceiling, silent)
	if twice := Next(once, silent); once < Fit || twice >= Fit {
		t.Errorf("a perfect server must survive one lost probe and not two: have %v, %v", once, twice)
	}
}

// No history lifts a score above 20, nor sinks it below −200; caps hold after their step; a refusal leaves −50 at most.
func TestScoresStayInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score := rapid.Float64Range(-200, Ceiling).Draw(t, "start")
		every := rapid.Float64Range(-200, Ceiling).Draw(t, "every's start")
		for range rapid.IntRange(1, 50).Draw(t, "samples") {
			step := StepOf(anySample(t, at(0)))
			score, every = Next(score, step), NextEvery(every, step)
			if score < -200 || score > Ceiling || every < -200 || every > Ceiling {
				t.Fatalf("after %v: score %v, every %v", step, score, every)
			}
			if step.Capped && score > step.Cap {
				t.Fatalf("%v is above the cap of %v", score, step)
			}
			if step.Rule == RuleKissDeny && score > -50 {
				t.Fatalf("%v after a refusal", score)
			}
		}
	})
}

// At the ceiling a good sample changes nothing at all, rounding included.
func TestTheCeilingIsAFixedPoint(t *testing.T) {
	if have := Next(Ceiling, StepOf(off(0))); have != 20 {
		t.Errorf("want 20, have %v", have)
	}
}

// A monitor gives a server up at −90 or below, and takes that back with the first step that isn't negative.
func TestCondemned(t *testing.T) {
	for _, row := range []struct {
		name        string
		score, step float64
		want        bool
	}{
		{"far below, silent", -99, -5, true},
		{"exactly −90", -90, -5, true},
		{"just above", -89.999, -5, false},
		{"a good sample", -93, 1, false},
		{"a step of nothing", -93, 0, false},
	} {
		if have := Condemned(row.score, row.step); have != row.want {
			t.Errorf("%s: want %v, have %v", row.name, row.want, have)
		}
	}
}

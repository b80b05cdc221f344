package scoring

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// off is a sound sample with an offset: what most rows of the tables below start from.
func off(offset time.Duration) pool.Sample {
	rtt := 20 * time.Millisecond
	return pool.Sample{Offset: &offset, RTT: &rtt, Stratum: 2}
}

// with is a sample after a change to it.
func with(s pool.Sample, change func(*pool.Sample)) pool.Sample {
	change(&s)
	return s
}

// The figures are those of the table in the domain's rules, one row here for each row and each edge there.
func TestTheFirstRuleThatFitsDecidesTheStep(t *testing.T) {
	const ms = time.Millisecond
	good := Step{Value: 1, Rule: RuleGood}
	farOff := Step{Value: -4, Cap: -20, Capped: true, Rule: RuleFarOff}
	off750 := Step{Value: -2, Rule: RuleOff750}
	refused := Step{Value: -10, Cap: -50, Capped: true, Rule: RuleKissDeny}
	noTime := Step{Value: -2, Cap: 5, Capped: true, Rule: RuleNoTime}
	unusable := Step{Value: -4, Rule: RuleError}

	for _, test := range []struct {
		name   string
		sample pool.Sample
		want   Step
	}{
		{"no reply", pool.Sample{NoReply: true}, Step{Value: -5, Rule: RuleNoReply}},
		{"no reply, with what the client says of it", pool.Sample{NoReply: true, Error: "refused"}, Step{Value: -5, Rule: RuleNoReply}},
		{"kiss RATE", pool.Sample{Kiss: "RATE"}, Step{Value: -3.5, Rule: RuleKissRate}},
		{"kiss DENY", pool.Sample{Kiss: "DENY"}, refused},
		{"kiss RSTR", pool.Sample{Kiss: "RSTR"}, refused},
		{"kiss DENY and an error", pool.Sample{Kiss: "DENY", Error: "kiss of death"}, refused},
		{"another kiss code", pool.Sample{Kiss: "INIT"}, unusable},
		{"stratum 0", pool.Sample{}, noTime},
		{"stratum 0 and leap 3", pool.Sample{Leap: pool.LeapUnknown}, noTime},
		{"stratum 0 with an offset", with(off(0), func(s *pool.Sample) { s.Stratum = 0 }), noTime},
		{"stratum 0 and an error", pool.Sample{Error: "short packet"}, unusable},
		{"an error", pool.Sample{Stratum: 2, Error: "short packet"}, unusable},
		{"an error beside an offset", with(off(0), func(s *pool.Sample) { s.Error = "origin isn't ours" }), unusable},
		{"no offset", pool.Sample{Stratum: 2}, unusable},
		{"stratum 16 without an offset", pool.Sample{Stratum: 16}, unusable},

		{"over 3 s", off(3*time.Second + 1), farOff},
		{"over 3 s behind", off(-3*time.Second - 1), farOff},
		{"as far off as can be", off(math.MaxInt64), farOff},
		{"as far behind as can be", off(math.MinInt64), farOff},
		{"over 3 s and leap 3", with(off(4*time.Second), func(s *pool.Sample) { s.Leap = 3 }), farOff},
		{"over 3 s and stratum 8", with(off(4*time.Second), func(s *pool.Sample) { s.Stratum = 8 }), farOff},
		{"3 s", off(3 * time.Second), off750},
		{"3 s behind", off(-3 * time.Second), off750},
		{"just under 3 s", off(3*time.Second - 1), off750},
		{"just under 3 s behind", off(-3*time.Second + 1), off750},

		{"leap 3", with(off(0), func(s *pool.Sample) { s.Leap = 3 }), Step{Value: -4, Rule: RuleUnsynchronised}},
		{"leap 3 and stratum 8", with(off(0), func(s *pool.Sample) { s.Leap, s.Stratum = 3, 8 }), Step{Value: -4, Rule: RuleUnsynchronised}},
		{"leap 3 at 3 s", with(off(3*time.Second), func(s *pool.Sample) { s.Leap = 3 }), Step{Value: -4, Rule: RuleUnsynchronised}},
		{"a leap second is announced", with(off(0), func(s *pool.Sample) { s.Leap = 1 }), good},
		{"a second is to be left out", with(off(0), func(s *pool.Sample) { s.Leap = 2 }), good},
		{"stratum 8", with(off(0), func(s *pool.Sample) { s.Stratum = 8 }), Step{Value: -4, Rule: RuleStratum}},
		{"stratum 8 at 3 s", with(off(3*time.Second), func(s *pool.Sample) { s.Stratum = 8 }), Step{Value: -4, Rule: RuleStratum}},
		{"stratum 255", with(off(0), func(s *pool.Sample) { s.Stratum = 255 }), Step{Value: -4, Rule: RuleStratum}},
		{"stratum 7", with(off(0), func(s *pool.Sample) { s.Stratum = 7 }), good},
		{"stratum 1", with(off(0), func(s *pool.Sample) { s.Stratum = 1 }), good},

		{"over 750 ms", off(750*ms + 1), off750},
		{"over 750 ms behind", off(-750*ms - 1), off750},
		{"750 ms", off(750 * ms), Step{Value: -1, Rule: RuleOff100}},
		{"750 ms behind", off(-750 * ms), Step{Value: -1, Rule: RuleOff100}},
		{"just under 750 ms", off(750*ms - 1), Step{Value: -0.999999997692, Rule: RuleOff100}},
		{"just under 750 ms behind", off(-750*ms + 1), Step{Value: -0.999999997692, Rule: RuleOff100}},
		{"500 ms", off(500 * ms), Step{Value: -0.423, Rule: RuleOff100}},
		{"over 100 ms", off(100*ms + 1), Step{Value: 0.500199997692, Rule: RuleOff100}},
		{"over 100 ms behind", off(-100*ms - 1), Step{Value: 0.500199997692, Rule: RuleOff100}},
		{"100 ms", off(100 * ms), Step{Value: 0.5003, Rule: RuleOff25}},
		{"100 ms behind", off(-100 * ms), Step{Value: 0.5003, Rule: RuleOff25}},
		{"just under 100 ms", off(100*ms - 1), Step{Value: 0.500300006667, Rule: RuleOff25}},
		{"just under 100 ms behind", off(-100*ms + 1), Step{Value: 0.500300006667, Rule: RuleOff25}},
		{"50 ms", off(50 * ms), Step{Value: 0.83365, Rule: RuleOff25}},
		{"26 ms", off(26 * ms), Step{Value: 0.993658, Rule: RuleOff25}},
		{"over 25 ms: the formula gives 1.0003", off(25*ms + 1), Step{Value: 1, Rule: RuleOff25}},
		{"over 25 ms behind", off(-25*ms - 1), Step{Value: 1, Rule: RuleOff25}},
		{"25 ms", off(25 * ms), good},
		{"25 ms behind", off(-25 * ms), good},
		{"just under 25 ms", off(25*ms - 1), good},
		{"just under 25 ms behind", off(-25*ms + 1), good},
		{"no offset at all from ours", off(0), good},
	} {
		t.Run(test.name, func(t *testing.T) {
			have := StepOf(test.sample)
			if diff := cmp.Diff(test.want, have, cmpopts.EquateApprox(0, 1e-15)); diff != "" {
				t.Errorf("want -, have +:\n%s", diff)
			}
		})
	}
}

// A warning is for people: the sample is worth what it is worth without it.
func TestAWarningCostsNothing(t *testing.T) {
	warned := with(off(0), func(s *pool.Sample) { s.Warning = "root distance 1.2 s" })
	if have, want := StepOf(warned), StepOf(off(0)); have != want {
		t.Errorf("want %v, have %v", want, have)
	}
}

// Whatever a server sends, its step is in bounds, says its rule, and doesn't depend on which way the clock is off.
func TestAnyStepIsInBoundsAndSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := anySample(t, at(0))
		step := StepOf(sample)
		if step.Value < -10 || step.Value > 1 {
			t.Errorf("step %v of %+v is out of bounds", step, sample)
		}
		if step.Rule < RuleNoReply || step.Rule > RuleGood {
			t.Errorf("step %v has no rule", step)
		}
		if sample.Offset != nil {
			mirrored := -*sample.Offset
			sample.Offset = &mirrored
			if other := StepOf(sample); other != step {
				t.Errorf("ahead %v, behind %v", step, other)
			}
		}
	})
}

// A greater offset is never worth more.
func TestAGreaterOffsetIsNeverWorthMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.Custom(anyOffset)
		near, far := offset.Draw(t, "one").Abs(), offset.Draw(t, "other").Abs()
		near, far = min(near, far), max(near, far)
		if StepOf(off(near)).Value < StepOf(off(far)).Value {
			t.Errorf("%v is worth %v, %v is worth %v", near, StepOf(off(near)), far, StepOf(off(far)))
		}
	})
}

// People read rules and steps in these words, on the page and in explain.
func TestStepsSpeakInWords(t *testing.T) {
	said := map[string]bool{}
	for rule := RuleNoReply; rule <= RuleGood; rule++ {
		said[rule.String()] = true
	}
	if len(said) != int(RuleGood) {
		t.Errorf("want %d different words, have %v", RuleGood, said)
	}
	for _, test := range []struct{ want, have string }{
		{"-4, at most -20: offset over 3 s", StepOf(off(4 * time.Second)).String()},
		{"-0.423: offset over 100 ms", StepOf(off(500 * time.Millisecond)).String()},
		{"no rule", Rule(0).String()},
		{"rule 13", (RuleGood + 1).String()},
	} {
		if test.have != test.want {
			t.Errorf("want %q, have %q", test.want, test.have)
		}
	}
}

// Every sample passes here: StepOf stays far under a microsecond and allocates nothing.
func BenchmarkStepOf(b *testing.B) {
	samples := []pool.Sample{off(3 * time.Millisecond), off(80 * time.Millisecond), {NoReply: true}, {Kiss: "DENY"}}
	b.ReportAllocs()
	var sum float64
	for i := 0; b.Loop(); i++ {
		sum += StepOf(samples[i%len(samples)]).Value
	}
	if sum == 0 {
		b.Fatal("no step was worth anything")
	}
}

// A sample costs no garbage, so that a hub's memory doesn't grow with what it is sent.
func TestStepOfAllocatesNothing(t *testing.T) {
	sample := off(80 * time.Millisecond)
	if have := testing.AllocsPerRun(100, func() { StepOf(sample) }); have != 0 {
		t.Errorf("want no allocation, have %v", have)
	}
}

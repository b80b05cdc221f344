package clockcheck

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// off is a valid sample of a reference that is off by so much.
func off(by time.Duration) pool.Sample {
	rtt := 20 * time.Millisecond
	return pool.Sample{Offset: &by, RTT: &rtt, Stratum: 1}
}

var (
	good   = off(time.Millisecond)
	silent = pool.Sample{NoReply: true}
)

// A reference holds when it gives a valid reply, is synchronised, and at most 10 ms off, in either direction.
func TestReferenceHoldsWithin10ms(t *testing.T) {
	unsynchronised := good
	unsynchronised.Leap = pool.LeapUnknown
	leaping := good
	leaping.Leap = pool.LeapInsert
	for _, test := range []struct {
		name   string
		sample pool.Sample
		reason string // empty: it holds
	}{
		{"right", off(0), ""},
		{"10 ms ahead", off(10 * time.Millisecond), ""},
		{"10 ms behind", off(-10 * time.Millisecond), ""},
		{"a bit more ahead", off(10*time.Millisecond + time.Microsecond), "off by 10.001ms"},
		{"a bit more behind", off(-10*time.Millisecond - time.Microsecond), "off by -10.001ms"},
		{"announces a leap second", leaping, ""},
		{"unsynchronised", unsynchronised, "not synchronised"},
		{"silent", silent, "no reply"},
		{"kiss", pool.Sample{Kiss: pool.KissRate}, "kiss code RATE"},
		{"malformed", pool.Sample{Error: "short packet"}, "short packet"},
		{"serves no time", pool.Sample{}, "no time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fit, reason := Verdict([]pool.Sample{test.sample})
			if want := test.reason == ""; fit != want {
				t.Errorf("want fit %t, have %t: %s", want, fit, reason)
			}
			if !strings.Contains(reason, test.reason) || fit && reason != "" {
				t.Errorf("want a reason with %q, have %q", test.reason, reason)
			}
		})
	}
}

// More than half of the references must hold; one alone must; without any a clock is unfit.
func TestMoreThanHalfOfTheReferencesMustHold(t *testing.T) {
	for _, test := range []struct{ references, needed int }{{1, 1}, {2, 2}, {3, 2}, {4, 3}, {5, 3}, {64, 33}} {
		for failing := range test.references + 1 {
			t.Run(fmt.Sprintf("%d of %d fail", failing, test.references), func(t *testing.T) {
				var samples []pool.Sample
				for i := range test.references {
					if i < failing {
						samples = append(samples, silent)
					} else {
						samples = append(samples, good)
					}
				}
				want := test.references-failing >= test.needed
				if fit, reason := Verdict(samples); fit != want {
					t.Errorf("want fit %t, have %t: %s", want, fit, reason)
				}
			})
		}
	}
	if fit, reason := Verdict(nil); fit || reason == "" {
		t.Errorf("want unfit without references, and why; have %t, %q", fit, reason)
	}
}

// The reason says how many hold, how many must, and what is wrong with each of the others.
func TestReasonNamesEachFailure(t *testing.T) {
	_, have := Verdict([]pool.Sample{good, silent, off(time.Second)})
	want := "1 of 3 reference servers hold, 2 must: no reply, off by 1s"
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

// The order in which references answer makes no difference, and one more that holds never makes a clock unfit
// that had as many as it needs to spare.
func TestVerdictIgnoresTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := rapid.SliceOfN(rapid.SampledFrom([]pool.Sample{good, silent, off(time.Hour)}), 1, 9).Draw(t, "samples")
		fit, _ := Verdict(samples)
		shuffled := append([]pool.Sample(nil), samples...)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if again, _ := Verdict(shuffled); again != fit {
			t.Fatalf("%t in one order, %t in another", fit, again)
		}
		if better, _ := Verdict(append(shuffled, good, good)); fit && !better {
			t.Fatal("two more references that hold made the clock unfit")
		}
	})
}

package selection

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"truechimer/pool"
)

func ptr[T any](v T) *T { return &v }

// The means are those of the samples: RTTs in ms over the ones that have one, steps over all, rounded to 1e-9.
func TestFiguresAreMeans(t *testing.T) {
	type sample struct {
		step float64
		rtt  *time.Duration
	}
	tests := []struct {
		name    string
		samples []sample
		want    Figures
	}{
		{"none", nil, Figures{}},
		{"one", []sample{{1, ptr(20 * time.Millisecond)}}, Figures{Count: 1, Timed: 1, RTT: 20, Step: 1}},
		{"one without an RTT", []sample{{-5, nil}}, Figures{Count: 1, Step: -5}},
		{"RTTs in whole µs", []sample{{1, ptr(1999 * time.Nanosecond)}}, Figures{Count: 1, Timed: 1, RTT: 0.001, Step: 1}},
		{"a third", []sample{{1, ptr(time.Millisecond)}, {0, ptr(time.Millisecond)}, {0, nil}},
			Figures{Count: 3, Timed: 2, RTT: 1, Step: 0.333333333}},
		{"two thirds are rounded up", []sample{{1, nil}, {1, nil}, {0, nil}}, Figures{Count: 3, Step: 0.666666667}},
		{"minus two thirds are rounded away from zero", []sample{{-1, nil}, {-1, nil}, {0, nil}}, Figures{Count: 3, Step: -0.666666667}},
		{"a half is rounded up", []sample{{0.000000001, nil}, {0, nil}}, Figures{Count: 2, Step: 0.000000001}},
		{"minus a half away from zero", []sample{{-0.000000001, nil}, {0, nil}}, Figures{Count: 2, Step: -0.000000001}},
		{"less than half of the unit is nothing", []sample{{-0.000000000499, nil}}, Figures{Count: 1, Step: 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tally pool.Tally
			for _, s := range tt.samples {
				tally.Add(s.step, s.rtt)
			}
			if diff := cmp.Diff(tt.want, FiguresOf(tally)); diff != "" {
				t.Errorf("figures (-want +have):\n%s", diff)
			}
		})
	}
}

// A priority is rtt · (1 + 2·(1 − step)), rounded half up.
func TestPriority(t *testing.T) {
	tests := []struct {
		name      string
		rtt, step float64
		want      float64
	}{
		{"perfect steps", 20, 1, 20},
		{"steps of nothing count three times", 20, 0, 60},
		{"steps of a half twice", 20, 0.5, 40},
		{"minus five counts 13 times", 10, -5, 130},
		{"below a half", 20.49, 1, 20},
		{"a half goes up", 20.5, 1, 21},
		{"the number just below a half goes down", 0.49999999999999994, 1, 0},
		{"no RTT to speak of", 0, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have, known := Figures{Count: 1, Timed: 1, RTT: tt.rtt, Step: tt.step}.Priority()
			if have != tt.want || !known {
				t.Errorf("want %v, have %v, %v", tt.want, have, known)
			}
		})
	}
}

// The number of samples that is enough follows the testing interval, and is 32 at most.
func TestThreshold(t *testing.T) {
	tests := []struct {
		interval time.Duration
		want     int
	}{
		{0, 32},
		{-time.Hour, 32},
		{1, 32},
		{33*time.Minute + 45*time.Second, 32},
		{34*time.Minute + 50*time.Second, 32}, // 31.005
		{35 * time.Minute, 31},                // 30.86
		{36 * time.Minute, 30},
		{45 * time.Minute, 24},
		{50 * time.Minute, 22}, // 21.6
		{18 * time.Hour, 1},
		{100 * time.Hour, 1},
	}
	for _, tt := range tests {
		if have := threshold(tt.interval); have != tt.want {
			t.Errorf("every %s: want %d, have %d", tt.interval, tt.want, have)
		}
	}
}

// To outperform takes 5 points and 5 percent of the other's priority, each inclusive.
func TestOutperforms(t *testing.T) {
	tests := []struct {
		priority, other float64
		want            bool
	}{
		{46, 50, false},
		{45, 50, true},
		{95, 100, true},
		{96, 100, false},
		{951, 1000, false},
		{950, 1000, true},
		{0, 5, true},
		{0, 4, false},
		{50, 45, false},
	}
	for _, tt := range tests {
		a, b := member{priority: tt.priority, hasPriority: true}, member{priority: tt.other, hasPriority: true}
		if have := outperforms(&a, &b); have != tt.want {
			t.Errorf("%v against %v: want %t, have %t", tt.priority, tt.other, tt.want, have)
		}
	}
	with, without := member{priority: 100, hasPriority: true}, member{}
	if outperforms(&without, &with) || outperforms(&with, &without) {
		t.Error("who has no priority was compared")
	}
}

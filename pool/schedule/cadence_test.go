package schedule_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

func anyCadence(t *rapid.T) pool.Cadence {
	interval := rapid.Int64Range(1, int64(400*24*time.Hour)).Draw(t, "interval")
	return pool.Cadence{
		Interval: time.Duration(interval),
		Phase:    time.Duration(rapid.Int64Range(0, interval-1).Draw(t, "phase")),
		Window:   time.Duration(rapid.Int64Range(1, interval).Draw(t, "window")),
		Seed:     rapid.Uint64().Draw(t, "seed"),
	}
}

// anyTime lies between the years -1 and 4500, far beyond what nanoseconds in 64 bits can count.
func anyTime(t *rapid.T) time.Time {
	seconds := rapid.Int64Range(-62_200_000_000, 80_000_000_000).Draw(t, "seconds")
	return time.Unix(seconds, rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
}

// Each moment is later than what was asked for, inside a window, and nothing of the cadence lies between:
// windows follow each other without a gap in the count.
func TestMomentsComeOncePerWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCadence(t)
		after := anyTime(t)
		last := schedule.Next(c, after)
		if !last.After(after) {
			t.Fatalf("Next(%s) is %s", after, last)
		}
		for range 20 {
			next := schedule.Next(c, last)
			gap := next.Sub(last)
			if least, most := c.Interval-c.Window, c.Interval+c.Window; gap <= 0 || gap < least || gap > most {
				t.Fatalf("gap between %s and %s is %s, want %s to %s", last, next, gap, least, most)
			}
			if late := sinceStart(c, next); late >= c.Window {
				t.Fatalf("%s is %s after the start of its occurrence, window is %s", next, late, c.Window)
			}
			last = next
		}
	})
}

// sinceStart is how long after the last n·Interval + Phase (from the Unix epoch) a time is, reckoned with
// seconds and nanoseconds apart so as not to overflow.
func sinceStart(c pool.Cadence, t time.Time) time.Duration {
	rest := int64(0)
	interval := int64(c.Interval)
	add := func(n int64) { rest = ((rest+n)%interval + interval) % interval }
	second := int64(time.Second) % interval
	for s, bit := t.Unix(), second; s != 0; s, bit = s/2, (bit*2)%interval { // s·10^9 mod interval, bit by bit
		switch s % 2 {
		case 1:
			add(bit)
		case -1:
			add(-bit)
		}
	}
	add(int64(t.Nanosecond()))
	add(-int64(c.Phase))
	return time.Duration(rest)
}

// Whatever time one asks from, between one moment and the next the answer is the next: moments depend on nothing
// but the cadence, so an agent that restarts goes on where it was.
func TestMomentsDependOnNothingBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCadence(t)
		first := schedule.Next(c, anyTime(t))
		second := schedule.Next(c, first)
		part := rapid.Int64Range(0, int64(second.Sub(first))-1).Draw(t, "part")
		between := first.Add(time.Duration(part))
		if have := schedule.Next(c, between); !have.Equal(second) {
			t.Fatalf("from %s on: have %s, want %s", between, have, second)
		}
		if have := schedule.Next(c, first.Add(-1)); !have.Equal(first) {
			t.Fatalf("just before %s: have %s", first, have)
		}
	})
}

// The moments of one seed are as good as random in their window: each tenth of it is hit about equally often,
// and the moments of another seed have nothing to do with them.
func TestMomentsAreSpreadOverTheWindow(t *testing.T) {
	c := pool.Cadence{Interval: 9 * time.Minute, Window: 21 * time.Second, Seed: 1}
	other := c
	other.Seed = 2
	const occurrences = 20_000
	var tenths, differences [10]int
	after := time.Unix(0, 0)
	for range occurrences {
		at, otherAt := schedule.Next(c, after), schedule.Next(other, after)
		after = after.Add(c.Interval)
		late, otherLate := sinceStart(c, at), sinceStart(c, otherAt)
		tenths[late*10/c.Window]++
		differences[(late-otherLate+c.Window)%c.Window*10/c.Window]++
	}
	for i := range tenths {
		for what, count := range map[string]int{"moments": tenths[i], "differences between two seeds": differences[i]} {
			if share := float64(count) / occurrences; math.Abs(share-0.1) > 0.01 { // 4.7 standard deviations
				t.Errorf("%.1f %% of the %s are in tenth %d of the window", 100*share, what, i)
			}
		}
	}
}

// Moments stay what they are from one release to the next, or an agent that is upgraded would
// probe twice in one window.
func TestMomentsArePinned(t *testing.T) {
	c := pool.Cadence{Interval: 9 * time.Minute, Phase: 83_076 * time.Millisecond, Window: 21_538 * time.Millisecond, Seed: 0x0123456789abcdef}
	tests := []struct {
		after time.Time
		want  string
	}{
		{time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), "2026-07-01T00:01:31.439874663Z"},
		{time.Time{}, "0001-01-01T00:01:36.992754611Z"},
		{time.Date(1969, 12, 31, 23, 59, 0, 0, time.UTC), "1970-01-01T00:01:34.720960983Z"},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), "9999-01-01T00:01:36.947764656Z"},
	}
	for _, tt := range tests {
		if have := schedule.Next(c, tt.after).Format(time.RFC3339Nano); have != tt.want {
			t.Errorf("after %s: have %s, want %s", tt.after, have, tt.want)
		}
	}
}

// What isn't a cadence is a programmer's error: whoever takes one from outside checks it first.
func TestNextRefusesWhatIsNotACadence(t *testing.T) {
	good := pool.Cadence{Interval: time.Minute, Phase: time.Second, Window: time.Second}
	tests := map[string]func(c *pool.Cadence){
		"no interval":             func(c *pool.Cadence) { c.Interval = 0 },
		"negative interval":       func(c *pool.Cadence) { c.Interval = -time.Minute },
		"negative phase":          func(c *pool.Cadence) { c.Phase = -1 },
		"phase of a whole":        func(c *pool.Cadence) { c.Phase = time.Minute },
		"no window":               func(c *pool.Cadence) { c.Window = 0 },
		"window beyond intervals": func(c *pool.Cadence) { c.Window = time.Minute + 1 },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			c := good
			spoil(&c)
			defer func() {
				if recover() == nil {
					t.Errorf("Next took %+v", c)
				}
			}()
			schedule.Next(c, time.Unix(0, 0))
		})
	}
}

func ExampleNext() {
	c := pool.Cadence{Interval: 9 * time.Minute, Phase: 2 * time.Minute, Window: 21 * time.Second, Seed: 7}
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for range 3 {
		at = schedule.Next(c, at)
		fmt.Println(at.Format("15:04:05.000"))
	}
	// Output:
	// 12:02:11.750
	// 12:11:04.325
	// 12:20:06.839
}

func BenchmarkNext(b *testing.B) {
	c := pool.Cadence{Interval: 9 * time.Minute, Phase: time.Minute, Window: 21 * time.Second, Seed: 7}
	at := time.Unix(1_800_000_000, 0)
	for b.Loop() {
		at = schedule.Next(c, at)
	}
}

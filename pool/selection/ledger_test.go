package selection

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"truechimer/pool"
)

// A ledger says what the samples of this hour and of the 24 full hours before come to, in whatever order they came,
// also when it started from what was kept of some of them.
func TestTheLedgerSaysWhatTheSamplesSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 14, 12, rapid.IntRange(0, 59).Draw(t, "minute"), 0, 0, time.UTC)
		kept := pool.ServerImage{Pairs: []pool.Pair{{Monitor: 1}, {Monitor: 2}, {Monitor: 3}}}
		ledger := NewLedger(pool.ServerImage{})
		want := make(map[pool.MonitorID]pool.Tally)
		for n := range rapid.IntRange(0, 200).Draw(t, "samples") {
			monitor := pool.MonitorID(rapid.IntRange(1, 3).Draw(t, "monitor"))
			at := now.Add(-time.Duration(rapid.IntRange(-3600, 27*3600).Draw(t, "age")) * time.Second)
			step := anyOf(t, "step", 1, -5, 0.123456789012)
			rtt := anyOf(t, "rtt", nil, ptr(time.Duration(n)*time.Millisecond))
			ledger.Add(now, monitor, at, step, rtt)
			hour := at.Truncate(time.Hour)
			if !hour.Before(pool.FiguresSince(now)) && !hour.After(now) {
				tally := want[monitor]
				tally.Add(step, rtt)
				want[monitor] = tally
			}
			if rapid.IntRange(0, 20).Draw(t, "restart") == 0 {
				for i := range kept.Pairs {
					kept.Pairs[i].Hours = hoursOf(ledger, kept.Pairs[i].Monitor)
				}
				ledger = NewLedger(kept)
			}
		}
		have := make(map[pool.MonitorID]pool.Tally)
		ledger.Each(now, func(monitor pool.MonitorID, tally pool.Tally) { have[monitor] = tally })
		if diff := cmp.Diff(want, have); diff != "" {
			t.Fatalf("(-want +have):\n%s", diff)
		}
	})
}

func hoursOf(l *Ledger, monitor pool.MonitorID) []pool.HourTally {
	for _, a := range l.monitors {
		if a.monitor == monitor {
			return a.hours
		}
	}
	return nil
}

// A ledger holds no more than its hours, however long it is kept.
func TestTheLedgerForgets(t *testing.T) {
	ledger := NewLedger(pool.ServerImage{})
	begin := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	for minute := range 10 * 24 * 60 {
		now := begin.Add(time.Duration(minute) * time.Minute)
		ledger.Add(now, 1, now, 1, nil)
		if n := len(hoursOf(ledger, 1)); n > pool.FiguresHours {
			t.Fatalf("%d hours at %v", n, now)
		}
	}
	ledger.Each(begin.Add(100*24*time.Hour), func(pool.MonitorID, pool.Tally) { t.Error("figures of nobody") })
	if len(ledger.monitors) > 0 {
		t.Errorf("pages of %d monitors are kept", len(ledger.monitors))
	}
}

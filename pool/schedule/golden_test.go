package schedule_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"truechimer/pool"
	"truechimer/pool/schedule"
)

// The scenarios in testdata tell how a timetable comes about and how it goes on.
//
// "place" names who is wanted, one line a status: ids or ranges of ids, each with "condemned" or "global=testing"
// behind it where that holds; "lab" stands for the lab's settings, "at-once" asks so for those who are new,
// "now" is the time since the beginning of a cycle. Who has a place has had it at the next "place" of the file.
// The server is number 0, whose cycles begin with the Unix epoch.
// It shows the slots: who comes in which turn (a dot: nobody), how often, and who has lost or changed his place.
func TestTimetables(t *testing.T) {
	datadriven.Walk(t, "testdata/timetable", func(t *testing.T, path string) {
		before := map[pool.MonitorID]pool.Cadence{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "place" {
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			settings := pool.DefaultSettings()
			if d.HasArg("lab") {
				settings = lab
			}
			var now time.Duration
			if d.HasArg("now") {
				var text string
				d.ScanArgs(t, "now", &text)
				now = mustDuration(t, text)
			}
			wants := readWants(t, d.Input, settings)
			for i := range wants {
				if cadence, had := before[wants[i].Monitor]; had {
					wants[i].Had = &cadence
				} else {
					wants[i].AtOnce = d.HasArg("at-once")
				}
			}
			placed := schedule.Place(0, settings, midnight.Add(now), wants)
			text := drawTimetable(settings, placed) + drawChanges(before, wants, placed)
			clear(before)
			for _, p := range placed {
				before[p.Monitor] = p.Cadence
			}
			return text
		})
	})
}

var (
	lab      = pool.Settings{IntervalActive: 5 * time.Second, IntervalTesting: 5 * time.Second, IntervalCandidate: 5 * time.Second}
	midnight = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC) // a whole number of cycles of 9 min after the epoch
)

func mustDuration(t *testing.T, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func readWants(t *testing.T, input string, settings pool.Settings) []schedule.Want {
	noActive := !strings.Contains(input, string(pool.Active))
	var wants []schedule.Want
	for line := range strings.Lines(input) {
		fields := strings.Fields(line)
		global, condemned := pool.GlobalActive, false
		for _, field := range fields[1:] {
			switch field {
			case "condemned":
				condemned = true
			case "global=testing":
				global = pool.GlobalTesting
			}
		}
		status := pool.Status(fields[0])
		interval, _ := schedule.Interval(settings, status, global, noActive, condemned)
		for _, field := range fields[1:] {
			for _, monitor := range readIDs(t, field) {
				wants = append(wants, schedule.Want{Monitor: monitor, Status: status, Interval: interval})
			}
		}
	}
	return wants
}

// readIDs reads "7" or "1-7"; a word names nobody.
func readIDs(t *testing.T, field string) []pool.MonitorID {
	if field[0] < '0' || field[0] > '9' {
		return nil
	}
	first, last, isRange := strings.Cut(field, "-")
	if !isRange {
		last = first
	}
	from, err1 := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	if err1 != nil || err2 != nil {
		t.Fatalf("ids %q", field)
	}
	var ids []pool.MonitorID
	for id := from; id <= to; id++ {
		ids = append(ids, pool.MonitorID(id))
	}
	return ids
}

// drawTimetable draws each slot that somebody owns.
func drawTimetable(settings pool.Settings, placed []schedule.Placed) string {
	if len(placed) == 0 {
		return "nobody\n"
	}
	cycle := settings.IntervalActive
	window := placed[0].Cadence.Window
	width := window + settings.Spacing

	columns := map[int][]string{}
	for _, p := range placed {
		slot, turns := int(p.Cadence.Phase%cycle/width), int(p.Cadence.Interval/cycle)
		if columns[slot] == nil {
			columns[slot] = slices.Repeat([]string{"."}, turns)
		}
		columns[slot][p.Cadence.Phase/cycle] = strconv.Itoa(int(p.Monitor))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d slots of %s, windows of %s\n", cycle/width, width, window)
	for slot := range int(cycle / width) {
		if column := columns[slot]; column != nil {
			fmt.Fprintf(&b, "%2d  every %-8s %s\n", slot, time.Duration(len(column))*cycle, strings.Join(column, " "))
		}
	}
	return b.String()
}

func drawChanges(before map[pool.MonitorID]pool.Cadence, wants []schedule.Want, placed []schedule.Placed) string {
	var b strings.Builder
	var moved, left, atOnce []pool.MonitorID
	for _, p := range placed {
		if cadence, had := before[p.Monitor]; had && cadence != p.Cadence {
			moved = append(moved, p.Monitor)
		}
		if p.AtOnce {
			atOnce = append(atOnce, p.Monitor)
		}
	}
	for _, w := range wants {
		if !slices.ContainsFunc(placed, func(p schedule.Placed) bool { return p.Monitor == w.Monitor }) {
			left = append(left, w.Monitor)
		}
	}
	for _, line := range []struct {
		what string
		who  []pool.MonitorID
	}{{"moved", moved}, {"left out", left}, {"at once", atOnce}} {
		if len(line.who) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", line.what, strings.Trim(fmt.Sprint(line.who), "[]"))
		}
	}
	return b.String()
}

package scoring

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"truechimer/pool"
)

// The files in testdata/stories are stories of one server each, told in the words below. They are meant to be read.
//
//	monitors     each line: a monitor's id, and what it is for the server from now on
//	remove       each line: the id of a monitor that is forgotten
//	record       a batch, each line: time, monitor, and the sample
//	restart      the book is thrown away and started again from the store
//	server       the server's own score
//
// A sample is "no-reply", "no-time", a kiss code in capitals, "error=...", or an offset with what else is odd:
// "offset=3ms rtt=20ms stratum=2 leap=0". The answer to a batch is the rows of the log, by their ids.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := newStore()
		b := NewBook(s.snapshot())
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "monitors":
				for _, line := range lines(d.Input) {
					id, status, _ := strings.Cut(line, " ")
					s.setStatus(b, monitorIn(t, id), pool.Status(status))
				}
				return ""
			case "remove":
				for _, line := range lines(d.Input) {
					delete(s.pairs, monitorIn(t, line))
					b.Remove(monitorIn(t, line))
				}
				return ""
			case "record":
				return tellBatch(t, s, b, lines(d.Input))
			case "restart":
				b = NewBook(s.snapshot())
				return ""
			case "server":
				return tellServer(b.Overall())
			default:
				d.Fatalf(t, "no such word: %s", d.Cmd)
				return ""
			}
		})
	})
}

// tellBatch records and stores a batch, and tells what came of it.
func tellBatch(t *testing.T, s *store, b *Book, samples []string) string {
	var batch []Observation
	for _, line := range samples {
		batch = append(batch, observationIn(t, line))
	}
	rows := len(s.log)
	entries, duplicates := b.Record(batch)
	s.keep(b, entries)
	var story strings.Builder
	for _, l := range s.log[rows:] {
		story.WriteString(tellRow(l) + "\n")
	}
	for _, o := range duplicates {
		fmt.Fprintf(&story, "monitor %d's sample of %s is there already\n", o.Monitor, o.Sample.At.Format(time.TimeOnly))
	}
	return story.String()
}

// tellRow tells a row of the log.
func tellRow(l logged) string {
	var counted []string
	for _, ref := range l.row.Counted {
		counted = append(counted, fmt.Sprintf("#%d", ref.ID))
	}
	text := fmt.Sprintf("#%d %s", l.id, l.row.At.Format(time.TimeOnly))
	switch {
	case l.row.Late:
		return fmt.Sprintf("%s monitor %d late, %.6g stays; step %.6g: %s", text, l.row.Monitor, l.row.Score, l.row.Step, l.row.Rule)
	case l.scorer == pool.RecentMedian:
		return fmt.Sprintf("%s overall %.6g of #%d, counted %s: %s", text, l.row.Score, l.from, strings.Join(counted, " "), l.tier)
	case l.scorer == pool.Every:
		return fmt.Sprintf("%s every %.6g by #%d", text, l.row.Score, l.from)
	default:
		return fmt.Sprintf("%s monitor %d %.6g by %.6g: %s", text, l.row.Monitor, l.row.Score, l.row.Step, l.row.Rule)
	}
}

// tellServer tells what a server is worth.
func tellServer(o pool.Overall) string {
	if !o.Known {
		return fmt.Sprintf("no score, stratum %d", o.Stratum)
	}
	fitness := "unfit"
	if o.Score >= Fit {
		fitness = "fit"
	}
	return fmt.Sprintf("%.6g since %s, %s, stratum %d", o.Score, o.At.Format(time.TimeOnly), fitness, o.Stratum)
}

// observationIn reads "12:00:00 11 offset=3ms rtt=20ms".
func observationIn(t *testing.T, line string) Observation {
	t.Helper()
	words := strings.Fields(line)
	if len(words) < 3 {
		t.Fatalf("%q: want a time, a monitor and a sample", line)
	}
	clock, err := time.Parse(time.TimeOnly, words[0])
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	sinceNoon := time.Duration(clock.Hour()-12)*time.Hour + time.Duration(clock.Minute())*time.Minute + time.Duration(clock.Second())*time.Second
	return Observation{Monitor: monitorIn(t, words[1]), Sample: sampleIn(t, at(sinceNoon), words[2:])}
}

// sampleIn reads the words of a sample.
func sampleIn(t *testing.T, taken time.Time, words []string) pool.Sample {
	t.Helper()
	s := pool.Sample{At: taken, Stratum: 2}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "no-reply":
			s.NoReply, s.Stratum = true, 0
		case "no-time":
			s.Stratum = 0
		case "error":
			s.Error = value
		case "stratum":
			s.Stratum = uint8(numberIn(t, value))
		case "leap":
			s.Leap = pool.Leap(numberIn(t, value))
		case "offset":
			s.Offset = durationIn(t, value)
		case "rtt":
			s.RTT = durationIn(t, value)
		default:
			s.Kiss, s.Stratum = pool.Kiss(name), 0
		}
	}
	return s
}

func monitorIn(t *testing.T, text string) pool.MonitorID {
	t.Helper()
	return pool.MonitorID(numberIn(t, text))
}

func numberIn(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func durationIn(t *testing.T, text string) *time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return &d
}

// lines are the lines of a text.
func lines(text string) []string {
	return strings.Split(strings.TrimSpace(text), "\n")
}

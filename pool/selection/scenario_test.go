package selection

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"truechimer/pool"
)

// noon is when all tests play.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// The files in testdata/scenarios are scenarios of one rule or constraint each. They are meant to be read. A scenario lists
// the monitors, one or several of the same kind a line:
//
//	8 testing rtt=30 count=24        monitor 8 is testing for the server
//	1-7 active account=3             and so on
//
// What isn't said is: global=active, an account and a network of its own, limit=2, count=100 samples of rtt=50 ms and
// step=1, all of them timed, its agent seen now. "seen", "checked" and "violation=limit/3h" are times ago; seen=never.
// A line "server addr=... account=... interval=45m" says what is special about the server.
//
// The words are:
//
//	plan         one round: its changes and pauses, what is recorded, who was looked at
//	stored       the statuses to be stored, in the words above
//	standings    what the round held each monitor to be
//	review       when the next one is due
//	welcome      who becomes a candidate
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/scenarios", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			view := viewIn(t, d.Input)
			switch d.Cmd {
			case "plan":
				return tellRound(Plan(view))
			case "stored":
				return tellStatuses(Plan(view))
			case "standings":
				return tellStandings(Plan(view))
			case "review":
				return "in " + inWords(Plan(view).Next.Sub(noon)) + "\n"
			case "welcome":
				return tellChanges(Welcome(view))
			default:
				d.Fatalf(t, "no such word: %s", d.Cmd)
				return ""
			}
		})
	})
}

// tellRound tells what a round wants.
func tellRound(round Round) string {
	changes := slices.Concat(round.Changes, round.Pauses)
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Monitor, b.Monitor) })
	var story strings.Builder
	story.WriteString(tellChanges(changes))
	for _, v := range round.Violations {
		since := "now"
		if v.Since.Before(noon) {
			since = inWords(noon.Sub(v.Since)) + " ago"
		}
		fmt.Fprintf(&story, "%d breaks %s since %s\n", v.Monitor, v.Violation, since)
	}
	for _, id := range round.Checked {
		fmt.Fprintf(&story, "%d checked\n", id)
	}
	return story.String()
}

func tellChanges(changes []Change) string {
	if len(changes) == 0 {
		return "no change\n"
	}
	var story strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&story, "%d %s → %s: %s\n", c.Monitor, cmp.Or(c.From, "none"), c.To, c.Reason)
	}
	return story.String()
}

func tellStatuses(round Round) string {
	var story strings.Builder
	for _, s := range round.Statuses {
		fmt.Fprintf(&story, "%d %s", s.Monitor, s.Status)
		if s.Violation != "" {
			fmt.Fprintf(&story, " violation=%s/%s", s.Violation, noon.Sub(s.ViolationSince))
		}
		if !s.LastCheck.IsZero() {
			fmt.Fprintf(&story, " checked=%s", noon.Sub(s.LastCheck))
		}
		if s.PauseReason != "" {
			fmt.Fprintf(&story, " reason=%s", s.PauseReason)
		}
		story.WriteString("\n")
	}
	return story.String()
}

func tellStandings(round Round) string {
	var story strings.Builder
	for _, s := range round.Standings {
		fmt.Fprintf(&story, "%d %s: %s\n", s.Monitor, s.Verdict, s.Why)
	}
	return story.String()
}

// viewIn reads the lines of a scenario.
func viewIn(t *testing.T, text string) View {
	t.Helper()
	view := View{
		Now:             noon,
		Server:          Server{Addr: netip.MustParseAddr("192.0.2.10"), Account: 1},
		TestingInterval: 45 * time.Minute,
	}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if words[0] == "server" {
			for _, word := range words[1:] {
				setServer(t, &view, word)
			}
			continue
		}
		first, last, several := strings.Cut(words[0], "-")
		if !several {
			last = first
		}
		for id := numberIn(t, first); id <= numberIn(t, last); id++ {
			view.Monitors = append(view.Monitors, monitorIn(t, id, words[1:]))
		}
	}
	return view
}

func setServer(t *testing.T, view *View, word string) {
	t.Helper()
	name, value, _ := strings.Cut(word, "=")
	switch name {
	case "addr":
		view.Server.Addr = addrIn(t, value)
	case "account":
		view.Server.Account = pool.AccountID(numberIn(t, value))
	case "interval":
		view.TestingInterval = durationIn(t, value)
	default:
		t.Fatalf("a server has no %q", word)
	}
}

// ordinary is a monitor with nothing special about it.
func ordinary(id int) Monitor {
	return Monitor{
		ID:       pool.MonitorID(id),
		Global:   pool.GlobalActive,
		Account:  pool.AccountID(1000 + id),
		Limit:    DefaultLimit,
		Addr:     netip.AddrFrom4([4]byte{10, byte(id), 0, 1}),
		LastSeen: noon,
		Figures:  Figures{Count: 100, Timed: 100, RTT: 50, Step: 1},
	}
}

// monitorIn reads the words after a monitor's id.
func monitorIn(t *testing.T, id int, words []string) Monitor {
	t.Helper()
	m := ordinary(id)
	timed := -1
	for i, word := range words {
		name, value, pair := strings.Cut(word, "=")
		if i == 0 && !pair {
			if name != "none" {
				m.Status = pool.Status(name)
			}
			continue
		}
		if name == "timed" {
			timed = numberIn(t, value)
			continue
		}
		setMonitor(t, &m, name, value)
	}
	m.Figures.Timed = m.Figures.Count
	if timed >= 0 {
		m.Figures.Timed = timed
	}
	return m
}

func setMonitor(t *testing.T, m *Monitor, name, value string) {
	t.Helper()
	switch name {
	case "global":
		m.Global = pool.GlobalStatus(value)
	case "account":
		m.Account = pool.AccountID(numberIn(t, value))
	case "limit":
		m.Limit = numberIn(t, value)
	case "addr":
		m.Addr = addrIn(t, value)
	case "count":
		m.Figures.Count = numberIn(t, value)
	case "rtt":
		m.Figures.RTT = floatIn(t, value)
	case "step":
		m.Figures.Step = floatIn(t, value)
	case "seen":
		m.LastSeen = agoIn(t, value)
	case "checked":
		m.LastCheck = agoIn(t, value)
	case "reason":
		m.PauseReason = value
	case "violation":
		violation, since, _ := strings.Cut(value, "/")
		m.Violation, m.ViolationSince = Violation(violation), agoIn(t, since)
	default:
		t.Fatalf("a monitor has no %q", name)
	}
}

// agoIn reads a time ago, or "never".
func agoIn(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "never" {
		return time.Time{}
	}
	return noon.Add(-durationIn(t, text))
}

func addrIn(t *testing.T, text string) netip.Addr {
	t.Helper()
	if text == "none" {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func durationIn(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func numberIn(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func floatIn(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

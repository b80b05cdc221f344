package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"truechimer/pool"
	"truechimer/pool/selection"
)

// roundReport tells rounds as they come.
type roundReport interface {
	round(image pool.ServerImage, view selection.View, round selection.Round) error
	end(dryRun bool) error
}

// roundLines tells each as a line of JSON.
type roundLines struct{ con console }

type roundJSON struct {
	Server     uint32          `json:"server"`
	IP         string          `json:"ip"`
	Changes    []changeJSON    `json:"changes"`
	Violations []violationJSON `json:"violations"`
	Paused     []uint32        `json:"paused"`
}

type changeJSON struct {
	Monitor uint32 `json:"monitor"`
	From    string `json:"from"`
	To      string `json:"to"`
	Reason  string `json:"reason"`
}

type violationJSON struct {
	Monitor uint32 `json:"monitor"`
	Type    string `json:"type"`
}

func (r *roundLines) round(image pool.ServerImage, _ selection.View, round selection.Round) error {
	line := roundJSON{
		Server: uint32(image.Server.ID), IP: image.Server.Addr.Addr().String(),
		Changes: []changeJSON{}, Violations: []violationJSON{}, Paused: []uint32{},
	}
	for _, c := range round.Changes {
		line.Changes = append(line.Changes, changeJSON{uint32(c.Monitor), string(c.From), string(c.To), c.Reason})
	}
	for _, v := range round.Violations {
		line.Violations = append(line.Violations, violationJSON{uint32(v.Monitor), string(v.Violation)})
	}
	for _, c := range round.Pauses {
		line.Paused = append(line.Paused, uint32(c.Monitor))
	}
	return json.NewEncoder(r.con.stdout).Encode(line)
}

func (r *roundLines) end(bool) error { return nil }

// roundTables explains each, monitor by monitor.
type roundTables struct {
	con   console
	known *directory
}

func (r *roundTables) round(image pool.ServerImage, view selection.View, round selection.Round) error {
	fmt.Fprintf(r.con.stdout, "%s: %s\n", serverName(image.Server), headcounts(view))
	table := newTable(r.con.stdout)
	fmt.Fprintln(table, "MONITOR\tIS\tHELD TO BE\tSAMPLES\tPRIORITY\tMEAN STEP\tBECOMES")
	changes := slices.Concat(round.Changes, round.Pauses)
	for i, standing := range round.Standings {
		m := monitorIn(view, standing.Monitor)
		becomes := "-"
		if at := slices.IndexFunc(changes, func(c selection.Change) bool { return c.Monitor == m.ID }); at >= 0 {
			becomes = withReason(string(changes[at].To), changes[at].Reason)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.known.name(m.ID), orDash(string(m.Status)),
			withReason(string(standing.Verdict), round.Standings[i].Why), figuresText(m.Figures), becomes)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(r.con.stdout, "%s; next review at %s UTC\n", countsText(round), timeText(round.Next))
	return err
}

func (r *roundTables) end(dryRun bool) error {
	if dryRun {
		fmt.Fprintln(r.con.stdout, "nothing was written: --dry-run")
	}
	return nil
}

// roundDigest tells the changes of many.
type roundDigest struct {
	con              console
	known            *directory
	servers, changed int
}

func (r *roundDigest) round(image pool.ServerImage, view selection.View, round selection.Round) error {
	r.servers++
	changes := slices.Concat(round.Changes, round.Pauses)
	if len(changes) == 0 {
		return nil
	}
	r.changed++
	fmt.Fprintf(r.con.stdout, "%s: %s\n", serverName(image.Server), headcounts(view))
	for _, c := range changes {
		fmt.Fprintf(r.con.stdout, "  %s %s → %s: %s\n", r.known.name(c.Monitor), c.From, c.To, c.Reason)
	}
	return nil
}

func (r *roundDigest) end(dryRun bool) error {
	words := "changed"
	if dryRun {
		words = "would change; nothing was written: --dry-run"
	}
	_, err := fmt.Fprintf(r.con.stdout, "%s, %d %s\n", plural(r.servers, "server", "servers"), r.changed, words)
	return err
}

// serverName is a server as people know it.
func serverName(s pool.Server) string { return withReason(s.Addr.Addr().String(), s.Hostname) }

// headcounts are how many monitors a server has before the round.
func headcounts(view selection.View) string {
	counts := make(map[pool.Status]int)
	for _, m := range view.Monitors {
		counts[m.Status]++
	}
	var words []string
	for _, status := range []pool.Status{pool.Active, pool.Testing, pool.Candidate, pool.Paused} {
		words = append(words, fmt.Sprintf("%d %s", counts[status], status))
	}
	return strings.Join(words, ", ")
}

// countsText says how much a round changes.
func countsText(round selection.Round) string {
	text := plural(len(round.Changes), "change", "changes")
	if n := len(round.Pauses); n > 0 {
		text += fmt.Sprintf(", %d paused", n)
	}
	return text
}

// figuresText is what is known of a monitor, as three cells of a table.
func figuresText(f selection.Figures) string {
	priority, step := "-", "-"
	if value, known := f.Priority(); known {
		priority = fmt.Sprintf("%.0f", value)
	}
	if f.Count > 0 {
		step = fmt.Sprintf("%+.3f", f.Step)
	}
	return fmt.Sprintf("%d\t%s\t%s", f.Count, priority, step)
}

// monitorIn finds a monitor that is in the view.
func monitorIn(view selection.View, id pool.MonitorID) selection.Monitor {
	return view.Monitors[slices.IndexFunc(view.Monitors, func(m selection.Monitor) bool { return m.ID == id })]
}

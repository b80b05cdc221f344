package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"truechimer/agentnode/ntp"
	"truechimer/pool"
	"truechimer/pool/schedule"
	"truechimer/pool/scoring"
)

// checksAtOnce bounds how many servers are probed at a time: all of a usual list, and no more sockets than any system has.
const checksAtOnce = 64

func checkCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer check")
	check := check{
		con:          con,
		samples:      fs.Int("samples", schedule.DefaultQueries, fmt.Sprintf("`number` of queries, 1 to %d, %.0f s apart", schedule.MaxQueries, schedule.QueryGap.Seconds())),
		asJSON:       jsonFlag(fs),
		allowPrivate: allowPrivateFlag(fs),
	}
	return &ffcli.Command{
		Name:       "check",
		ShortUsage: "truechimer check [flags] SERVER ...",
		ShortHelp:  "probe servers once from here, without a hub, and say what that is worth",
		LongHelp:   serverHelp + "\nThe exit code is 1 if a probe of any server is worth less than 0 points.",
		FlagSet:    fs,
		Exec:       check.run,
	}
}

// check probes servers once.
type check struct {
	con                  console
	samples              *int
	asJSON, allowPrivate *bool
}

// run probes all servers at the same time, and prints them in their order.
func (c check) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usagef("truechimer check takes at least one SERVER")
	}
	if *c.samples < 1 || *c.samples > schedule.MaxQueries {
		return usagef("--samples %d is not between 1 and %d", *c.samples, schedule.MaxQueries)
	}
	servers, err := resolveServers(ctx, args, *c.allowPrivate)
	if err != nil {
		return err
	}
	bad := 0
	for i, probed := range probeAll(ctx, servers, *c.samples) {
		sample, answered := <-probed
		if !answered {
			return ctx.Err()
		}
		step := scoring.StepOf(sample)
		if step.Value < 0 {
			bad++
		}
		if err := c.print(servers[i], sample, step); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %s failed", bad, plural(len(servers), "server", "servers"))
	}
	return nil
}

// probeAll probes each server on a goroutine of its own. Each answers once, or closes when the context has ended.
func probeAll(ctx context.Context, servers []pool.Server, samples int) []<-chan pool.Sample {
	client := ntp.New(ntp.Options{})
	places := make(chan struct{}, checksAtOnce)
	all := make([]<-chan pool.Sample, len(servers))
	for i, s := range servers {
		probed := make(chan pool.Sample, 1)
		all[i] = probed
		go func() {
			defer close(probed)
			places <- struct{}{}
			defer func() { <-places }()
			if sample, err := probeOnce(ctx, client, s.Addr, samples); err == nil {
				probed <- sample
			}
		}()
	}
	return all
}

// probeOnce runs the burst of one probe, with the same rules as an agent's.
func probeOnce(ctx context.Context, client *ntp.Client, server netip.AddrPort, samples int) (pool.Sample, error) {
	burst := schedule.NewBurst(samples)
	for {
		sent := time.Now()
		if burst.Record(client.Query(ctx, server, netip.Addr{})) {
			return burst.Best(), ctx.Err()
		}
		select {
		case <-time.After(schedule.Pause(time.Since(sent))):
		case <-ctx.Done():
			return pool.Sample{}, ctx.Err()
		}
	}
}

// checkJSON is a checked server as --json prints it. What wasn't measured is null.
type checkJSON struct {
	Server           string    `json:"server"`
	Hostname         string    `json:"hostname"`
	At               time.Time `json:"ts"`
	OffsetMS         *float64  `json:"offset_ms"`
	RTTMS            *float64  `json:"rtt_ms"`
	Stratum          *uint8    `json:"stratum"`
	Leap             *uint8    `json:"leap"`
	RootDistanceMS   *float64  `json:"root_distance_ms"`
	NoReply          bool      `json:"no_reply"`
	Kiss             string    `json:"kiss"`
	Error            string    `json:"error"`
	Warning          string    `json:"warning"`
	KernelTimestamps bool      `json:"kernel_timestamps"`
	Step             float64   `json:"step"`
	Verdict          string    `json:"verdict"`
}

func (c check) print(server pool.Server, sample pool.Sample, step scoring.Step) error {
	if *c.asJSON {
		return json.NewEncoder(c.con.stdout).Encode(newCheckJSON(server, sample, step))
	}
	_, err := fmt.Fprintf(c.con.stdout, "%s: %s\n", withReason(server.Addr.String(), server.Hostname), checkText(sample, step))
	return err
}

func newCheckJSON(server pool.Server, s pool.Sample, step scoring.Step) checkJSON {
	line := checkJSON{
		Server: server.Addr.String(), Hostname: server.Hostname, At: s.At,
		OffsetMS: milliseconds(s.Offset), RTTMS: milliseconds(s.RTT),
		NoReply: s.NoReply, Kiss: string(s.Kiss), Error: s.Error, Warning: s.Warning,
		KernelTimestamps: s.KernelTimestamps, Step: step.Value, Verdict: step.Rule.String(),
	}
	if !s.NoReply && s.Error == "" {
		leap := uint8(s.Leap)
		line.Stratum, line.Leap = &s.Stratum, &leap
	}
	if s.Valid() {
		distance := s.RootDistance()
		line.RootDistanceMS = milliseconds(&distance)
	}
	return line
}

// checkText says in a line what a probe measured, what that is worth, and why.
func checkText(s pool.Sample, step scoring.Step) string {
	var measured []string
	if s.Offset != nil {
		measured = append(measured, fmt.Sprintf("offset %+.3f ms", *milliseconds(s.Offset)))
	}
	if s.RTT != nil {
		measured = append(measured, fmt.Sprintf("RTT %.3f ms", *milliseconds(s.RTT)))
	}
	if s.Valid() {
		distance := s.RootDistance()
		measured = append(measured, fmt.Sprintf("stratum %d, leap %d, root distance %.3f ms", s.Stratum, s.Leap, *milliseconds(&distance)))
	}
	why := cmp.Or(s.Error, s.Warning)
	if s.Kiss != "" && step.Rule == scoring.RuleError {
		why = "kiss code " + string(s.Kiss)
	}
	return strings.Join(append(measured, withReason("step "+step.String(), why)), ", ")
}

func milliseconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	ms := float64(*d) / float64(time.Millisecond)
	return &ms
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"truechimer/agentnode/ntp"
	"truechimer/pool"
	"truechimer/pool/schedule"
	"truechimer/pool/scoring"
)

func checkCommand(con console) *ffcli.Command {
	fs := newFlags("truechimer check")
	samples := fs.Int("samples", schedule.DefaultQueries, "`number` of queries, 1 to 8, 2 s apart")
	asJSON := fs.Bool("json", false, "one JSON object a line")
	allowPrivate := fs.Bool("allow-private", false, "probe addresses that aren't of the internet too, for tests and labs")
	return &ffcli.Command{
		Name:       "check",
		ShortUsage: "truechimer check [flags] SERVER ...",
		ShortHelp:  "probe servers once from here, without a hub, and say what that is worth",
		LongHelp:   "SERVER is a host name or an address, with :port if it isn't 123. The exit status is 1 if any server earned less than nothing.",
		FlagSet:    fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) == 0 {
				return usagef("truechimer check takes at least one SERVER")
			}
			if *samples < 1 || *samples > schedule.MaxQueries {
				return usagef("--samples %d is not between 1 and %d", *samples, schedule.MaxQueries)
			}
			servers, err := resolveServers(ctx, args, *allowPrivate)
			if err != nil {
				return err
			}
			bad := 0
			client := ntp.New(ntp.Options{})
			for _, s := range servers {
				sample, err := probeOnce(ctx, client, s.Addr, *samples)
				if err != nil {
					return quietly(ctx, err)
				}
				step := scoring.StepOf(sample)
				if step.Value < 0 {
					bad++
				}
				if err := printCheck(con, *asJSON, s, sample, step); err != nil {
					return err
				}
			}
			if bad > 0 {
				return fmt.Errorf("%s of %d isn't fit", plural(bad, "server", "servers"), len(servers))
			}
			return nil
		},
	}
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

// checkJSON is a checked server as --json prints it.
type checkJSON struct {
	Server           string    `json:"server"`
	Hostname         string    `json:"hostname"`
	At               time.Time `json:"ts"`
	OffsetMS         *float64  `json:"offset_ms"`
	RTTMS            *float64  `json:"rtt_ms"`
	Stratum          uint8     `json:"stratum"`
	Leap             uint8     `json:"leap"`
	RootDistanceMS   float64   `json:"root_distance_ms"`
	NoReply          bool      `json:"no_reply"`
	Kiss             string    `json:"kiss"`
	Error            string    `json:"error"`
	Warning          string    `json:"warning"`
	KernelTimestamps bool      `json:"kernel_timestamps"`
	Step             float64   `json:"step"`
	Verdict          string    `json:"verdict"`
}

func printCheck(con console, asJSON bool, s pool.Server, sample pool.Sample, step scoring.Step) error {
	if asJSON {
		return json.NewEncoder(con.stdout).Encode(checkJSON{
			Server: s.Addr.String(), Hostname: s.Hostname, At: sample.At,
			OffsetMS: milliseconds(sample.Offset), RTTMS: milliseconds(sample.RTT),
			Stratum: sample.Stratum, Leap: uint8(sample.Leap), RootDistanceMS: inMilliseconds(sample.RootDistance()),
			NoReply: sample.NoReply, Kiss: string(sample.Kiss), Error: sample.Error, Warning: sample.Warning,
			KernelTimestamps: sample.KernelTimestamps, Step: step.Value, Verdict: step.Rule.String(),
		})
	}
	_, err := fmt.Fprintf(con.stdout, "%s  %s  step %+.2f  %s\n", s.Addr, sampleText(sample), step.Value, step.Rule)
	return err
}

// sampleText says a sample in a line.
func sampleText(s pool.Sample) string {
	switch {
	case s.NoReply:
		return withReason("no reply", s.Warning)
	case s.Kiss != "":
		return "kiss code " + string(s.Kiss)
	case s.Error != "":
		return "error: " + s.Error
	case s.Offset == nil:
		return "it answers, but serves no time"
	}
	text := fmt.Sprintf("offset %+.3f ms, RTT %.3f ms, stratum %d, leap %d, root distance %.1f ms",
		inMilliseconds(*s.Offset), *milliseconds(s.RTT), s.Stratum, s.Leap, inMilliseconds(s.RootDistance()))
	return withReason(text, s.Warning)
}

func withReason(text, reason string) string {
	if reason == "" {
		return text
	}
	return text + " (" + reason + ")"
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func milliseconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	ms := inMilliseconds(*d)
	return &ms
}

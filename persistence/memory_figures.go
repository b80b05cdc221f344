package persistence

import (
	"context"
	"time"

	"truechimer/pool"
)

// CloseHours has nothing to do: figures are computed from the log whenever they are asked for.
func (m *Memory) CloseHours(context.Context, time.Time) error { return nil }

// imageOf is an image of a server with the figures of its pairs.
func (m *Memory) imageOf(server *keptServer, now time.Time) pool.ServerImage {
	image := copied(server.image)
	window := figuresWindow(now)
	tallies := server.tallies(window)
	for i := range image.Pairs {
		pair := &image.Pairs[i]
		if m.isScorer(pair.Monitor) {
			continue
		}
		for hour := window.from; hour.Before(window.to); hour = hour.Add(time.Hour) {
			if tally := tallies[monitorHour{pair.Monitor, hour.Unix()}]; tally != nil {
				pair.Hours = append(pair.Hours, pool.HourTally{Hour: hour, Tally: *tally})
			}
		}
	}
	return image
}

// monitorHour is an hour of what a monitor saw of a server.
type monitorHour struct {
	monitor pool.MonitorID
	hour    int64 // of its beginning, in seconds since 1970
}

// tallies adds up the server's log, hour by hour.
func (s *keptServer) tallies(window span) map[monitorHour]*pool.Tally {
	all := make(map[monitorHour]*pool.Tally)
	for _, entry := range s.log {
		if entry.At.Before(window.from) || !entry.At.Before(window.to) {
			continue
		}
		key := monitorHour{entry.Monitor, entry.At.Truncate(time.Hour).Unix()}
		tally := all[key]
		if tally == nil {
			tally = &pool.Tally{}
			all[key] = tally
		}
		var rtt *time.Duration
		if entry.Sample != nil {
			rtt = entry.Sample.RTT
		}
		tally.Add(entry.Step, rtt)
	}
	return all
}

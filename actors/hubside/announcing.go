package hubside

import (
	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
)

// What a score has watchers told.

// announce tells watchers the state of the server and which sample caused it, and what monitors said since the last time;
// or that it isn't watched any more.
func (a *score) announce(ctx actor.Context, rows []*messages.LogRow) {
	if deletion := a.server.DeletionUs; deletion != 0 && a.env.Now().UnixMicro() >= deletion {
		ctx.Send(local(ctx, announcerName), &messages.Announcement{Ip: a.server.Ip, Over: true})
		return
	}
	if len(rows) > 0 {
		a.cause = rows[len(rows)-1]
	}
	overall := a.book.Overall()
	announcement := &messages.Announcement{
		Ip: a.server.Ip, Hostname: a.server.Hostname, Rows: rows, Cause: a.cause, Overall: messages.FromOverall(overall),
	}
	for _, status := range a.statuses {
		switch status {
		case pool.Active:
			announcement.Active++
		case pool.Testing:
			announcement.Testing++
		}
	}
	ctx.Send(local(ctx, announcerName), announcement)
}

// causeOf is what is kept of the newest sample of all: the rule behind its step isn't.
func causeOf(image pool.ServerImage, isScorer func(pool.MonitorID) bool) *messages.LogRow {
	var newest *pool.Pair
	for i := range image.Pairs {
		p := &image.Pairs[i]
		if !isScorer(p.Monitor) && p.Kept.ID != 0 && (newest == nil || p.Kept.At.After(newest.Kept.At)) {
			newest = p
		}
	}
	if newest == nil {
		return nil
	}
	return messages.FromLogRow(pool.LogRow{
		Monitor: newest.Monitor, At: newest.Kept.At, Score: newest.Kept.Score, Step: newest.Kept.Step,
	})
}

// newsOf are the rows that are monitors' newest samples.
func newsOf(rows []*messages.LogRow) []*messages.LogRow {
	var news []*messages.LogRow
	for _, row := range rows {
		if row.Sample != nil && !row.Late {
			news = append(news, row)
		}
	}
	return news
}

package hubside

import (
	"github.com/asynkron/protoactor-go/actor"

	"truechimer/messages"
	"truechimer/pool"
)

// What a score has watchers told.

// announce tells watchers the state of the server, and what monitors said since the last time.
func (a *score) announce(ctx actor.Context, rows []*messages.LogRow) {
	overall := a.book.Overall()
	announcement := &messages.Announcement{
		Ip: a.server.Ip, Hostname: a.server.Hostname, Rows: rows, Overall: messages.FromOverall(overall),
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

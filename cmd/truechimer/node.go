package main

import (
	"context"
	"fmt"
	"time"

	"truechimer/hub"
)

// partWithin bounds the orderly end of hub and agent together; a service manager, or a person, waits for it. What isn't
// done by then is broken off, and nothing acknowledged is lost. The database's end follows (see detachWithin).
const partWithin = time.Second

// node is a hub with what it stands on.
type node struct {
	con     console
	started time.Time
	state   string // folder
	options hub.Options
	db      *database
}

// stages are what a command does besides, as a hub comes up.
type stages struct {
	// opened is called when all ports are ours, and before anything is loaded; nil: nothing is to be done.
	opened func(context.Context) error

	// ready is called when the hub serves. What it has begun ends before the hub does.
	ready func(context.Context, *hub.Hub) (end func(context.Context), err error)
}

// run runs the hub until the context ends or it may not go on.
func (n node) run(ctx context.Context, does stages) error {
	n.options.Store = n.db
	h, err := hub.Open(ctx, n.options)
	if err != nil {
		return untilTold(ctx, err)
	}
	end, err := n.serve(ctx, h, does)
	err = untilTold(ctx, err)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), partWithin)
	defer cancel()
	if end != nil {
		end(closing)
	}
	h.Close(closing)
	return err
}

// serve starts the hub and what a command does besides, whose end it returns if it has begun, and keeps them running.
func (n node) serve(ctx context.Context, h *hub.Hub, does stages) (end func(context.Context), err error) {
	if does.opened != nil {
		if err := does.opened(ctx); err != nil {
			return nil, err
		}
	}
	if err := h.Start(ctx); err != nil {
		return nil, err
	}
	if err := await(ctx, n, h, h.Ready()); err != nil {
		return nil, err
	}
	if err := shareLive(n.state, h); err != nil {
		return nil, err
	}
	end, err = does.ready(ctx, h)
	if err != nil {
		return end, err
	}
	return end, n.stay(ctx, h)
}

// stay keeps the hub running until its end.
func (n node) stay(ctx context.Context, h *hub.Hub) error {
	renewal := time.NewTicker(watcherLife / 3)
	defer renewal.Stop()
	for {
		if err := await(ctx, n, h, renewal.C); err != nil {
			return err
		}
		if err := shareLive(n.state, h); err != nil {
			n.options.Log.Warn().Err(err).Msg("watchers' access was not renewed")
		}
	}
}

// await waits for something, and tells what came before it: the end that somebody asked for, or one of hub or database.
func await[T any](ctx context.Context, n node, h *hub.Hub, what <-chan T) error {
	select {
	case <-what:
		return nil
	case <-h.Halted():
		return h.Err()
	case <-n.db.ended():
		return n.db.server.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sayReady prints the one line that tells that all is there, and where.
func (n node) sayReady(h *hub.Hub) {
	fmt.Fprintf(n.con.stdout, "ready in %.1f s: http http://%s, mqtt %s, database %s\n",
		time.Since(n.started).Seconds(), h.HTTPAddr(), h.MQTTURL(), n.db.where)
}

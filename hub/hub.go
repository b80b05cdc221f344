// Package hub is the hub node: it wires the actors of package hubside to the database, to the agents' links,
// to the MQTT broker and to HTTP, and runs them until it is closed.
package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"truechimer/actors/hubside"
	"truechimer/actors/port"
	"truechimer/hub/links"
	"truechimer/messages"
	"truechimer/persistence"
	"truechimer/pool"
	"truechimer/pool/placement"
)

// Options for Start.
type Options struct {
	ID         string // of the hub, among the hubs of one database
	Version    string // of the program
	Deployment string // devel, test or prod: the first part of all topics
	Store      persistence.Store
	Runtime    port.Runtime
	Log        zerolog.Logger

	AgentListen string // host:port for agents' links
	HTTPListen  string // host:port
	MQTTListen  string // host:port of the broker of its own; ignored where MQTTURL is set
	MQTTURL     string // of an outside broker
}

// Hub is a hub: Open takes its ports, Start has it serve, Close ends it.
type Hub struct {
	options Options
	secrets secrets
	metrics *metrics
	system  *actor.ActorSystem
	root    *actor.PID
	store   *store
	links   *links.Links
	live    *liveSide
	web     *web

	serving sync.WaitGroup // the servers and the housekeeping
	ready   chan struct{}

	halting sync.Once
	halted  chan struct{}
	reason  error // why it halted; to be read after halted
}

// Open opens the hub's ports and takes its secrets from the store. Nobody is answered yet but by the MQTT broker, so
// that whoever opened it may still change what is stored. An error says what is in the way, and leaves nothing running.
func Open(ctx context.Context, options Options) (_ *Hub, err error) {
	h := &Hub{
		options: options,
		metrics: newMetrics(),
		system:  port.NewSystem(messages.HubAddress, options.Log),
		store:   newStore(options.Store, options.ID),
		ready:   make(chan struct{}),
		halted:  make(chan struct{}),
	}
	defer func() {
		if err != nil {
			h.Close(ctx)
		}
	}()
	if h.secrets, err = loadSecrets(ctx, options.Store, options.Runtime.Now()); err != nil {
		return nil, err
	}
	if err = h.openPorts(); err != nil {
		return nil, err
	}
	return h, nil
}

// openPorts takes every address before anything is served, so that one in use leaves nothing half done.
func (h *Hub) openPorts() (err error) {
	tls, err := h.secrets.authority.ServerTLS()
	if err != nil {
		return err
	}
	h.links, err = links.Listen(links.Options{
		Address: h.options.AgentListen, TLS: tls, System: h.system, Count: h.metrics.count, Log: h.options.Log,
	})
	if err != nil {
		return err
	}
	if h.web, err = listenWeb(h.options.HTTPListen, h.routes(), h.options.Log); err != nil {
		return err
	}
	h.live, err = startLive(h.options, h.secrets.tokens, h.metrics.count, func() {
		h.system.Root.Send(hubside.Announcer(h.system), port.LiveUp{})
	})
	return err
}

// Start starts the actors, and has the ports served. After an error the hub is to be closed.
func (h *Hub) Start(ctx context.Context) error {
	if err := h.options.Store.Housekeep(ctx, h.options.Runtime.Now()); err != nil {
		return fmt.Errorf("make room for the samples to come: %w", err)
	}
	h.closeHours(ctx)
	if err := h.spawn(ctx); err != nil {
		return err
	}
	if err := h.showStatus(ctx); err != nil {
		return err
	}
	h.serving.Go(func() { h.serve(h.links.Serve) })
	h.serving.Go(func() { h.serve(h.web.serve) })
	h.serving.Go(h.housekeep)
	return nil
}

// spawn starts the actors.
func (h *Hub) spawn(ctx context.Context) error {
	since, err := h.options.Store.LatestChange(ctx)
	if err != nil {
		return fmt.Errorf("read the newest change: %w", err)
	}
	shards := make([]pool.ShardID, placement.Shards)
	for i := range shards {
		shards[i] = pool.ShardID(i)
	}
	h.root, err = hubside.Spawn(hubside.Config{
		Node:       &port.Node{System: h.system, Runtime: h.options.Runtime, Log: h.options.Log},
		Store:      h.store,
		Live:       h.live,
		Links:      h.links,
		Directory:  directory{h.system},
		Access:     h.live.access,
		Halt:       func(reason string) { h.halt(errors.New(reason)) },
		Count:      h.metrics.count,
		Keys:       h.secrets.tickets,
		Shards:     shards,
		Since:      since,
		Deployment: h.options.Deployment,
		// A root that failed starts again, and its shards serve a second time.
		Ready: sync.OnceFunc(func() { close(h.ready) }),
	})
	return err
}

// directory is that of a hub that is alone: all shards are its own. It implements port.Directory.
type directory struct{ system *actor.ActorSystem }

func (d directory) Shard(shard pool.ShardID) *actor.PID { return hubside.Shard(d.system, shard) }

// Ready is closed when all shards serve.
func (h *Hub) Ready() <-chan struct{} { return h.ready }

// Halted is closed when the hub may not go on; Err says why. Close it then.
func (h *Hub) Halted() <-chan struct{} { return h.halted }

// Err is why the hub halted; nil as long as it hasn't.
func (h *Hub) Err() error {
	select {
	case <-h.halted:
		return h.reason
	default:
		return nil
	}
}

// AgentAddr is where agents connect to.
func (h *Hub) AgentAddr() net.Addr { return h.links.Addr() }

// HTTPAddr is where the web port is.
func (h *Hub) HTTPAddr() net.Addr { return h.web.listener.Addr() }

// MQTTURL is where the broker is.
func (h *Hub) MQTTURL() string { return h.live.url }

// halt says why the hub may not go on; only the first reason counts.
func (h *Hub) halt(err error) {
	h.halting.Do(func() {
		h.reason = err
		close(h.halted)
	})
}

// serve runs one of the hub's servers; one that fails ends the hub.
func (h *Hub) serve(run func() error) {
	if err := run(); err != nil {
		h.halt(err)
	}
}

const (
	// housekeepEvery is how often room is made for the days to come: often enough that none is missed.
	housekeepEvery = time.Hour

	// closeHoursEvery is how often hours are closed: soon after their end, and soon after late samples.
	closeHoursEvery = 3 * time.Minute
)

// housekeep makes room for samples of the days to come, drops what is older than the retention, closes hours, and keeps
// the hub's status true.
func (h *Hub) housekeep() {
	house, hours, status := time.NewTicker(housekeepEvery), time.NewTicker(closeHoursEvery), time.NewTicker(statusEvery)
	defer house.Stop()
	defer hours.Stop()
	defer status.Stop()
	for {
		select {
		case <-h.store.ctx.Done():
			return
		case <-hours.C:
			h.closeHours(h.store.ctx)
		case <-status.C:
			if err := h.showStatus(h.store.ctx); err != nil && h.store.ctx.Err() == nil {
				h.options.Log.Warn().Err(err).Msg("the hub's status stays as it was said")
			}
		case <-house.C:
			err := h.options.Store.Housekeep(h.store.ctx, h.options.Runtime.Now())
			if err != nil && h.store.ctx.Err() == nil {
				h.options.Log.Warn().Err(err).Msg("old samples stay, room for new ones is for three days")
			}
		}
	}
}

// closeHours has the hours that ended added up. Without it figures are read from the log: that takes longer, no more.
func (h *Hub) closeHours(ctx context.Context) {
	err := h.options.Store.CloseHours(ctx, h.options.Runtime.Now())
	if err != nil && ctx.Err() == nil {
		h.options.Log.Warn().Err(err).Msg("hours that ended stay open")
	}
}

// Close ends the hub, whether it was started or not: agents are let go, the actors stop, what the store was asked is
// done, watchers hear the last of it. When the context ends first, what is left is broken off, and whoever waited for
// an acknowledgement sends again. In no case is the store used any more when Close returns.
func (h *Hub) Close(ctx context.Context) {
	if h.links != nil {
		h.links.Close(ctx)
	}
	if h.root != nil {
		within(ctx, func() { h.system.Root.StopFuture(h.root).Wait() })
	}
	h.store.close(ctx)
	if h.live != nil {
		h.live.close(ctx)
	}
	if h.web != nil {
		h.web.close(ctx)
	}
	within(ctx, h.serving.Wait)
}

// within waits for something at most until the context ends.
func within(ctx context.Context, wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

package hub

import (
	"context"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"truechimer/actors/port"
)

// counted is one of the things that a hub counts.
type counted struct {
	what    string // its name in port
	meaning string // what Prometheus tells of it
	kinds   bool   // it comes in kinds
}

// allCounted are all that there are; a test holds them to the names in port.
func allCounted() []counted {
	return []counted{
		{port.CountStored, "Samples that are on disk and were acknowledged.", false},
		{port.CountRefused, "Samples that don't count, by the reason.", true},
		{port.CountLater, "Samples that were not decided upon: their agent sends them again.", false},
		{port.CountCommits, "What became of commits: kept, fenced by another hub, refused by the database, or failed and tried again.", true},
		{port.CountUnpublished, "Live messages that the publisher to the MQTT broker didn't take.", false},
		{port.CountPulses, "What agents say of their monitors' clocks, twice a minute: fit to judge others, or not.", true},
		{port.CountLinks, "What became of agents' links and of messages over them.", true},
	}
}

// metrics counts what the hub does, for Prometheus to read.
type metrics struct {
	handler  http.Handler
	counters map[string]metric.Int64Counter
}

// newMetrics has a registry of its own: nothing of another library's shows among the hub's figures.
// What can go wrong here is a name that isn't one of a metric, a programmer's error.
func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		panic(fmt.Errorf("make the metrics: %w", err))
	}
	meter := sdk.NewMeterProvider(sdk.WithReader(reader)).Meter("truechimer")
	m := &metrics{
		handler:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		counters: make(map[string]metric.Int64Counter),
	}
	for _, c := range allCounted() {
		counter, err := meter.Int64Counter("truechimer_"+c.what, metric.WithDescription(c.meaning))
		if err != nil {
			panic(fmt.Errorf("make the metric %s: %w", c.what, err))
		}
		m.counters[c.what] = counter
		if !c.kinds {
			m.count(c.what, "", 0) // what begins at 0 has its first increase seen
		}
	}
	return m
}

// count is a port.Count: the counter truechimer_<what>_total, with the kind as a label where there are kinds.
func (m *metrics) count(what, kind string, n int) {
	counter, known := m.counters[what]
	if !known {
		panic(fmt.Errorf("%q is nothing that a hub counts", what)) // a programmer's error
	}
	if kind == "" {
		counter.Add(context.Background(), int64(n))
		return
	}
	counter.Add(context.Background(), int64(n), metric.WithAttributes(attribute.String("kind", kind)))
}

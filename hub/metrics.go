package hub

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// metrics counts what the hub does, for Prometheus to read.
type metrics struct {
	provider *sdk.MeterProvider
	meter    metric.Meter
	handler  http.Handler

	mu       sync.Mutex
	counters map[string]metric.Int64Counter
}

// newMetrics has a registry of its own: nothing of another library's shows among the hub's figures.
func newMetrics() (*metrics, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("make the metrics: %w", err)
	}
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	return &metrics{
		provider: provider,
		meter:    provider.Meter("truechimer"),
		handler:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		counters: make(map[string]metric.Int64Counter),
	}, nil
}

// count is a port.Count: the counter truechimer_<what>_total, with the kind as a label where there are kinds.
func (m *metrics) count(what, kind string, n int) {
	if n == 0 {
		return
	}
	counter, err := m.counter(what)
	if err != nil {
		return // the name isn't one of a metric: a programmer's error, which the test of all names finds
	}
	if kind == "" {
		counter.Add(context.Background(), int64(n))
		return
	}
	counter.Add(context.Background(), int64(n), metric.WithAttributes(attribute.String("kind", kind)))
}

func (m *metrics) counter(what string) (metric.Int64Counter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if counter, there := m.counters[what]; there {
		return counter, nil
	}
	counter, err := m.meter.Int64Counter("truechimer_" + what)
	if err == nil {
		m.counters[what] = counter
	}
	return counter, err
}

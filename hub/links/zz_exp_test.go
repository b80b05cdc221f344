package links

import (
	"crypto/tls"
	"net"
	"os"
	"runtime/pprof"
	"runtime"
	"testing"
	"time"

	"truechimer/actors/port"
)

func mem() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestZZMemory(t *testing.T) {
	h := open(t, plan{limits: func(l *limits) { l.guests = 10000; l.handshake = time.Hour; l.ofOne = 1 << 20 }})
	before := mem()
	const n = 500
	for range n {
		c, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	waitFor(t, "guests", func() bool { return h.guests() == n })
	t.Logf("guest that says nothing: %d B (both ends of tcp)", (mem()-before)/n)
	before = mem()
	cfg := h.identity("fra1")
	cfg.NextProtos = []string{"h2"}
	raw := 0
	for range n {
		c, err := tls.Dial("tcp", h.Addr().String(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		raw++
	}
	waitFor(t, "conns", func() bool { return h.connections("fra1") == n })
	t.Logf("certified without http2: %d B (both tls ends)", (mem()-before)/n)
	before = mem()
	for i := range n {
		_ = i
		h.join("fra2")
		wantGateway[port.LinkOpened](h)
	}
	f, _ := os.Create("/tmp/exp/heap")
	pprof.WriteHeapProfile(f)
	f.Close()
	t.Logf("link: %d B (both ends and sessions, goroutines %d)", (mem()-before)/n, runtime.NumGoroutine())
}

func TestZZKeepalive(t *testing.T) {
	h := open(t, plan{})
	a := h.join("fra1")
	select {
	case <-time.After(75 * time.Second):
	case m := <-a.inbox:
		t.Fatal(m, a.ended)
	}
	a.hello()
	<-h.heard
}

package hub

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// namesInPort are the counts that package port names.
func namesInPort(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../actors/port/counts.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		if !is || !strings.HasPrefix(spec.Names[0].Name, "Count") {
			return true
		}
		name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		return true
	})
	if len(names) == 0 {
		t.Fatal("package port names no counts: where are they?")
	}
	return names
}

// scrape is what Prometheus reads.
func scrape(m *metrics) string {
	recorder := httptest.NewRecorder()
	m.handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return recorder.Body.String()
}

// Whatever actors count is a metric, and no metric is left over that nobody counts.
func TestEveryCountIsAMetric(t *testing.T) {
	var metrics []string
	for _, c := range allCounted() {
		metrics = append(metrics, c.what)
	}
	want := namesInPort(t)
	slices.Sort(want)
	slices.Sort(metrics)
	if diff := cmp.Diff(want, metrics); diff != "" {
		t.Errorf("counts in port and metrics (-port +metrics):\n%s", diff)
	}
}

// Prometheus reads each count as a counter with its meaning, by kinds where there are kinds.
func TestACountIsReadWithItsMeaning(t *testing.T) {
	for _, c := range allCounted() {
		t.Run(c.what, func(t *testing.T) {
			m := newMetrics()
			kind, series := "", "truechimer_"+c.what+"_total"
			sample := series + " 3\n"
			if c.kinds {
				kind, sample = "some kind", series+`{kind="some kind"} 3`+"\n"
			}
			m.count(c.what, kind, 1)
			m.count(c.what, kind, 2)
			text := scrape(m)
			for _, want := range []string{"# HELP " + series + " " + c.meaning + "\n", "# TYPE " + series + " counter\n", sample} {
				if !strings.Contains(text, want) {
					t.Errorf("want %q in\n%s", want, text)
				}
			}
			if len(c.meaning) < len("Samples.") || !strings.HasSuffix(c.meaning, ".") {
				t.Errorf("%q is no sentence", c.meaning)
			}
		})
	}
}

// What comes in no kinds is there from the start, so that Prometheus sees the first increase; and nothing else shows.
func TestCountsBeginAtZero(t *testing.T) {
	text := scrape(newMetrics())
	for _, c := range allCounted() {
		if want := "truechimer_" + c.what + "_total 0\n"; !c.kinds && !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "truechimer_") {
			t.Errorf("a figure that isn't the hub's: %s", line)
		}
	}
}

// To count what isn't a count is a programmer's error.
func TestAnUnknownCountPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("want a panic")
		}
	}()
	newMetrics().count("sheep", "", 1)
}

package scoring

import (
	"testing"
	"time"

	"truechimer/pool"
)

// A scorer's row is kept when it says something new; both bounds of both rules belong to "nothing new".
func TestNovel(t *testing.T) {
	const m = time.Minute
	for _, row := range []struct {
		name        string
		last, value float64
		age         time.Duration
		want        bool
	}{
		{"equal, at once", 10, 10, 1, false},
		{"equal, at 15 min", 10, 10, 15 * m, false},
		{"equal, past 15 min", 10, 10, 15*m + 1, true},
		{"equal but for rounding, at 15 min", 10, 10 + 5e-13, 15 * m, false},
		{"hardly more, past 5 min", 10, 10 + 5e-12, 5*m + 1, true},
		{"within 5 %, at 5 min", 10, 10.5, 5 * m, false},
		{"within 5 % below, at 5 min", 10, 9.5, 5 * m, false},
		{"within 5 %, past 5 min", 10, 10.5, 5*m + 1, true},
		{"over 5 %, at once", 10, 10.6, 1, true},
		{"over 5 % below, at once", 10, 9.4, 1, true},
		{"within 5 % of a negative one", -20, -20.9, 5 * m, false},
		{"over 5 % of a negative one", -20, -21.1, 1, true},
		{"from zero", 0, 1e-9, 1, true},
		{"zero again", 0, 0, 5 * m, false},
		{"at the same instant", 10, 20, 0, false},
		{"older", 10, 20, -1, false},
		{"much older", 10, 20, -24 * time.Hour, false},
	} {
		last := pool.Kept{ID: 1, At: at(0), Score: row.last}
		if have := Novel(last, row.value, at(row.age)); have != row.want {
			t.Errorf("%s: want %v, have %v", row.name, row.want, have)
		}
	}
	if !Novel(pool.Kept{}, 0, at(0)) {
		t.Error("the first value must be kept")
	}
}

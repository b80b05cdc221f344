package selection

import "testing"

// The limit is what an account's flags say, and 2 where they don't say anything that could be one.
func TestLimitOf(t *testing.T) {
	tests := []struct {
		name, flags string
		want        int
		wantError   bool
	}{
		{"set", `{"monitors_per_server_limit": 3}`, 3, false},
		{"set among others", `{"monitor_limit": 9, "monitors_per_server_limit": 1, "monitor_enabled": true}`, 1, false},
		{"large", `{"monitors_per_server_limit": 9223372036854775807}`, 9223372036854775807, false},
		{"no flags", ``, 2, false},
		{"no such flag", `{}`, 2, false},
		{"null", `{"monitors_per_server_limit": null}`, 2, false},
		{"nothing at all", `null`, 2, false},
		{"zero", `{"monitors_per_server_limit": 0}`, 2, true},
		{"negative", `{"monitors_per_server_limit": -1}`, 2, true},
		{"no whole number", `{"monitors_per_server_limit": 2.5}`, 2, true},
		{"too large", `{"monitors_per_server_limit": 9223372036854775808}`, 2, true},
		{"a word", `{"monitors_per_server_limit": "3"}`, 2, true},
		{"no object", `[3]`, 2, true},
		{"cut off", `{"monitors_per_server_limit": 3`, 2, true},
		{"not JSON", `monitors_per_server_limit=3`, 2, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have, err := LimitOf(tt.flags)
			if have != tt.want || (err != nil) != tt.wantError {
				t.Errorf("want %d, error %t; have %d, %v", tt.want, tt.wantError, have, err)
			}
		})
	}
}

// Whatever an account's flags are, the limit is at least 1, and 2 where there is an error.
func FuzzLimitOf(f *testing.F) {
	for _, flags := range []string{"", "{}", "null", `{"monitors_per_server_limit": 3}`, `{"monitors_per_server_limit": 1e3}`, "[", "\x00"} {
		f.Add(flags)
	}
	f.Fuzz(func(t *testing.T, flags string) {
		limit, err := LimitOf(flags)
		if limit < 1 || err != nil && limit != DefaultLimit {
			t.Errorf("%q: %d, %v", flags, limit, err)
		}
	})
}

// A limit as large as a number can be stops nobody and overflows nowhere.
func TestTheLargestLimitStopsNobody(t *testing.T) {
	view := View{Now: noon}
	for id := 1; id <= 9; id++ {
		m := ordinary(id)
		m.Account, m.Limit, m.Status = 7, 1<<63-1, "testing"
		view.Monitors = append(view.Monitors, m)
	}
	round := Plan(view)
	if len(round.Violations) > 0 || len(round.Changes) != emergencyBudget {
		t.Errorf("want four promotions and no violation, have %+v", round)
	}
}

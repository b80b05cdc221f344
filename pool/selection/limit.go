package selection

import (
	"encoding/json"
	"fmt"
)

// DefaultLimit is how many of an account's monitors may be active for one server unless its flags say else:
// with two of seven nobody can move the median.
const DefaultLimit = 2

// LimitOf reads how many monitors of an account may be active for one server from the account's flags, JSON as stored.
// It is DefaultLimit where the flags don't say. It is so, too, when the error tells that they can't be read or
// aren't positive; so the limit is usable in any case.
func LimitOf(flags string) (limit int, err error) {
	if flags == "" {
		return DefaultLimit, nil
	}
	var read struct {
		Limit *int `json:"monitors_per_server_limit"`
	}
	if err := json.Unmarshal([]byte(flags), &read); err != nil {
		return DefaultLimit, fmt.Errorf("read flags %q: %w; a limit of %d holds", flags, err, DefaultLimit)
	}
	if read.Limit == nil {
		return DefaultLimit, nil
	}
	if *read.Limit < 1 {
		return DefaultLimit, fmt.Errorf("monitors_per_server_limit is %d, not positive; %d holds", *read.Limit, DefaultLimit)
	}
	return *read.Limit, nil
}

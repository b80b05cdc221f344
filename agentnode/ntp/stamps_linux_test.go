package ntp

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// On Linux both timestamps are the kernel's.
func TestLinuxStampsBothWays(t *testing.T) {
	sample := New(Options{}).Query(t.Context(), listen(t, serveTime), netip.Addr{})
	if !sample.KernelTimestamps {
		t.Errorf("timestamps come from user space: %+v", sample)
	}
}

// The kernel's timestamps are read on machines of both word sizes; a zero one is none.
func TestTimespecsAreAsWideAsAWord(t *testing.T) {
	want := time.Unix(1_772_366_400, 123_456_789)
	wide := make([]byte, 48)
	binary.NativeEndian.PutUint64(wide, uint64(want.Unix()))
	binary.NativeEndian.PutUint64(wide[8:], uint64(want.Nanosecond()))
	narrow := make([]byte, 24)
	binary.NativeEndian.PutUint32(narrow, uint32(want.Unix()))
	binary.NativeEndian.PutUint32(narrow[4:], uint32(want.Nanosecond()))
	rows := []struct {
		name      string
		timespecs []byte
		want      time.Time
	}{
		{"64 bits", wide, want},
		{"32 bits", narrow, want},
		{"none", make([]byte, 48), time.Time{}},
		{"of a size that isn't known", wide[:40], time.Time{}},
		{"empty", nil, time.Time{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if have := firstOfThree(row.timespecs); !have.Equal(row.want) {
				t.Errorf("have %s, want %s", have, row.want)
			}
		})
	}
}

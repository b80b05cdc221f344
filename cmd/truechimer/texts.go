package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"time"
)

// withReason is a text with what explains it.
func withReason(text, reason string) string {
	switch {
	case reason == "":
		return text
	case text == "":
		return "(" + reason + ")"
	}
	return text + " (" + reason + ")"
}

// addressText is an address, or a dash where it isn't known.
func addressText(addr netip.Addr) string {
	if !addr.IsValid() {
		return "-"
	}
	return addr.String()
}

// addressJSON is nil where the address isn't known.
func addressJSON(addr netip.Addr) *string {
	if !addr.IsValid() {
		return nil
	}
	text := addr.String()
	return &text
}

// timeText is a time in UTC to the second, or a dash for never.
func timeText(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}

// timeJSON is nil for never.
func timeJSON(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// plural is a count with its word.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// who is the person who runs the command, for the audit trail.
func who() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// orDash is a text, or a dash where there is none.
func orDash(text string) string { return cmp.Or(text, "-") }

package world

import (
	"fmt"
	"runtime"
	"strings"
)

// checkGoroutine panics when a message is sent from outside the world's goroutine, where that is checked.
func (w *World) checkGoroutine(path string) {
	if w.running && w.config.OneGoroutine && goroutine() != w.goroutine {
		panic(fmt.Sprintf("world: a message to %s was sent from outside the world's goroutine", path))
	}
}

// goroutine names the goroutine that calls it: the first words of its stack are "goroutine 17 ".
func goroutine() string {
	var stack [32]byte
	text := string(stack[:runtime.Stack(stack[:], false)])
	name, _, _ := strings.Cut(text, "[")
	return name
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// console is where a command writes: results to stdout, everything else to stderr.
type console struct {
	stdout *outlet
	stderr io.Writer
}

func newConsole(stdout, stderr io.Writer) console {
	return console{stdout: &outlet{to: stdout}, stderr: stderr}
}

// outlet is a stdout that remembers whether it took everything, so that no command has to look after each line.
type outlet struct {
	mu     sync.Mutex
	to     io.Writer
	broken error // why the first write failed that did; nothing is written after it
}

func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		return 0, o.broken
	}
	n, err := o.to.Write(p)
	o.broken = err
	return n, err
}

// failure is why the first write failed that did.
func (o *outlet) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.broken
}

// lost tells that results were lost. It is no error when their reader has seen enough, as `head` has.
func (o *outlet) lost() error {
	err := o.failure()
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return fmt.Errorf("write the results: %w", err)
}

// isTerminal tells whether what is written there is read by a person.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}

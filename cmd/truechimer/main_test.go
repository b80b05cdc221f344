package main

import (
	"context"
	"errors"
	"testing"
)

// Whatever the end of a service breaks off is no failure once it was asked for; before that everything is.
func TestAnEndThatWasAskedForIsNoFailure(t *testing.T) {
	broken := errors.New("invalid connection")
	ctx, tell := context.WithCancel(t.Context())
	if err := untilTold(ctx, broken); !errors.Is(err, broken) {
		t.Errorf("it was told nothing, and %v is why it failed", err)
	}
	if err := untilTold(ctx, context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("it was told nothing, and %v is why it failed", err)
	}
	tell()
	for _, err := range []error{broken, context.Canceled, nil} {
		if err := untilTold(ctx, err); err != nil {
			t.Errorf("it was told to end, and complains: %v", err)
		}
	}
}

package privatedb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// An exclusive lock keeps all others out, a shared one only exclusive ones; closing gives it back.
func TestLocksExclude(t *testing.T) {
	tests := []struct {
		name          string
		first, second int
		want          error
	}{
		{"exclusive, exclusive", unix.LOCK_EX, unix.LOCK_EX, errHeld},
		{"exclusive, shared", unix.LOCK_EX, unix.LOCK_SH, errHeld},
		{"shared, exclusive", unix.LOCK_SH, unix.LOCK_EX, errHeld},
		{"shared, shared", unix.LOCK_SH, unix.LOCK_SH, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			first, err := tryLock(path, tt.first)
			if err != nil {
				t.Fatal(err)
			}
			if second, err := tryLock(path, tt.second); !errors.Is(err, tt.want) {
				t.Errorf("have %v, want %v", err, tt.want)
			} else if err == nil {
				second.Close()
			}
			first.Close()
			again, err := tryLock(path, unix.LOCK_EX)
			if err != nil {
				t.Fatalf("after the first was closed: %v", err)
			}
			again.Close()
		})
	}
}

// A wait for a lock ends with it, or with the patience, or with the caller's context: each is told from the others.
func TestWaitForALockEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := tryLock(path, unix.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := awaitLock(t.Context(), path, unix.LOCK_EX, time.Millisecond); !errors.Is(err, errPatience) {
		t.Errorf("patience: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := awaitLock(ctx, path, unix.LOCK_EX, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("context: %v", err)
	}
	released := make(chan struct{})
	go func() {
		held.Close()
		close(released)
	}()
	lock, err := awaitLock(t.Context(), path, unix.LOCK_EX, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	<-released
	lock.Close()
}

// The owner's note is read as it was written, also over a longer one of an owner before.
func TestNoteIsReadAsWritten(t *testing.T) {
	f := folder(t.TempDir())
	if have := f.readNote(); have != (note{}) {
		t.Errorf("without a file: %+v", have)
	}
	for _, want := range []note{
		{PID: 4194304, Socket: "/a/long/way/to/mysql.sock", Tenure: forTheMoment},
		{PID: 1, Socket: "/s", Tenure: forGood},
	} {
		lock, err := tryLock(f.ownerLock(), unix.LOCK_EX)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeNote(lock, want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, f.readNote()); diff != "" {
			t.Errorf("note (-want +have):\n%s", diff)
		}
		lock.Close()
	}
}

// A hub that is there to stay is named soon, with its process id or, before it has said so, without.
func TestOwnerThatStaysIsNamed(t *testing.T) {
	tests := []struct {
		name string
		note note
		want string
	}{
		{"said", note{PID: 42, Tenure: forGood}, " is in use by process 42"},
		{"not yet", note{}, " is in use by another process"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &site{Options: Options{Log: zerolog.Nop()}, folder: folder(t.TempDir())}
			lock, err := tryLock(s.ownerLock(), unix.LOCK_EX)
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Close()
			if err := writeNote(lock, tt.note); err != nil {
				t.Fatal(err)
			}
			_, err = s.own(t.Context())
			if want := "state folder " + string(s.folder) + tt.want; err == nil || err.Error() != want {
				t.Errorf("have %v, want %s", err, want)
			}
		})
	}
}

// Whatever is in the owner's file, reading it does no harm, and what is read can be written and read again.
func FuzzParseNote(f *testing.F) {
	f.Add([]byte(`{"pid":1,"socket":"/s","tenure":"for good"}`))
	f.Add([]byte(`{"pid":1,"sock`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		have := parseNote(text)
		file, err := os.Create(filepath.Join(t.TempDir(), "owner.lock"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := writeNote(file, have); err != nil {
			t.Fatal(err)
		}
		if again := folder(filepath.Dir(file.Name())).readNote(); again != have {
			t.Errorf("have %+v, again %+v", have, again)
		}
	})
}

// A new owner first takes away the socket of whatever still runs there, so that nobody attaches to an orphan.
func TestNewOwnerClosesTheWayToTheOldServer(t *testing.T) {
	f := folder(t.TempDir())
	socket, err := socketPath(f, "/tmp")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	owner, err := tryLock(f.ownerLock(), unix.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if err := (&site{folder: f, socket: socket}).announce(owner, forGood); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	want := note{PID: os.Getpid(), Socket: socket, Tenure: forGood}
	if diff := cmp.Diff(want, f.readNote()); diff != "" {
		t.Errorf("note (-want +have):\n%s", diff)
	}
}

package privatedb

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Where the choice matters the arguments follow the options: what is written through, who listens, as whom.
func TestArgumentsFollowTheOptions(t *testing.T) {
	tests := []struct {
		name     string
		opts     Options
		uid      int
		has, not []string
	}{
		{"for good", Options{BufferPool: 1 << 20}, 1000,
			[]string{"--innodb-flush-log-at-trx-commit=1", "--skip-networking", "--innodb-buffer-pool-size=1048576", "--innodb-log-file-size=134217728"},
			[]string{"--user=root", "--innodb-doublewrite=OFF"}},
		{"as root", Options{}, 0, []string{"--user=root"}, nil},
		{"volatile", Options{Volatile: true}, 1000,
			[]string{"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", "--innodb-log-file-size=16777216"},
			[]string{"--innodb-flush-log-at-trx-commit=1"}},
		{"with a port", Options{Listen: "127.0.0.1:3307"}, 1000,
			[]string{"--bind-address=127.0.0.1", "--port=3307"}, []string{"--skip-networking"}},
		{"with a port of IPv6", Options{Listen: "[::1]:3307"}, 1000,
			[]string{"--bind-address=::1", "--port=3307"}, []string{"--skip-networking"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &site{Options: tt.opts, folder: "/db", socket: "/db/mysql.sock"}
			have := s.serverArguments(tt.uid)
			for _, arg := range tt.has {
				if !slices.Contains(have, arg) {
					t.Errorf("%s is missing in %q", arg, have)
				}
			}
			for _, arg := range tt.not {
				if slices.Contains(have, arg) {
					t.Errorf("%s is there", arg)
				}
			}
		})
	}
}

// Both runs leave the machine's own settings alone, which mariadbd only does when told first,
// and each works on a datadir of its own.
func TestBothRunsKeepToTheFolder(t *testing.T) {
	s := &site{folder: "/db", socket: "/db/mysql.sock"}
	boot, serve := s.bootstrapArguments(1000), s.serverArguments(1000)
	want := []string{"--no-defaults", "--datadir=/db/datadir.new", "--tmpdir=/db/tmp"}
	if diff := cmp.Diff(want, boot[:3]); diff != "" {
		t.Errorf("bootstrap (-want +have):\n%s", diff)
	}
	want[1] = "--datadir=/db/datadir"
	if diff := cmp.Diff(want, serve[:3]); diff != "" {
		t.Errorf("server (-want +have):\n%s", diff)
	}
	if !slices.Contains(boot, "--bootstrap") || slices.Contains(serve, "--bootstrap") {
		t.Error("--bootstrap belongs to the first run alone")
	}
}

// Nobody beyond this machine is let in, for no password is asked.
func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	for listen, fits := range map[string]bool{
		"127.0.0.1:3307": true, "[::1]:3307": true, "127.0.0.1:0": false,
		"0.0.0.0:3307": false, "192.0.2.1:3307": false, ":3307": false, "localhost:3307": false, "3307": false,
	} {
		if err := checkListen(listen); (err == nil) != fits {
			t.Errorf("%s: %v, want it taken: %t", listen, err, fits)
		}
	}
}

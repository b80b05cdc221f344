package persistence

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// A server that takes connections and says nothing is given up, and it is said why; who gives up himself isn't told that.
func TestAServerThatHangsIsGivenUp(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // nobody ever accepts: the system does
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", listener.Addr().String()
	db, err := connect(config, inService())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := greet(t.Context(), db, 20*time.Millisecond); err == nil || err.Error() != "it takes connections and doesn't answer within 20ms" {
		t.Errorf("it hangs: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := greet(ctx, db, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}

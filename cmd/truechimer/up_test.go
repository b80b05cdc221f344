//go:build integration

package main_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"truechimer/persistence/privatedb/dbtest"
)

// station is where a hub and its like are started from: a state folder and ports of its own.
type station struct {
	t     *testing.T
	state string
	ports []string
	lab   []string
}

func newStation(t *testing.T) *station {
	return &station{t: t, state: filepath.Join(dbtest.TempDir(t), "state"), ports: []string{
		"--http-listen", "127.0.0.1:" + freePort(t),
		"--mqtt-listen", "127.0.0.1:" + freePort(t),
		"--agent-listen", "127.0.0.1:" + freePort(t),
	}, lab: []string{"--lab-port", freePort(t)}}
}

// upArgs are those of `up` on this station.
func (s *station) upArgs(args ...string) []string {
	return slices.Concat([]string{"up", "--state-dir", s.state}, s.ports, s.lab, args)
}

// hubArgs are those of `hub` on this station.
func (s *station) hubArgs(args ...string) []string {
	return slices.Concat([]string{"hub", "--state-dir", s.state}, s.ports, args)
}

// up starts everything, and returns when it is ready.
func (s *station) up(args ...string) *process {
	s.t.Helper()
	p := start(s.t, binary, s.upArgs(args...)...)
	p.line("ready in ")
	return p
}

// sql opens the private database, as somebody who looks inside.
func (s *station) sql() *sql.DB {
	s.t.Helper()
	db, err := sql.Open("mysql", "root@unix("+filepath.Join(s.state, "database", "mysql.sock")+")/truechimer?parseTime=true")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	return db
}

// hurry has servers probed every second with one query, as an operator would set it in a lab.
func (s *station) hurry(db *sql.DB) {
	s.t.Helper()
	settings := `{"interval_active":"1s","interval_testing":"1s","interval_candidate":"1s","interval_all":"0s","lab":true}`
	for _, statement := range []string{
		"INSERT INTO system_settings (`key`, value) VALUES ('monitors', '" + settings + "') ON DUPLICATE KEY UPDATE value = VALUES(value)",
		"INSERT INTO changes (kind, `key`, who, what) VALUES ('settings', 'monitors', 'test', '{}')",
		"UPDATE monitors SET config = JSON_SET(config, '$.samples', 1) WHERE type = 'monitor'",
		"INSERT INTO changes (kind, `key`, who, what) SELECT DISTINCT 'monitor', tls_name, 'test', '{}' FROM monitors WHERE type = 'monitor'",
	} {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			s.t.Fatal(err)
		}
	}
}

// row is what MySQL knows of the one server.
type row struct {
	score   float64
	samples int
}

func (s *station) row(db *sql.DB) (r row) {
	s.t.Helper()
	var score sql.NullFloat64
	err := db.QueryRow("SELECT score_raw FROM servers").Scan(&score)
	if err == nil {
		err = db.QueryRow("SELECT COUNT(*) FROM log_scores l JOIN monitors m ON m.id = l.monitor_id WHERE m.type = 'monitor'").Scan(&r.samples)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	r.score = score.Float64
	return r
}

// subscribe runs mosquitto_sub with the access that the hub left for this user.
func (s *station) subscribe(topic string) *process {
	s.t.Helper()
	sub := needs(s.t, "mosquitto_sub", "mosquitto-clients")
	text, err := os.ReadFile(filepath.Join(s.state, "live.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var access struct{ URL, User, Token string }
	if err := json.Unmarshal(text, &access); err != nil {
		s.t.Fatal(err)
	}
	host, port, _ := strings.Cut(strings.TrimPrefix(access.URL, "mqtt://"), ":")
	return start(s.t, sub, "-h", host, "-p", port, "-i", access.User+":test", "-u", access.User, "-P", access.Token, "-t", topic)
}

// The main job: a real chronyd is watched, its score rises, is in MySQL, and arrives over MQTT; the monitor is chosen
// for it, and that is told too; and after everything was killed without a warning, the score goes on from where it was.
func TestChronydIsWatchedThroughAKill(t *testing.T) {
	chronyd := startChronyd(t)
	s := newStation(t)
	up := s.up("--allow-private", "--reference", chronyd, chronyd)
	db := s.sql()
	await(t, "the first probe at once", func() bool { return s.row(db).samples >= 1 })
	selected := s.subscribe("/devel/servers/127.0.0.1/selection")
	s.hurry(db)
	await(t, "a rising score in MySQL", func() bool { return s.row(db).score > 4 })
	selected.line(`"from":"testing","to":"active","reason":"fills 1 of 7 free places among the active: priority `)

	sub := s.subscribe("/devel/servers/127.0.0.1/score")
	var live struct {
		Server  string
		Score   float64
		Step    float64
		Monitor string
		Active  int
	}
	if err := json.Unmarshal([]byte(sub.line(`local`)), &live); err != nil {
		t.Fatal(err)
	}
	if live.Server != "127.0.0.1" || live.Score <= 0 || live.Step != 1 || live.Monitor != "local" || live.Active != 1 {
		t.Errorf("want a good step of monitor local, have %+v", live)
	}

	up.kill()
	killed := time.Now()
	s.up("--allow-private")
	t.Logf("back %.1f s after kill -9", time.Since(killed).Seconds())
	db = s.sql()
	before := s.row(db)
	if before.score <= 4 || before.samples < 5 {
		t.Errorf("want score and samples kept, have %+v", before)
	}
	await(t, "the score going on", func() bool {
		now := s.row(db)
		return now.samples > before.samples+2 && now.score > before.score
	})
	checkFold(t, db)
}

// checkFold holds every score in the log to the fold of the samples before it.
func checkFold(t *testing.T, db *sql.DB) {
	t.Helper()
	rows, err := db.Query("SELECT l.id, l.score, l.step FROM log_scores l JOIN monitors m ON m.id = l.monitor_id WHERE m.type = 'monitor' ORDER BY l.id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	want := 0.0
	for rows.Next() {
		var id int64
		var score, step float64
		if err := rows.Scan(&id, &score, &step); err != nil {
			t.Fatal(err)
		}
		if want = 0.95*want + step; score != want {
			t.Fatalf("log row %d: want score %v, have %v", id, want, score)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// Without any server, `up` shows a lab: within 30 s good servers rise and bad ones fall, each for its own reason.
func TestTheLabShowsGoodAndBad(t *testing.T) {
	s := newStation(t)
	up := s.up()
	up.line("watching a lab of 10 NTP servers")
	watch := start(t, binary, "watch", "--state-dir", s.state)
	for _, want := range []string{
		"(offset-40ms)", "(offset-2s)", "(unsynchronised)", "(kiss-rate)", "(silent)", "(drifting)", "(lossy)", "(good-3)",
	} {
		watch.line(want)
	}
	watch.line("offset over 750 ms")
	watch.line("kiss code RATE")
	watch.line("not synchronised")
	scores := func() map[string]float64 {
		have := make(map[string]float64)
		for _, line := range strings.Split(must(t, "servers", "list", "--json", "--state-dir", filepath.Join(s.state, "lab")), "\n") {
			var server struct {
				Hostname string
				Score    *float64
			}
			if line != "" && json.Unmarshal([]byte(line), &server) == nil && server.Score != nil {
				have[server.Hostname] = *server.Score
			}
		}
		return have
	}
	await(t, "good servers above 3, bad ones below -3", func() bool {
		now := scores()
		for _, good := range []string{"good-1", "good-2", "good-3"} {
			if now[good] <= 3 {
				return false
			}
		}
		for _, bad := range []string{"offset-2s", "unsynchronised", "kiss-rate", "silent"} {
			if now[bad] >= -3 {
				return false
			}
		}
		return true
	})
	if took, code := up.stop(); took > 5*time.Second || code != 0 {
		t.Errorf("want a clean end within 5 s, have exit code %d after %s", code, took)
	}
}

// Hub and agent are two processes: the agent joins with the identity that `agents add` wrote, gets its orders,
// and goes on after the hub was started anew.
func TestHubAndAgentAreTwoProcesses(t *testing.T) {
	chronyd := startChronyd(t)
	s := newStation(t)
	hub := start(t, binary, s.hubArgs()...)
	hub.line("ready in ")
	address := strings.Fields(hub.line("agents connect to "))[3]
	identity := filepath.Join(t.TempDir(), "alpha.pem")
	must(t, "agents", "add", "alpha", "--state-dir", s.state, "--hub", address, "--reference", chronyd, "--out", identity)
	must(t, "servers", "add", "--state-dir", s.state, "--allow-private", chronyd)
	start(t, binary, "agent", "run", "--identity", identity, "--allow-private")
	db := s.sql()
	await(t, "a sample of the agent", func() bool { return s.row(db).samples >= 1 })
	status := s.subscribe("/devel/monitors/status/alpha/status")
	status.line(`"online":true`)
	if listed := must(t, "agents", "list", "--state-dir", s.state); !strings.Contains(listed, "alpha") {
		t.Errorf("want alpha listed, have %s", listed)
	}

	s.hurry(db)
	await(t, "more samples", func() bool { return s.row(db).samples >= 3 })
	hub.kill()
	hub = start(t, binary, s.hubArgs()...)
	hub.line("ready in ")
	db = s.sql()
	before := s.row(db).samples
	await(t, "the agent coming back", func() bool { return s.row(db).samples > before+2 })
	must(t, "servers", "remove", "--state-dir", s.state, "127.0.0.1")
	checkFold(t, db)
}

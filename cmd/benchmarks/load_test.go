//go:build load

package benchmarks

import (
	"testing"

	"truechimer/simulation/lab"
)

// Under load nothing is lost and nothing counts twice: of an agent that probes 1,000 servers every second, every
// score is the fold of the samples that are stored, and there are as many as were asked for.
func TestNothingIsLostUnderLoad(t *testing.T) {
	const servers, rounds = 1000, 30
	l, err := lab.Start(lab.Options{Behaviours: []lab.Behaviour{lab.Good}, Extra: servers})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := openSite(t, l, everySecond)
	s.await(t, rounds*servers)
	defer s.close()
	s.checkFolds(t)
	var least int
	if err := s.db.QueryRow("SELECT MIN(n) FROM (SELECT COUNT(*) AS n FROM log_scores WHERE monitor_id > 2 GROUP BY server_id) AS counts").Scan(&least); err != nil {
		t.Fatal(err)
	}
	if least < rounds/2 {
		t.Errorf("want every server probed about %d times, one has %d samples", rounds, least)
	}
}

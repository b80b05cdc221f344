package live_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"truechimer/hub/broker"
	"truechimer/hub/live"
)

// Over TLS a client comes in where it trusts the broker, and doesn't say its password where it doesn't.
func TestTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	h := newHouse(t)
	b, err := broker.Start(broker.Options{
		Listen: h.address, Keys: h.keys,
		TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // the test is over
	trusting := h.hub()
	trusting.URL = strings.Replace("tls://"+h.address, "127.0.0.1", "localhost", 1)
	trusting.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}
	p := h.dial(live.Options{Access: trusting})
	publish(t, p, score, 1, true, "1")
	h.until("the score is published", func() bool { return p.Counts().Sent == 1 })

	wary := h.watcher("w1")
	wary.URL = trusting.URL
	states := make(chan error, 10)
	s, err := live.Subscribe(t.Context(), live.Subscription{
		Access: wary, Filters: []string{score}, OnMessage: func(live.Message) {}, OnState: func(err error) { states <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := <-states; err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Errorf("have %v", err)
	}
}

// selfSigned is a certificate for localhost, and who trusts it.
func selfSigned(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

package link

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"truechimer/messages"
)

// family is an authority, and whom it knows.
type family struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newFamily(t testing.TB) *family {
	t.Helper()
	f := &family{key: newKey(t)}
	der, err := x509.CreateCertificate(rand.Reader, authorityTemplate(), authorityTemplate(), &f.key.PublicKey, f.key)
	if err != nil {
		t.Fatal(err)
	}
	if f.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return f
}

func authorityTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// member is a certificate of the family's, by default one that holds for an hour from now.
func (f *family) member(t testing.TB, name string, use x509.ExtKeyUsage, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{use},
	}
	if change != nil {
		change(template)
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, f.certificate, &key.PublicKey, f.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (f *family) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(f.certificate)
	return pool
}

// hub is a hub's end.
func (f *family) hub(t testing.TB) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{f.member(t, messages.HubCertificateName, x509.ExtKeyUsageServerAuth, nil)},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    f.pool(),
	}
}

// agent is an agent's end.
func (f *family) agent(t testing.TB) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{f.member(t, "fra1", x509.ExtKeyUsageClientAuth, nil)},
		RootCAs:      f.pool(),
		ServerName:   messages.HubCertificateName,
	}
}

package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"truechimer/messages"
)

// maker makes certificates: of itself when nobody has signed it.
type maker struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func certify(t testing.TB, by *maker, name string, ca bool) *maker {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Unix(1_900_000_000, 0), NotAfter: time.Unix(1_902_592_000, 0),
		IsCA: ca, BasicConstraintsValid: ca, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if ca {
		template.KeyUsage = x509.KeyUsageCertSign
	}
	m := &maker{key: key}
	if by == nil {
		by = &maker{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	if m.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *maker) certificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.certificate.Raw})
}

// keyPEM is the key with the hub's address, if there is one.
func (m *maker) keyPEM(t testing.TB, hub string) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(m.key)
	if err != nil {
		t.Fatal(err)
	}
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	if hub != "" {
		block.Headers = map[string]string{messages.HubHeader: hub}
	}
	return pem.EncodeToMemory(block)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// An identity says who the agent is, where its hub is, until when, and whom to trust: hubs of its authority alone.
func TestAnIdentityIsRead(t *testing.T) {
	authority := certify(t, nil, "authority", true)
	agent := certify(t, authority, "fra1.example", false)
	text := join([]byte("of fra1, keep it secret\n"), agent.keyPEM(t, "hub.example:7443"), agent.certificatePEM(), authority.certificatePEM())
	identity, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if identity.Name != "fra1.example" || identity.Hub != "hub.example:7443" || !identity.Until.Equal(time.Unix(1_902_592_000, 0)) {
		t.Errorf("have %+v", identity)
	}
	c := identity.TLS
	if c.MinVersion != tls.VersionTLS13 || c.ServerName != messages.HubCertificateName || c.InsecureSkipVerify {
		t.Errorf("the link would be %+v", c)
	}
	if len(c.Certificates) != 1 || len(c.Certificates[0].Certificate) != 1 || !bytes.Equal(c.Certificates[0].Certificate[0], agent.certificate.Raw) {
		t.Errorf("the agent would show %v", c.Certificates)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(authority.certificate)
	if !c.RootCAs.Equal(trusted) {
		t.Error("it trusts others than its authority")
	}
}

// What isn't an identity is refused for what is wrong with it.
func TestWhatIsWrongWithAnIdentityIsSaid(t *testing.T) {
	const hub = "hub.example:7443"
	authority, other := certify(t, nil, "authority", true), certify(t, nil, "authority", true)
	agent, nameless := certify(t, authority, "fra1", false), certify(t, authority, "Not An Agent", false)
	key, certificate, ca := agent.keyPEM(t, hub), agent.certificatePEM(), authority.certificatePEM()
	for _, row := range []struct {
		name string
		text []byte
		want string
	}{
		{"nothing", nil, "nothing of one"},
		{"something else", []byte("#!/bin/sh\n"), "nothing of one"},
		{"no key", join(certificate, ca), "0 keys"},
		{"two keys", join(key, key, certificate, ca), "2 keys"},
		{"no certificate", key, "0 certificates"},
		{"no authority", join(key, certificate), "1 certificates"},
		{"three certificates", join(key, certificate, ca, ca), "3 certificates"},
		{"the authority before the certificate", join(key, ca, certificate), "does not match"},
		{"another's key", join(other.keyPEM(t, hub), certificate, ca), "does not match"},
		{"another authority", join(key, certificate, other.certificatePEM()), "isn't from the authority"},
		{"an authority that is none", join(key, certificate, certificate), "isn't from the authority"},
		{"a certificate that isn't one", join(key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), ca), "malformed"},
		{"an authority that isn't one", join(key, certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})), "malformed"},
		{"no agent's name", join(nameless.keyPEM(t, hub), nameless.certificatePEM(), ca), "begin with a lower-case"},
		{"no hub", join(agent.keyPEM(t, ""), certificate, ca), "no header Hub"},
		{"a hub without a port", join(agent.keyPEM(t, "hub.example"), certificate, ca), `"hub.example" isn't host:port`},
		{"a hub without a host", join(agent.keyPEM(t, ":7443"), certificate, ca), "isn't host:port"},
	} {
		_, err := Parse(row.text)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "read the agent's identity: ") {
			t.Errorf("%s: have %v, want %q in it", row.name, err, row.want)
		}
	}
}

// Whatever is in the file, reading it doesn't panic, and what is taken is complete.
func FuzzParse(f *testing.F) {
	authority := certify(f, nil, "authority", true)
	agent := certify(f, authority, "fra1", false)
	f.Add(join(agent.keyPEM(f, "hub.example:7443"), agent.certificatePEM(), authority.certificatePEM()))
	f.Add(join(authority.certificatePEM(), agent.keyPEM(f, "")))
	f.Fuzz(func(t *testing.T, text []byte) {
		identity, err := Parse(text)
		if err != nil {
			return
		}
		if messages.ValidAgentName(identity.Name) != nil || identity.Hub == "" || identity.TLS == nil || identity.Until.IsZero() {
			t.Errorf("have %+v", identity)
		}
	})
}

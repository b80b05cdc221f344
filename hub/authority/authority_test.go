package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"truechimer/messages"
)

const hubAddress = "hub.example:7443"

func newAuthority(t testing.TB, now time.Time) *Authority {
	t.Helper()
	text, err := New(now)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// An agent's identity is one file: its key, with the hub's address, its certificate and the authority's, in this order.
func TestAnIdentityHasAllThatAnAgentNeeds(t *testing.T) {
	now := time.Now()
	a := newAuthority(t, now)
	identity, err := a.IssueAgent("fra1.example", hubAddress, now)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []*pem.Block
	for block, rest := pem.Decode(identity.PEM); block != nil; block, rest = pem.Decode(rest) {
		blocks = append(blocks, block)
	}
	if len(blocks) != 3 || blocks[0].Type != blockKey || blocks[1].Type != blockCertificate || blocks[2].Type != blockCertificate {
		t.Fatalf("the identity is\n%s", identity.PEM)
	}
	if have := blocks[0].Headers[messages.HubHeader]; have != hubAddress {
		t.Errorf("the hub is at %q", have)
	}
	if !bytes.Equal(blocks[2].Bytes, a.certificate.Raw) {
		t.Error("the second certificate isn't the authority's")
	}
	certificate, err := x509.ParseCertificate(blocks[1].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if certificate.Subject.CommonName != "fra1.example" || certificate.SerialNumber.Text(16) != identity.Serial || certificate.IsCA {
		t.Errorf("the certificate is of %v, serial %x, want %s", certificate.Subject, certificate.SerialNumber, identity.Serial)
	}
	if !slices.Equal(certificate.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) {
		t.Errorf("it may be used for %v", certificate.ExtKeyUsage)
	}
	if life := certificate.NotAfter.Sub(now); life > AgentLife || life < AgentLife-time.Minute {
		t.Errorf("it holds for %v", life)
	}
}

// Every name that an agent may have makes a certificate that the other side can read.
func TestEveryNameOfAnAgentCanBeCertified(t *testing.T) {
	a := newAuthority(t, time.Now())
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z0-9][a-z0-9.-]{0,62}`).Draw(t, "name")
		identity, err := a.IssueAgent(name, hubAddress, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair(identity.PEM, identity.PEM)
		if err != nil {
			t.Fatal(err)
		}
		if pair.Leaf.Subject.CommonName != name {
			t.Fatalf("it names %q", pair.Leaf.Subject.CommonName)
		}
	})
}

// What is no name of an agent and no address of a hub gets no identity.
func TestWhatCannotBeDialledIsNotIssued(t *testing.T) {
	a := newAuthority(t, time.Now())
	for _, row := range []struct {
		name, agent, hub string
		fine             bool
	}{
		{"host and port", "fra1", hubAddress, true},
		{"IPv4", "fra1", "192.0.2.1:7443", true},
		{"IPv6", "fra1", "[2001:db8::1]:7443", true},
		{"no name", "", hubAddress, false},
		{"a name in capitals", "FRA1", hubAddress, false},
		{"no address", "fra1", "", false},
		{"no port", "fra1", "hub.example", false},
		{"no host", "fra1", ":7443", false},
		{"port 0", "fra1", "hub.example:0", false},
		{"port by name", "fra1", "hub.example:https", false},
		{"port too large", "fra1", "hub.example:65536", false},
		{"a line of its own", "fra1", "hub\nHub: evil:7443", false},
		{"spaces", "fra1", "hub example:7443", false},
	} {
		_, err := a.IssueAgent(row.agent, row.hub, time.Now())
		if (err == nil) != row.fine {
			t.Errorf("%s: have %v", row.name, err)
		}
	}
}

// No two certificates have the same serial number: by it one is revoked.
func TestSerialNumbersAreUnique(t *testing.T) {
	a := newAuthority(t, time.Now())
	seen := make(map[string]bool)
	for range 100 {
		identity, err := a.IssueAgent("fra1", hubAddress, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if seen[identity.Serial] {
			t.Fatalf("serial number %s comes twice", identity.Serial)
		}
		seen[identity.Serial] = true
	}
}

// A hub and an agent of one authority understand each other, also when the agent's clock is wrong:
// it is there to find that out. A hub takes agents alone, an agent talks to hubs alone.
func TestWhoTrustsWhom(t *testing.T) {
	now := time.Now()
	ours, theirs := newAuthority(t, now.Add(-365*24*time.Hour)), newAuthority(t, now)
	for _, row := range []struct {
		name   string
		hub    *tls.Config
		agent  *tls.Config
		change func(hub, agent *tls.Config)
		want   string // in the error of either; empty: they do
	}{
		{"one authority", hubOf(t, ours), agentOf(t, ours, now), nil, ""},
		{"an agent whose clock is months behind", hubOf(t, ours), agentOf(t, ours, now), func(_, agent *tls.Config) {
			agent.Time = func() time.Time { return now.Add(-90 * 24 * time.Hour) }
		}, ""},
		{"an agent whose clock is years ahead", hubOf(t, ours), agentOf(t, ours, now), func(_, agent *tls.Config) {
			agent.Time = func() time.Time { return now.Add(10 * 365 * 24 * time.Hour) }
		}, ""},
		{"an agent of today, by a hub whose clock is an hour behind", hubOf(t, ours), agentOf(t, ours, now), func(hub, _ *tls.Config) {
			hub.Time = func() time.Time { return now.Add(-time.Hour) }
		}, ""},
		{"an agent's last hour", hubOf(t, ours), agentOf(t, ours, now.Add(-AgentLife+time.Hour)), nil, ""},
		{"after it", hubOf(t, ours), agentOf(t, ours, now.Add(-AgentLife-time.Hour)), nil, "expired"},
		{"a foreign agent", hubOf(t, ours), agentOf(t, theirs, now), func(_, agent *tls.Config) {
			agent.RootCAs = agentOf(t, ours, now).RootCAs
		}, "unknown authority"},
		{"a foreign hub", hubOf(t, theirs), agentOf(t, ours, now), nil, "unknown authority"},
		{"an agent for a hub", hubOf(t, ours), agentOf(t, ours, now), func(hub, agent *tls.Config) {
			hub.Certificates = agentOf(t, ours, now, messages.HubCertificateName).Certificates
		}, "legacy Common Name"},
		{"a hub for an agent", hubOf(t, ours), agentOf(t, ours, now), func(hub, agent *tls.Config) {
			agent.Certificates = hub.Certificates
		}, "key usage"},
		{"an older TLS", hubOf(t, ours), agentOf(t, ours, now), func(_, agent *tls.Config) {
			agent.MaxVersion = tls.VersionTLS12
		}, "version"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.change != nil {
				row.change(row.hub, row.agent)
			}
			// Go's client keeps back a certificate that isn't of an authority the hub has asked for.
			certificate := row.agent.Certificates[0]
			row.agent.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
			err := shakeHands(row.hub, row.agent)
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("have %v, want %q", err, row.want)
			}
		})
	}
}

func hubOf(t *testing.T, a *Authority) *tls.Config {
	t.Helper()
	config, err := a.ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// agentOf is the end of an agent that was added at a time, whatever its name.
func agentOf(t *testing.T, a *Authority, added time.Time, name ...string) *tls.Config {
	t.Helper()
	identity, err := a.IssueAgent(append(name, "fra1")[0], hubAddress, added)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(identity.PEM, identity.PEM)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	pair.Certificate = pair.Certificate[:1]
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: messages.HubCertificateName}
}

// shakeHands lets the two meet, and tells what either has against it.
func shakeHands(hub, agent *tls.Config) error {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	said := make(chan error, 1)
	go func() {
		err := tls.Server(a, hub).Handshake()
		a.Close()
		said <- err
	}()
	err := tls.Client(b, agent).Handshake()
	b.Close()
	return errors.Join(err, <-said)
}

// An authority outlives its storage, and nothing else is taken for one.
func TestParseTakesAuthoritiesAlone(t *testing.T) {
	text, err := New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := again.IssueAgent("fra1", hubAddress, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, certificate := split(t, text)
	otherKey, _ := split(t, other)
	for _, row := range []struct {
		name string
		text []byte
		fine bool
	}{
		{"what New made", text, true},
		{"nothing", nil, false},
		{"a key", key, false},
		{"a certificate", certificate, false},
		{"another's key", append(bytes.Clone(otherKey), certificate...), false},
		{"an agent", agent.PEM, false},
		{"one with a bare right to sign", selfSigned(t, false, x509.KeyUsageCertSign), false},
		{"one without the right to sign", selfSigned(t, true, x509.KeyUsageDigitalSignature), false},
	} {
		if _, err := Parse(row.text); (err == nil) != row.fine {
			t.Errorf("%s: have %v", row.name, err)
		}
	}
}

// split parts an authority into its key and its certificate.
func split(t *testing.T, text []byte) (key, certificate []byte) {
	t.Helper()
	_, rest := pem.Decode(text)
	return text[:len(text)-len(rest)], rest
}

// selfSigned is an authority that is none.
func selfSigned(t *testing.T, isCA bool, usage x509.KeyUsage) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
		IsCA: isCA, BasicConstraintsValid: true, KeyUsage: usage,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := encode(key, nil, der)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

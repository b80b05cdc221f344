// Package authority is the installation's own certificate authority: it makes the hub's certificate and those of agents.
// Its key lives in the database (table authority): who holds the database's DSN is an owner.
package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"truechimer/messages"
)

const (
	// AgentLife is how long an agent's certificate holds.
	AgentLife = 30 * 24 * time.Hour
	// authorityLife is how long the authority's own does. Agents hold it, so that changing it means to enrol all
	// of them again.
	authorityLife = 20 * 365 * 24 * time.Hour
	// hubLife is how long a hub's certificate holds. It is made anew at each start and never stored.
	hubLife = 365 * 24 * time.Hour
	// clockSlack lets a certificate be used at once by those whose clock is behind.
	clockSlack = 10 * time.Minute
)

// PEM block types.
const (
	blockKey         = "PRIVATE KEY"
	blockCertificate = "CERTIFICATE"
)

// Authority issues certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// New makes a new authority, as the text that Parse reads. It is secret.
func New(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Truechimer authority"},
		NotBefore:             now.Add(-clockSlack),
		NotAfter:              now.Add(authorityLife),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the authority's certificate: %w", err)
	}
	return encode(key, nil, der)
}

// Parse reads what New made.
func Parse(text []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, errors.New("read the authority: it can't issue certificates")
	}
	return &Authority{certificate: pair.Leaf, key: key}, nil
}

// Identity is an agent's certificate as a file: its key, its certificate, the authority's,
// and where the hub is. Serial is the certificate's number in hexadecimal.
type Identity struct {
	PEM    []byte
	Serial string
}

// IssueAgent makes an identity for an agent that dials the hub at an address.
func (a *Authority) IssueAgent(name, hubAddress string, now time.Time) (Identity, error) {
	if err := messages.ValidAgentName(name); err != nil {
		return Identity{}, err
	}
	key, der, serial, err := a.issue(name, x509.ExtKeyUsageClientAuth, now, AgentLife)
	if err != nil {
		return Identity{}, fmt.Errorf("issue a certificate for agent %s: %w", name, err)
	}
	text, err := encode(key, map[string]string{messages.HubHeader: hubAddress}, der, a.certificate.Raw)
	return Identity{PEM: text, Serial: serial.Text(16)}, err
}

// ServerTLS is the configuration of a hub's end of the link: TLS 1.3, a certificate of its own made now,
// and only peers whose certificate is from this authority.
func (a *Authority) ServerTLS(now time.Time) (*tls.Config, error) {
	key, der, _, err := a.issue(messages.HubCertificateName, x509.ExtKeyUsageServerAuth, now, hubLife)
	if err != nil {
		return nil, fmt.Errorf("issue the hub's certificate: %w", err)
	}
	agents := x509.NewCertPool()
	agents.AddCert(a.certificate)
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    agents,
	}, nil
}

// issue makes a key and a certificate for it.
func (a *Authority) issue(name string, use x509.ExtKeyUsage, now time.Time, life time.Duration) (*ecdsa.PrivateKey, []byte, *big.Int, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    now.Add(-clockSlack),
		NotAfter:     now.Add(life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{use},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	return key, der, serial, err
}

// encode writes a key with headers and the certificates behind it.
func encode(key *ecdsa.PrivateKey, headers map[string]string, certificates ...[]byte) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	var text bytes.Buffer
	if err := pem.Encode(&text, &pem.Block{Type: blockKey, Headers: headers, Bytes: der}); err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	for _, certificate := range certificates {
		if err := pem.Encode(&text, &pem.Block{Type: blockCertificate, Bytes: certificate}); err != nil {
			return nil, fmt.Errorf("encode a certificate: %w", err)
		}
	}
	return text.Bytes(), nil
}

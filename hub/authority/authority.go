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
	"net"
	"strconv"
	"strings"
	"time"

	"truechimer/messages"
)

const (
	// AgentLife is how long an agent's certificate holds.
	AgentLife = 30 * 24 * time.Hour
	// authorityLife is how long the authority's own does. Agents hold it, so that changing it means to enrol all
	// of them again.
	authorityLife = 20 * 365 * 24 * time.Hour
	// clockSlack lets a certificate be used at once by those whose clock is behind. Whoever is further behind than
	// a day has a clock that nobody has set.
	clockSlack = 24 * time.Hour
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
	if !ok || !pair.Leaf.IsCA || pair.Leaf.KeyUsage&x509.KeyUsageCertSign == 0 {
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

// IssueAgent makes an identity for an agent that dials the hub at an address, host:port.
func (a *Authority) IssueAgent(name, hubAddress string, now time.Time) (Identity, error) {
	if err := messages.ValidAgentName(name); err != nil {
		return Identity{}, err
	}
	if err := checkAddress(hubAddress); err != nil {
		return Identity{}, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		NotBefore:   now.Add(-clockSlack),
		NotAfter:    now.Add(AgentLife),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	key, der, err := a.issue(template)
	if err != nil {
		return Identity{}, fmt.Errorf("issue a certificate for agent %s: %w", name, err)
	}
	text, err := encode(key, map[string]string{messages.HubHeader: hubAddress}, der, a.certificate.Raw)
	return Identity{PEM: text, Serial: template.SerialNumber.Text(16)}, err
}

// checkAddress tells what keeps a text from being an address to dial.
func checkAddress(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" {
		return fmt.Errorf("the hub's address %q isn't host:port", text)
	}
	if strings.ContainsFunc(host, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Errorf("the hub's address %q isn't one", text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("the hub's address %q has no port from 1 to 65535", text)
	}
	return nil
}

// ServerTLS is the configuration of a hub's end of the link: TLS 1.3, a certificate of its own made now,
// and only peers whose certificate is from this authority.
//
// The certificate holds for as long as the authority does. Its key never leaves the memory of the process, so that
// a short life would protect nobody; but it would part the hub from agents whose clock is wrong, which they are
// there to find out.
func (a *Authority) ServerTLS() (*tls.Config, error) {
	key, der, err := a.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: messages.HubCertificateName},
		DNSNames:    []string{messages.HubCertificateName},
		NotBefore:   a.certificate.NotBefore,
		NotAfter:    a.certificate.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
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

// issue makes a key and, after a template that it gives a serial number, a certificate for it.
func (a *Authority) issue(template *x509.Certificate) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	// RFC 5280 section 4.1.2.2 allows 20 bytes; of 16 nobody will ever draw two alike.
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, nil, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	return key, der, err
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

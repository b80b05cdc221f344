// Package identity reads what makes an agent an agent: its key, its certificate, its hub and the hub's authority.
// One PEM file holds them all; `truechimer agents add` writes it.
package identity

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"

	"truechimer/messages"
)

// Identity is an agent's.
type Identity struct {
	Name  string      // of the agent
	Hub   string      // host:port
	TLS   *tls.Config // for the link: TLS 1.3, and nobody but a hub of the same authority
	Until time.Time   // when the certificate ends
}

// Parse reads an identity. The error says what is missing.
func Parse(text []byte) (Identity, error) {
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return Identity{}, fmt.Errorf("read the agent's identity: %w", err)
	}
	if len(pair.Certificate) < 2 {
		return Identity{}, errors.New("read the agent's identity: the hub's authority is missing")
	}
	name := pair.Leaf.Subject.CommonName
	if err := messages.ValidAgentName(name); err != nil {
		return Identity{}, fmt.Errorf("read the agent's identity: %w", err)
	}
	authority, err := x509.ParseCertificate(pair.Certificate[len(pair.Certificate)-1])
	if err != nil {
		return Identity{}, fmt.Errorf("read the hub's authority: %w", err)
	}
	hub := hubAddress(text)
	if _, _, err := net.SplitHostPort(hub); err != nil {
		return Identity{}, fmt.Errorf("read the hub's address %q: %w", hub, err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	pair.Certificate = pair.Certificate[:1]
	return Identity{
		Name: name,
		Hub:  hub,
		TLS: &tls.Config{
			MinVersion:   tls.VersionTLS13,
			Certificates: []tls.Certificate{pair},
			RootCAs:      roots,
			ServerName:   messages.HubCertificateName,
		},
		Until: pair.Leaf.NotAfter,
	}, nil
}

// hubAddress is what the header of the key says of where the hub is.
func hubAddress(text []byte) string {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if address := block.Headers[messages.HubHeader]; address != "" {
			return address
		}
	}
	return ""
}

// Package identity reads what makes an agent an agent: its key, its certificate, its hub and the hub's authority.
// One PEM file holds them all, in this order; `truechimer agents add` writes it. It is as secret as the key.
package identity

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"truechimer/messages"
)

// Identity is an agent's.
type Identity struct {
	Name  string      // of the agent
	Hub   string      // host:port
	TLS   *tls.Config // for the link: TLS 1.3, and nobody but a hub of the same authority
	Until time.Time   // when the certificate ends; zero: never
}

// Parse reads an identity. The error says what is wrong with it. It doesn't look at the clock:
// an identity that has ended is one too.
func Parse(text []byte) (Identity, error) {
	identity, err := parse(text)
	if err != nil {
		return Identity{}, fmt.Errorf("read the agent's identity: %w", err)
	}
	return identity, nil
}

func parse(text []byte) (Identity, error) {
	f := sortOut(text)
	if err := f.check(); err != nil {
		return Identity{}, err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return Identity{}, err
	}
	authority, err := x509.ParseCertificate(f.certificates[1])
	if err != nil {
		return Identity{}, fmt.Errorf("the authority's certificate: %w", err)
	}
	if err := pair.Leaf.CheckSignatureFrom(authority); err != nil {
		return Identity{}, fmt.Errorf("the agent's certificate isn't from the authority behind it: %w", err)
	}
	name := pair.Leaf.Subject.CommonName
	if err := messages.ValidAgentName(name); err != nil {
		return Identity{}, err
	}
	pair.Certificate = pair.Certificate[:1] // the hub knows its authority
	return Identity{Name: name, Hub: f.hub, TLS: linkTLS(pair, authority), Until: pair.Leaf.NotAfter}, nil
}

// linkTLS trusts hubs of the authority and nobody else, wherever they are.
func linkTLS(pair tls.Certificate, authority *x509.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{pair},
		RootCAs:      roots,
		ServerName:   messages.HubCertificateName,
	}
}

// file is what is in an identity's file.
type file struct {
	keys         int
	hub          string   // in the header of the key
	certificates [][]byte // the agent's, then the authority's
}

func sortOut(text []byte) (f file) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "CERTIFICATE":
			f.certificates = append(f.certificates, block.Bytes)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			f.keys++
			f.hub = block.Headers[messages.HubHeader]
		}
	}
	return f
}

// check tells what is missing from the file, or there twice.
func (f file) check() error {
	switch {
	case f.keys == 0 && len(f.certificates) == 0:
		return errors.New("there is nothing of one in the file")
	case f.keys != 1:
		return fmt.Errorf("it has %d keys instead of one", f.keys)
	case len(f.certificates) != 2:
		return fmt.Errorf("it has %d certificates instead of two, the agent's and that of the hub's authority", len(f.certificates))
	case f.hub == "":
		return fmt.Errorf("the key has no header %s with the hub's address", messages.HubHeader)
	}
	if host, port, err := net.SplitHostPort(f.hub); err != nil || host == "" || port == "" {
		return fmt.Errorf("the hub's address %q isn't host:port", f.hub)
	}
	return nil
}

package token

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

// ErrKey says that bytes are not a private key that can sign tokens.
var ErrKey = errors.New("not an Ed25519 private key in PKCS #8 PEM")

// pemType is the header of PKCS #8 in PEM (RFC 7468 section 10).
const pemType = "PRIVATE KEY"

// Key is a private key that signs tokens. The zero Key is none.
type Key struct {
	private ed25519.PrivateKey
}

// NewKey makes a new key from the system's randomness.
func NewKey() (Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("make a key for tokens: %w", err)
	}
	return Key{private: private}, nil
}

// ParseKey reads a key as PEM makes it. The error is ErrKey where it isn't one.
func ParseKey(text []byte) (Key, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return Key{}, ErrKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return Key{}, ErrKey
	}
	return Key{private: private}, nil
}

// PEM is the key as text, for a safe place: PKCS #8, as openssl reads and writes it.
func (k Key) PEM() ([]byte, error) {
	if k.private == nil {
		return nil, ErrKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, fmt.Errorf("encode a key for tokens: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

// Public is the half that verifies.
func (k Key) Public() PublicKey {
	if k.private == nil {
		return nil
	}
	return PublicKey(k.private.Public().(ed25519.PublicKey))
}

// PublicKey verifies what its Key has signed.
type PublicKey ed25519.PublicKey

// ID names the key in the header of each token: its thumbprint (RFC 7638, RFC 8037 appendix A.3).
// It follows from the key alone, so that no key can be kept under a wrong name.
func (k PublicKey) ID() string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + k.x() + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (k PublicKey) x() string {
	return base64.RawURLEncoding.EncodeToString(k)
}

// jwk is a public key in a JSON Web Key Set (RFC 8037 section 2).
type jwk struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
}

// keySet is what /.well-known/jwks.json serves: with it anybody can verify our tokens, and nobody can make one.
func keySet(keys []PublicKey) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: make([]jwk, 0, len(keys))}
	for _, key := range keys {
		set.Keys = append(set.Keys, jwk{
			KeyType: "OKP", Curve: "Ed25519", X: key.x(), ID: key.ID(), Use: "sig", Algorithm: "EdDSA",
		})
	}
	text, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encode the keys for tokens: %w", err)
	}
	return text, nil
}

// Package token makes and checks the passwords of MQTT clients: JSON Web Tokens that say who the client is, what
// it may subscribe and publish, and until when. A broker needs nothing but the public keys to enforce them.
//
// Where the keys are kept, and who is given a token, is decided elsewhere.
package token

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// What our tokens say of where they come from and what they are for. Tokens of other systems, or of ours for
// another purpose, say something else and are refused even where a key is shared.
const (
	Issuer   = "truechimer"
	Audience = "mqtt"
)

// Claims are what a valid token says.
type Claims struct {
	Grant
	Until time.Time // the token is worth nothing from then on; whole seconds
}

// body is the token's JSON. The names subs and publ are those of the mosquitto-jwt-auth plug-in.
type body struct {
	Subs []string `json:"subs"`
	Publ []string `json:"publ"`
	jwt.RegisteredClaims
}

// Signer makes tokens with one key.
type Signer struct {
	key Key
}

// NewSigner makes tokens with this key.
func NewSigner(key Key) Signer {
	return Signer{key: key}
}

// Sign makes a token for what is granted, which holds for life from now on; both are cut to whole seconds.
// The error says what can't be granted.
func (s Signer) Sign(g Grant, now time.Time, life time.Duration) (string, error) {
	if err := g.check(); err != nil {
		return "", err
	}
	if s.key.private == nil {
		return "", fmt.Errorf("sign a token for %s: %w", g.Name, ErrKey)
	}
	if life < time.Second {
		return "", fmt.Errorf("sign a token for %s: a life of %s is too short", g.Name, life)
	}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodEdDSA, body{
		Subs: g.Subs,
		Publ: g.Publ,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    Issuer,
			Audience:  jwt.ClaimStrings{Audience},
			Subject:   g.Name,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(life)),
		},
	})
	unsigned.Header["kid"] = s.key.Public().ID()
	text, err := unsigned.SignedString(s.key.private)
	if err != nil {
		return "", fmt.Errorf("sign a token for %s: %w", g.Name, err)
	}
	return text, nil
}

// Verifier checks tokens against a set of keys, which can be replaced while it is in use: a new key is added
// before the first token is signed with it, and an old one is dropped once its last token has expired.
type Verifier struct {
	keys atomic.Pointer[[]PublicKey]
}

// NewVerifier checks against these keys.
func NewVerifier(keys ...PublicKey) *Verifier {
	v := &Verifier{}
	v.Replace(keys...)
	return v
}

// Replace takes these keys in place of those it had. Tokens of keys that are not among them are refused from now on.
func (v *Verifier) Replace(keys ...PublicKey) {
	kept := append([]PublicKey(nil), keys...)
	v.keys.Store(&kept)
}

// KeySet is the keys as a JSON Web Key Set, for others to verify with.
func (v *Verifier) KeySet() ([]byte, error) {
	return keySet(*v.keys.Load())
}

// Verify returns what a token says, if one of the keys has signed it and it holds now. The error says why it is
// worth nothing, without repeating it.
func (v *Verifier) Verify(text string, now time.Time) (Claims, error) {
	// There is no leeway: a hub whose clock is ahead refuses a token some seconds early, and its client has a new
	// one made for each connection.
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(Issuer),
		jwt.WithAudience(Audience),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	var claims body
	if _, err := parser.ParseWithClaims(text, &claims, v.keyOf); err != nil {
		return Claims{}, fmt.Errorf("verify a token: %w", err)
	}
	granted := Grant{Name: claims.Subject, Subs: claims.Subs, Publ: claims.Publ}
	if err := granted.check(); err != nil {
		return Claims{}, fmt.Errorf("verify a token: %w", err)
	}
	return Claims{Grant: granted, Until: claims.ExpiresAt.Time}, nil
}

// keyOf finds the key that a token says it was signed with.
func (v *Verifier) keyOf(unverified *jwt.Token) (any, error) {
	for _, key := range *v.keys.Load() {
		if key.ID() == unverified.Header["kid"] {
			return ed25519.PublicKey(key), nil
		}
	}
	return nil, errors.New("its key is not known")
}

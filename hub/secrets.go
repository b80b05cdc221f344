package hub

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"time"

	"truechimer/hub/authority"
	"truechimer/hub/token"
	"truechimer/persistence"
	"truechimer/pool/ticket"
)

// secrets are what makes an installation itself. They are in the table authority, made at the first start:
// who holds the database's DSN is an owner, and a second hub needs nothing else.
type secrets struct {
	authority *authority.Authority
	tickets   ticket.Keyring
	tokens    token.Key
}

// Names in the table authority.
const (
	secretCA      = "ca"
	secretTickets = "tickets"
	secretTokens  = "tokens"
)

// loadSecrets gets them, or makes them.
func loadSecrets(ctx context.Context, store persistence.Store, now time.Time) (s secrets, err error) {
	if s.authority, err = LoadAuthority(ctx, store, now); err != nil {
		return s, err
	}
	if s.tokens, err = LoadTokenKey(ctx, store); err != nil {
		return s, err
	}
	key, err := store.Authority(ctx, secretTickets, func() ([]byte, error) {
		secret := make([]byte, ticket.SecretSize)
		crand.Read(secret) // never fails
		return secret, nil
	})
	if err != nil {
		return s, fmt.Errorf("load the key of the tickets: %w", err)
	}
	s.tickets, err = ticket.NewKeyring(ticket.Key{ID: 1, Secret: key})
	return s, err
}

// LoadAuthority gets the installation's certificate authority, or makes it.
func LoadAuthority(ctx context.Context, store persistence.Administration, now time.Time) (*authority.Authority, error) {
	text, err := store.Authority(ctx, secretCA, func() ([]byte, error) { return authority.New(now) })
	if err != nil {
		return nil, fmt.Errorf("load the certificate authority: %w", err)
	}
	return authority.Parse(text)
}

// LoadTokenKey gets the key that signs the tokens of MQTT clients, or makes it.
func LoadTokenKey(ctx context.Context, store persistence.Administration) (token.Key, error) {
	text, err := store.Authority(ctx, secretTokens, func() ([]byte, error) {
		key, err := token.NewKey()
		if err != nil {
			return nil, err
		}
		return key.PEM()
	})
	if err != nil {
		return token.Key{}, fmt.Errorf("load the key of the tokens: %w", err)
	}
	return token.ParseKey(text)
}

package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"truechimer/persistence/sqlcgen"
)

// Authority reads a secret, and makes it where there is none.
func (m *MySQL) Authority(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	q := sqlcgen.New(m.db)
	secret, err := q.Secret(ctx, name)
	if err == nil {
		return secret, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read secret %q: %w", name, explained(err))
	}
	made, err := create()
	if err != nil {
		return nil, fmt.Errorf("make secret %q: %w", name, err)
	}
	// Another hub may have made one meanwhile: the first one stays, and both read it.
	if err := q.AddSecret(ctx, sqlcgen.AddSecretParams{Name: name, Secret: made}); err != nil {
		return nil, fmt.Errorf("keep secret %q: %w", name, explained(err))
	}
	if secret, err = q.Secret(ctx, name); err != nil {
		return nil, fmt.Errorf("read secret %q: %w", name, explained(err))
	}
	return secret, nil
}

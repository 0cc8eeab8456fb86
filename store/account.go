package store

import (
	"context"

	"kanal/models"
)

// SetAccountToken writes an account's sealed token.
func (tx *Tx) SetAccountToken(ctx context.Context, id models.AccountID, sealed, last4 string) error {
	res := tx.q(ctx).Model(&models.Account{}).Where("id = ?", id).
		Updates(map[string]any{"token_sealed": sealed, "token_last4": last4, "updated_at": tx.Now()})
	return changed(res, "write token")
}

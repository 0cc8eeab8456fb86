package store

import (
	"context"

	"kanal/models"
)

// InsertQuarantine keeps a call that could not be taken in.
func (tx *Tx) InsertQuarantine(ctx context.Context, q *models.Quarantine) error {
	return failed(tx.q(ctx).Create(q).Error, "insert quarantine")
}

// IsQuarantined tells whether the same call is in quarantine, or was.
func (r Reader) IsQuarantined(ctx context.Context, q models.Quarantine) (bool, error) {
	var n int64
	err := r.q(ctx).Model(&models.Quarantine{}).
		Where("account_id = ? AND kind = ? AND received_at = ? AND form = ?", q.AccountID, q.Kind, q.ReceivedAt, q.Form).Count(&n).Error
	return n > 0, failed(err, "look into quarantine")
}

// Quarantined gives the calls in quarantine that were not replayed, the newest first, at most limit.
func (r Reader) Quarantined(ctx context.Context, limit int) ([]models.Quarantine, error) {
	var qs []models.Quarantine
	err := r.q(ctx).Where("replayed_at IS NULL").Order("id DESC").Limit(limit).Find(&qs).Error
	return qs, failed(err, "read quarantine")
}

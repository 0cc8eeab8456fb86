package store

import (
	"context"

	"kanal/models"
)

// InsertQuarantine keeps a call that could not be taken in.
func (tx *Tx) InsertQuarantine(ctx context.Context, q *models.Quarantine) error {
	return failed(tx.q(ctx).Create(q).Error, "insert quarantine")
}

// Quarantined gives the calls in quarantine that were not replayed, the newest first, at most limit.
func (r Reader) Quarantined(ctx context.Context, limit int) ([]models.Quarantine, error) {
	var qs []models.Quarantine
	err := r.q(ctx).Where("replayed_at IS NULL").Order("id DESC").Limit(limit).Find(&qs).Error
	return qs, failed(err, "read quarantine")
}

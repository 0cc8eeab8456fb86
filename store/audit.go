package store

import (
	"context"
	"encoding/json"

	"kanal/models"
)

// Audit notes an administrative act: what was done (account.token_replaced), to what (accounts/7), and what changed.
// Details never hold a secret.
func (tx *Tx) Audit(ctx context.Context, v models.Viewer, action, subject string, details map[string]any) error {
	b, err := json.Marshal(details)
	if err != nil {
		return failed(err, "write audit")
	}
	a := models.Audit{At: tx.Now(), Action: action, Subject: subject, Details: string(b), RemoteIP: v.IP, RequestID: v.RequestID}
	if v.User != 0 {
		a.UserID = &v.User
	}
	return failed(tx.q(ctx).Create(&a).Error, "write audit")
}

// Audits gives what was done, the newest first, at most limit.
func (r Reader) Audits(ctx context.Context, limit int) ([]models.Audit, error) {
	var as []models.Audit
	err := r.q(ctx).Select("audits.*, coalesce(users.name, '') AS user_name").Joins("LEFT JOIN users ON users.id = audits.user_id").
		Order("audits.id DESC").Limit(limit).Find(&as).Error
	return as, failed(err, "read audit")
}

package store

import (
	"context"

	"kanal/models"
)

// TemplateOf gives a template of an account. ErrNotFound, also for one of another account.
func (r Reader) TemplateOf(ctx context.Context, account models.AccountID, id models.TemplateID) (models.Template, error) {
	var t models.Template
	err := r.q(ctx).Where("id = ? AND account_id = ?", id, account).Take(&t).Error
	return t, failed(err, "read template")
}

package store

import (
	"context"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// Draft gives what a user has begun to write in a conversation; the zero value when nothing.
func (r Reader) Draft(ctx context.Context, c models.Conversation, user models.UserID) (models.Draft, error) {
	var ds []models.Draft
	err := r.q(ctx).Where("account_id = ? AND conversation_id = ? AND user_id = ?", c.AccountID, c.ID, user).Limit(1).Find(&ds).Error
	if err != nil || len(ds) == 0 {
		return models.Draft{AccountID: c.AccountID, ConversationID: c.ID, UserID: user}, failed(err, "read draft")
	}
	return ds[0], nil
}

// SaveDraft keeps a draft; an empty body removes it. The last save wins: it is one person's own text.
func (tx *Tx) SaveDraft(ctx context.Context, d models.Draft) error {
	if d.Body == "" {
		err := tx.q(ctx).Where("account_id = ? AND conversation_id = ? AND user_id = ?", d.AccountID, d.ConversationID, d.UserID).
			Delete(&models.Draft{}).Error
		return failed(err, "remove draft")
	}
	d.UpdatedAt = tx.Now()
	on := clause.OnConflict{
		Columns:   []clause.Column{{Name: "account_id"}, {Name: "conversation_id"}, {Name: "user_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"body", "version", "updated_at"}),
	}
	return failed(tx.q(ctx).Clauses(on).Create(&d).Error, "save draft")
}

package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// VisibleConversation gives a conversation without what lists show of it. ErrNotFound too when the viewer may not see it.
func (r Reader) VisibleConversation(ctx context.Context, v models.Viewer, id models.ConversationID) (models.Conversation, error) {
	var c models.Conversation
	err := r.visibleConversations(ctx, v).Where("conversations.id = ?", id).Take(&c).Error
	return c, failed(err, "read conversation")
}

// Viewings gives who has a conversation before them since a time, those who write first.
func (r Reader) Viewings(ctx context.Context, c models.Conversation, since time.Time) ([]models.Viewing, error) {
	var vs []models.Viewing
	err := r.q(ctx).Model(&models.Viewing{}).Select("viewings.*, users.name AS user_name").Joins("JOIN users ON users.id = viewings.user_id").
		Where("viewings.account_id = ? AND viewings.conversation_id = ? AND viewings.seen_at > ?", c.AccountID, c.ID, since).
		Order("CASE WHEN viewings.typed_at IS NULL THEN 1 ELSE 0 END, users.name, viewings.user_id").Find(&vs).Error
	return vs, failed(err, "read viewings")
}

// SaveViewing keeps a viewing, one for each person and conversation.
func (tx *Tx) SaveViewing(ctx context.Context, v models.Viewing) error {
	on := clause.OnConflict{
		Columns:   []clause.Column{{Name: "account_id"}, {Name: "conversation_id"}, {Name: "user_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"seen_at", "typed_at"}),
	}
	return failed(tx.q(ctx).Clauses(on).Create(&v).Error, "save viewing")
}

// RemoveViewing removes a person's viewing of a conversation.
func (tx *Tx) RemoveViewing(ctx context.Context, c models.Conversation, user models.UserID) error {
	err := tx.q(ctx).Where("account_id = ? AND conversation_id = ? AND user_id = ?", c.AccountID, c.ID, user).Delete(&models.Viewing{}).Error
	return failed(err, "remove viewing")
}

// RemoveOldViewings removes the viewings that ended before a time.
func (tx *Tx) RemoveOldViewings(ctx context.Context, before time.Time) error {
	return failed(tx.q(ctx).Where("seen_at < ?", before).Delete(&models.Viewing{}).Error, "remove old viewings")
}

// ClaimTyping notes that the customer is shown that somebody is answering; false when that was done since a time.
func (tx *Tx) ClaimTyping(ctx context.Context, c models.Conversation, since time.Time) (bool, error) {
	res := tx.q(ctx).Model(&models.Conversation{}).
		Where("id = ? AND (typing_shown_at IS NULL OR typing_shown_at <= ?)", c.ID, since).UpdateColumn("typing_shown_at", tx.Now())
	return res.RowsAffected == 1, failed(res.Error, "claim typing")
}

// LastInbound gives the customer's newest message of a conversation. ErrNotFound when there is none.
func (r Reader) LastInbound(ctx context.Context, c models.Conversation) (models.Message, error) {
	var m models.Message
	err := r.q(ctx).Where("account_id = ? AND conversation_id = ? AND direction = ?", c.AccountID, c.ID, models.In).
		Order("seq DESC").Limit(1).Take(&m).Error
	return m, failed(err, "read last inbound message")
}

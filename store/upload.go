package store

import (
	"context"

	"kanal/models"
)

// Uploads gives what a user has uploaded in a conversation and not sent, the oldest first.
func (r Reader) Uploads(ctx context.Context, c models.Conversation, user models.UserID) ([]models.File, error) {
	var fs []models.File
	err := r.q(ctx).Where("account_id = ? AND conversation_id = ? AND message_id IS NULL AND user_id = ? AND state = ?", c.AccountID, c.ID, user, models.FileStored).
		Order("id").Find(&fs).Error
	return fs, failed(err, "read uploads")
}

// UploadsNamed gives those of the files that the user has uploaded in the conversation, sent or not, in no order.
func (r Reader) UploadsNamed(ctx context.Context, c models.Conversation, user models.UserID, ids []models.FileID) ([]models.File, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var fs []models.File
	err := r.q(ctx).Where("account_id = ? AND conversation_id = ? AND user_id = ? AND direction = ? AND state = ? AND id IN ?",
		c.AccountID, c.ID, user, models.Out, models.FileStored, ids).Find(&fs).Error
	return fs, failed(err, "read uploads")
}

// AttachFile gives an upload to a message. ErrStale when it belongs to one already.
func (tx *Tx) AttachFile(ctx context.Context, id models.FileID, m models.MessageID) error {
	res := tx.q(ctx).Model(&models.File{}).Where("id = ? AND message_id IS NULL", id).Update("message_id", m)
	return changed(res, "attach file")
}

// MessagesByKeys gives the messages that a user has posted with the keys, in the order on screen.
func (r Reader) MessagesByKeys(ctx context.Context, c models.Conversation, user models.UserID, keys []string) ([]models.Message, error) {
	var ms []models.Message
	err := r.messages(ctx, c).Where("messages.user_id = ? AND messages.client_key IN ?", user, keys).Order("messages.seq").Find(&ms).Error
	return ms, failed(err, "read messages by key")
}

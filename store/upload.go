package store

import (
	"context"

	"kanal/models"
)

// Uploads gives what a user has uploaded in a conversation and neither sent nor scheduled, the oldest first.
func (r Reader) Uploads(ctx context.Context, c models.Conversation, user models.UserID) ([]models.File, error) {
	var fs []models.File
	err := r.q(ctx).Where("account_id = ? AND conversation_id = ? AND message_id IS NULL AND scheduled_id IS NULL AND user_id = ? AND state = ?", c.AccountID, c.ID, user, models.FileStored).
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
	res := tx.q(ctx).Model(&models.File{}).Where("id = ? AND message_id IS NULL", id).Updates(map[string]any{"message_id": m, "position": 0})
	return changed(res, "attach file")
}

// HoldFile gives an upload to a scheduled message, in which it has a position. ErrStale when it is sent, or another holds it.
func (tx *Tx) HoldFile(ctx context.Context, id models.FileID, m models.ScheduledID, position int) error {
	res := tx.q(ctx).Model(&models.File{}).Where("id = ? AND message_id IS NULL AND scheduled_id IS NULL", id).
		Updates(map[string]any{"scheduled_id": m, "position": position})
	return changed(res, "hold file")
}

// DropHeldFiles removes the rows of the files that a scheduled message holds and that were not sent.
func (tx *Tx) DropHeldFiles(ctx context.Context, m models.ScheduledMessage) error {
	res := tx.q(ctx).Where("account_id = ? AND scheduled_id = ? AND message_id IS NULL", m.AccountID, m.ID).Delete(&models.File{})
	return failed(res.Error, "drop held files")
}

// HeldFiles gives the files of scheduled messages of one account, each in the order in which they are sent.
func (r Reader) HeldFiles(ctx context.Context, account models.AccountID, ids ...models.ScheduledID) (map[models.ScheduledID][]models.File, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var fs []models.File
	err := r.q(ctx).Where("account_id = ? AND scheduled_id IN ?", account, ids).Order("scheduled_id, position, id").Find(&fs).Error
	if err != nil { // GORM leaves half-read rows beside its error
		return nil, failed(err, "read files of scheduled messages")
	}
	of := make(map[models.ScheduledID][]models.File, len(ids))
	for _, f := range fs {
		of[*f.ScheduledID] = append(of[*f.ScheduledID], f)
	}
	return of, nil
}

// MessagesByKeys gives the messages that a user has posted with the keys, in the order on screen.
func (r Reader) MessagesByKeys(ctx context.Context, c models.Conversation, user models.UserID, keys []string) ([]models.Message, error) {
	var ms []models.Message
	err := r.messages(ctx, c).Where("messages.user_id = ? AND messages.client_key IN ?", user, keys).Order("messages.seq").Find(&ms).Error
	return ms, failed(err, "read messages by key")
}

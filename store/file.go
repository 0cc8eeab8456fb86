package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kanal/models"
)

// InsertFiles inserts files in one statement and sets their ids.
func (tx *Tx) InsertFiles(ctx context.Context, fs []models.File) error {
	if len(fs) == 0 {
		return nil
	}
	return failed(tx.q(ctx).Create(&fs).Error, "insert files")
}

var fileColumns = []string{
	"message_id", "position", "state", "problem", "name", "content_type", "size", "width", "height", "description",
	"storage_key", "thumb_key", "tries", "due_at", "stored_at", "removed_at",
}

// SaveFile writes what changes in a file. Guarded by the state it had: ErrStale when another was faster.
func (tx *Tx) SaveFile(ctx context.Context, f models.File, was models.FileState) error {
	res := tx.q(ctx).Model(&models.File{}).Where("id = ? AND state = ?", f.ID, was).Select(fileColumns).Updates(&f)
	return changed(res, "save file")
}

// DescribeFile writes what a picture shows.
func (tx *Tx) DescribeFile(ctx context.Context, id models.FileID, text string) error {
	res := tx.q(ctx).Model(&models.File{}).Where("id = ?", id).Update("description", text)
	return changed(res, "describe file")
}

// MarkRemoved notes that Twilio no longer has a file.
func (tx *Tx) MarkRemoved(ctx context.Context, id models.FileID) error {
	res := tx.q(ctx).Model(&models.File{}).Where("id = ?", id).Update("removed_at", tx.Now())
	return changed(res, "mark file as removed")
}

// DeleteLooseFile removes the row of a file that still belongs to no message, sent or scheduled. ErrStale when it does by now.
func (tx *Tx) DeleteLooseFile(ctx context.Context, id models.FileID) error {
	res := tx.q(ctx).Where("id = ? AND message_id IS NULL AND scheduled_id IS NULL", id).Delete(&models.File{})
	return changed(res, "remove loose file")
}

// File gives one file. ErrNotFound when there is none.
func (r Reader) File(ctx context.Context, id models.FileID) (models.File, error) {
	var f models.File
	err := r.q(ctx).Where("id = ?", id).Take(&f).Error
	return f, failed(err, "read file")
}

// visibleFiles are those of conversations that the viewer may see. One that belongs to no message yet, sent or scheduled,
// is its uploader's alone.
func (r Reader) visibleFiles(ctx context.Context, v models.Viewer) *gorm.DB {
	of := r.visibleConversations(ctx, v).Select("1").
		Where("conversations.account_id = files.account_id AND conversations.id = files.conversation_id")
	return r.q(ctx).Model(&models.File{}).
		Where("EXISTS (?) AND (files.message_id IS NOT NULL OR files.scheduled_id IS NOT NULL OR files.user_id = ?)", of, v.User)
}

// FileFor gives a file that the viewer may see. ErrNotFound when there is none or the viewer may not see it.
func (r Reader) FileFor(ctx context.Context, v models.Viewer, id models.FileID) (models.File, error) {
	var f models.File
	err := r.visibleFiles(ctx, v).Where("files.id = ?", id).Take(&f).Error
	return f, failed(err, "read file")
}

// FilesOfMessages gives the files of messages of one account, in the order in which they belong to their message.
func (r Reader) FilesOfMessages(ctx context.Context, account models.AccountID, ids []models.MessageID) (map[models.MessageID][]models.File, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var fs []models.File
	err := r.q(ctx).Where("account_id = ? AND message_id IN ?", account, ids).Order("message_id, position").Find(&fs).Error
	if err != nil { // a row that was only begun to be read has no message
		return nil, failed(err, "read files of messages")
	}
	of := make(map[models.MessageID][]models.File, len(fs))
	for _, f := range fs {
		of[*f.MessageID] = append(of[*f.MessageID], f)
	}
	return of, nil
}

// FilesOfConversation gives what was stored of a conversation's files, the newest first, at most limit.
func (r Reader) FilesOfConversation(ctx context.Context, c models.Conversation, limit int) ([]models.File, error) {
	var fs []models.File
	err := r.q(ctx).Where("account_id = ? AND conversation_id = ? AND message_id IS NOT NULL AND state = ?", c.AccountID, c.ID, models.FileStored).
		Order("id DESC").Limit(limit).Find(&fs).Error
	return fs, failed(err, "read files of conversation")
}

// LooseFiles gives what was uploaded before a time and belongs to no message, sent or scheduled, at most limit.
func (r Reader) LooseFiles(ctx context.Context, before time.Time, limit int) ([]models.File, error) {
	var fs []models.File
	err := r.q(ctx).Where("message_id IS NULL AND scheduled_id IS NULL AND created_at < ?", before).Order("created_at").Limit(limit).Find(&fs).Error
	return fs, failed(err, "read loose files")
}

// LeftPending gives the customers' files that were to be fetched before a time and were not, at most limit.
func (r Reader) LeftPending(ctx context.Context, before time.Time, limit int) ([]models.File, error) {
	var fs []models.File
	err := r.q(ctx).Where("state = ? AND direction = ? AND due_at < ?", models.FilePending, models.In, before).
		Order("due_at").Limit(limit).Find(&fs).Error
	return fs, failed(err, "read pending files")
}

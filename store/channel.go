package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kanal/models"
)

// ChannelDraft gives the wizard of a workstream where it stands; the zero value when it is not begun.
func (r Reader) ChannelDraft(ctx context.Context, w models.WorkstreamID) (models.ChannelDraft, error) {
	var ds []models.ChannelDraft
	err := r.q(ctx).Where("workstream_id = ?", w).Limit(1).Find(&ds).Error
	if err != nil || len(ds) == 0 {
		return models.ChannelDraft{WorkstreamID: w}, failed(err, "read channel draft")
	}
	return ds[0], nil
}

var draftColumns = []string{
	"number_id", "language", "greeting_active", "greeting_text", "files", "customer_files", "agent_files", "step", "version",
	"updated_by", "updated_at",
}

// SaveChannelDraft writes a draft; version 0 is one that is new. ErrStale when somebody else was faster.
func (tx *Tx) SaveChannelDraft(ctx context.Context, d *models.ChannelDraft) error {
	was := d.Version
	d.Version++
	d.UpdatedAt = tx.Now()
	if was == 0 {
		res := tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(d)
		return changed(res, "insert channel draft")
	}
	res := tx.q(ctx).Model(&models.ChannelDraft{}).Where("workstream_id = ? AND version = ?", d.WorkstreamID, was).Select(draftColumns).Updates(d)
	return changed(res, "save channel draft")
}

// DeleteChannelDraft removes a draft.
func (tx *Tx) DeleteChannelDraft(ctx context.Context, w models.WorkstreamID) error {
	return failed(tx.q(ctx).Where("workstream_id = ?", w).Delete(&models.ChannelDraft{}).Error, "remove channel draft")
}

// AdoptConversations brings the conversations of a number that are not closed and belong to no workstream into a
// workstream and its queue, and gives how many they were.
func (tx *Tx) AdoptConversations(ctx context.Context, n models.Number, w models.Workstream) (int64, error) {
	res := tx.q(ctx).Model(&models.Conversation{}).
		Where("account_id = ? AND number_id = ? AND state <> ? AND workstream_id IS NULL", n.AccountID, n.ID, models.Closed).
		Updates(map[string]any{"workstream_id": w.ID, "queue_id": w.QueueID, "version": gorm.Expr("version + 1"), "updated_at": tx.Now()})
	return res.RowsAffected, failed(res.Error, "adopt conversations")
}

package store

import (
	"context"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// ErrWorkstreamName says that there is a workstream with this name.
var ErrWorkstreamName = models.E(models.KindConflict, "workstream.name_taken")

func workstreamError(err error, doing string) error {
	if isUnique(err, "workstreams_name") {
		return ErrWorkstreamName
	}
	return failed(err, doing)
}

// InsertWorkstream inserts a workstream and sets its id. ErrWorkstreamName.
func (tx *Tx) InsertWorkstream(ctx context.Context, w *models.Workstream) error {
	return workstreamError(tx.q(ctx).Create(w).Error, "insert workstream")
}

// SaveWorkstream writes what changes in a workstream. ErrStale, ErrWorkstreamName.
func (tx *Tx) SaveWorkstream(ctx context.Context, w *models.Workstream) error {
	was := w.Version
	w.Version++
	w.UpdatedAt = tx.Now()
	res := tx.q(ctx).Model(&models.Workstream{}).Where("id = ? AND version = ?", w.ID, was).
		Select("name", "distribution", "queue_id", "version", "updated_at").Updates(w)
	if res.Error != nil {
		return workstreamError(res.Error, "save workstream")
	}
	return changed(res, "save workstream")
}

// Workstream gives a workstream. ErrNotFound.
func (r Reader) Workstream(ctx context.Context, id models.WorkstreamID) (models.Workstream, error) {
	var w models.Workstream
	err := r.q(ctx).Where("id = ?", id).Take(&w).Error
	return w, failed(err, "read workstream")
}

// Workstreams gives all workstreams by name.
func (r Reader) Workstreams(ctx context.Context) ([]models.WorkstreamRow, error) {
	var rows []models.WorkstreamRow
	err := r.q(ctx).Model(&models.Workstream{}).Select(`workstreams.*, queues.name AS queue_name,
		(SELECT count(*) FROM numbers WHERE numbers.workstream_id = workstreams.id) AS numbers,
		EXISTS (SELECT 1 FROM channel_drafts WHERE channel_drafts.workstream_id = workstreams.id) AS has_draft`).
		Joins("JOIN queues ON queues.id = workstreams.queue_id").Order("lower(workstreams.name), workstreams.id").Find(&rows).Error
	return rows, failed(err, "read workstreams")
}

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

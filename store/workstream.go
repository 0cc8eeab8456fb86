package store

import (
	"context"

	"gorm.io/gorm"

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

func (r Reader) workstreamRows(ctx context.Context) *gorm.DB {
	return r.q(ctx).Model(&models.Workstream{}).Select(`workstreams.*, queues.name AS queue_name,
		(SELECT count(*) FROM numbers WHERE numbers.workstream_id = workstreams.id) AS numbers,
		EXISTS (SELECT 1 FROM channel_drafts WHERE channel_drafts.workstream_id = workstreams.id) AS has_draft`).
		Joins("JOIN queues ON queues.id = workstreams.queue_id")
}

// Workstreams gives all workstreams by name.
func (r Reader) Workstreams(ctx context.Context) ([]models.WorkstreamRow, error) {
	var rows []models.WorkstreamRow
	err := r.workstreamRows(ctx).Order("lower(workstreams.name), workstreams.id").Find(&rows).Error
	return rows, failed(err, "read workstreams")
}

// WorkstreamRow gives a workstream as the list shows it. ErrNotFound.
func (r Reader) WorkstreamRow(ctx context.Context, id models.WorkstreamID) (models.WorkstreamRow, error) {
	var row models.WorkstreamRow
	err := r.workstreamRows(ctx).Where("workstreams.id = ?", id).Take(&row).Error
	return row, failed(err, "read workstream")
}

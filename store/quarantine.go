package store

import (
	"context"

	"gorm.io/gorm"

	"kanal/models"
)

// InsertQuarantine keeps a call that could not be taken in.
func (tx *Tx) InsertQuarantine(ctx context.Context, q *models.Quarantine) error {
	return failed(tx.q(ctx).Create(q).Error, "insert quarantine")
}

// IsQuarantined tells whether the same call is in quarantine, or was.
func (r Reader) IsQuarantined(ctx context.Context, q models.Quarantine) (bool, error) {
	var n int64
	err := r.q(ctx).Model(&models.Quarantine{}).
		Where("account_id = ? AND kind = ? AND received_at = ? AND form = ?", q.AccountID, q.Kind, q.ReceivedAt, q.Form).Count(&n).Error
	return n > 0, failed(err, "look into quarantine")
}

// QuarantinePage is the number of rows of one page of quarantine.
const QuarantinePage = 50

// QuarantineFilter says which calls a list shows: those that wait, or those that are done; from before a
// call, 0 for the newest.
type QuarantineFilter struct {
	Done   bool
	Before models.QuarantineID
}

const (
	quarantineWaits = "quarantines.replayed_at IS NULL AND quarantines.discarded_at IS NULL"
	quarantineRow   = `quarantines.*, accounts.name AS account_name, coalesce(users.name, '') AS tried_by_name`
)

func (r Reader) quarantineRows(ctx context.Context) *gorm.DB {
	return r.q(ctx).Model(&models.Quarantine{}).Select(quarantineRow).
		Joins("JOIN accounts ON accounts.id = quarantines.account_id").Joins("LEFT JOIN users ON users.id = quarantines.tried_by")
}

// Quarantined gives calls in quarantine, the newest first. It gives at most one row more than a page: then there are
// more.
func (r Reader) Quarantined(ctx context.Context, f QuarantineFilter) ([]models.QuarantineRow, error) {
	db := r.quarantineRows(ctx)
	if f.Done {
		db = db.Where("NOT (" + quarantineWaits + ")")
	} else {
		db = db.Where(quarantineWaits)
	}
	if f.Before != 0 {
		db = db.Where("quarantines.id < ?", f.Before)
	}
	var rows []models.QuarantineRow
	if err := db.Order("quarantines.id DESC").Limit(QuarantinePage + 1).Find(&rows).Error; err != nil {
		return nil, failed(err, "read quarantine")
	}
	return rows, r.countTries(ctx, rows)
}

// QuarantinedCall gives a call in quarantine. ErrNotFound.
func (r Reader) QuarantinedCall(ctx context.Context, id models.QuarantineID) (models.QuarantineRow, error) {
	rows := make([]models.QuarantineRow, 1)
	if err := r.quarantineRows(ctx).Where("quarantines.id = ?", id).Take(&rows[0]).Error; err != nil {
		return rows[0], failed(err, "read quarantine")
	}
	err := r.countTries(ctx, rows)
	return rows[0], err
}

// QuarantineReplayed is what the audit log calls a replay.
const QuarantineReplayed = "quarantine.replayed"

// countTries counts the replays of calls, which the audit log holds.
func (r Reader) countTries(ctx context.Context, rows []models.QuarantineRow) error {
	subjects := map[string]int{}
	for i, q := range rows {
		if q.TriedAt != nil {
			subjects[q.ID.Row()] = i
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	keys := make([]string, 0, len(subjects))
	for s := range subjects {
		keys = append(keys, s)
	}
	var counts []struct {
		Subject string
		N       int
	}
	err := r.q(ctx).Model(&models.Audit{}).Select("subject, count(*) AS n").Where("action = ? AND subject IN ?", QuarantineReplayed, keys).
		Group("subject").Find(&counts).Error
	if err != nil {
		return failed(err, "count replays")
	}
	for _, c := range counts {
		rows[subjects[c.Subject]].Tries = c.N
	}
	return nil
}

// WaitingQuarantine gives the ids of calls of one reason that wait, after one, the oldest first.
func (r Reader) WaitingQuarantine(ctx context.Context, reason string, after models.QuarantineID) ([]models.QuarantineID, error) {
	var ids []models.QuarantineID
	err := r.q(ctx).Model(&models.Quarantine{}).Where(quarantineWaits+" AND reason = ? AND id > ?", reason, after).
		Order("id").Limit(QuarantinePage).Pluck("id", &ids).Error
	return ids, failed(err, "read quarantine")
}

// CountQuarantine counts the calls that wait, of each reason.
func (r Reader) CountQuarantine(ctx context.Context) (map[string]int, error) {
	var counts []struct {
		Reason string
		N      int
	}
	err := r.q(ctx).Model(&models.Quarantine{}).Select("reason, count(*) AS n").Where(quarantineWaits).Group("reason").Find(&counts).Error
	if err != nil {
		return nil, failed(err, "count quarantine")
	}
	out := map[string]int{}
	for _, c := range counts {
		out[c.Reason] = c.N
	}
	return out, nil
}

// SaveReplay writes what became of the replay of a call: taken in, or not and why. The result is false when it was taken
// in before.
func (tx *Tx) SaveReplay(ctx context.Context, id models.QuarantineID, by models.UserID, problem string) (bool, error) {
	values := map[string]any{"tried_at": tx.Now(), "tried_by": by, "problem": problem}
	if problem == "" {
		values["replayed_at"], values["discarded_at"] = tx.Now(), nil
	}
	res := tx.q(ctx).Model(&models.Quarantine{}).Where("id = ? AND replayed_at IS NULL", id).Updates(values)
	return res.RowsAffected > 0, failed(res.Error, "write replay")
}

// DiscardQuarantine notes that a call is not wanted. The result is false when it did not wait any more.
func (tx *Tx) DiscardQuarantine(ctx context.Context, id models.QuarantineID) (bool, error) {
	res := tx.q(ctx).Model(&models.Quarantine{}).Where("id = ? AND "+quarantineWaits, id).Update("discarded_at", tx.Now())
	return res.RowsAffected > 0, failed(res.Error, "discard call")
}

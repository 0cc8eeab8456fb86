package store

import (
	"context"
	"time"

	"kanal/models"
)

// NewestReport gives when the newest status callback of an account came, not before since; zero when none did.
func (r Reader) NewestReport(ctx context.Context, account models.AccountID, since time.Time) (time.Time, error) {
	var es []models.ProviderEvent
	err := r.q(ctx).Where("account_id = ? AND kind = ? AND received_at >= ?", account, models.EventKindStatus, since).
		Order("received_at DESC").Limit(1).Find(&es).Error
	if err != nil || len(es) == 0 {
		return time.Time{}, failed(err, "read newest report")
	}
	return es[0].ReceivedAt, nil
}

// NewestSent gives when the newest message of an account that Twilio has taken was written, between two times; zero when
// there is none.
func (r Reader) NewestSent(ctx context.Context, account models.AccountID, since, before time.Time) (time.Time, error) {
	var ms []models.Message
	err := r.q(ctx).Where("account_id = ? AND direction = ? AND provider_sid IS NOT NULL AND created_at >= ? AND created_at < ?", account, models.Out, since, before).
		Order("created_at DESC").Limit(1).Find(&ms).Error
	if err != nil || len(ms) == 0 {
		return time.Time{}, failed(err, "read newest message sent")
	}
	return ms[0].CreatedAt, nil
}

// Outbound tells how many messages wait to be sent that neither their account nor an attempt holds back, and since when
// the oldest does; zero when there is none.
func (r Reader) Outbound(ctx context.Context, now time.Time) (n int, oldest time.Time, err error) {
	waiting := r.q(ctx).Model(&models.Message{}).
		Joins("LEFT JOIN send_attempts ON send_attempts.account_id = messages.account_id AND send_attempts.message_id = messages.id AND send_attempts.n = messages.attempt").
		Where(unsentMessages+" AND messages.state = ?", models.Queued).
		Where("send_attempts.not_before IS NULL OR send_attempts.not_before < ?", now).
		Where("messages.retry_at IS NULL OR messages.retry_at < ?", now).
		Where("NOT EXISTS (SELECT 1 FROM accounts WHERE accounts.id = messages.account_id AND accounts.stopped_at IS NOT NULL)")
	var rows []models.Message
	if err := waiting.Select("messages.updated_at").Order("messages.updated_at").Limit(1000).Find(&rows).Error; err != nil || len(rows) == 0 {
		return 0, time.Time{}, failed(err, "read the outbound queue")
	}
	return len(rows), rows[0].UpdatedAt, nil
}

// TemplatesByStatus counts the templates of an account by status.
func (r Reader) TemplatesByStatus(ctx context.Context, account models.AccountID) (map[models.TemplateStatus]int, error) {
	var rows []struct {
		Status models.TemplateStatus
		N      int
	}
	err := r.live(ctx, account).Select("status, count(*) AS n").Group("status").Scan(&rows).Error
	if err != nil {
		return nil, failed(err, "count templates")
	}
	counts := map[models.TemplateStatus]int{}
	for _, row := range rows {
		counts[row.Status] = row.N
	}
	return counts, nil
}

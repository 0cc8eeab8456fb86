package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kanal/models"
)

// NewestReport gives when the newest status callback of an account came, not before since; zero when none did.
func (r Reader) NewestReport(ctx context.Context, account models.AccountID, since time.Time) (time.Time, error) {
	events := r.q(ctx).Model(&models.ProviderEvent{}).Where(byTime, account).Where("kind = ? AND received_at >= ?", models.EventKindStatus, since)
	at, err := newest(events, "received_at")
	return at, failed(err, "read newest report")
}

// NewestSent gives when the newest message of an account that Twilio has taken was written, between two times; zero when
// there is none.
func (r Reader) NewestSent(ctx context.Context, account models.AccountID, since, before time.Time) (time.Time, error) {
	sent := r.q(ctx).Model(&models.Message{}).Where(byTime, account).
		Where("direction = ? AND provider_sid IS NOT NULL AND created_at >= ? AND created_at < ?", models.Out, since, before)
	at, err := newest(sent, "created_at")
	return at, failed(err, "read newest message sent")
}

// byTime chooses an account's rows from an index by time. Without the plus sign SQLite takes one that begins with the
// account, and reads all that the account has ever had.
const byTime = "+account_id = ?"

func newest(rows *gorm.DB, column string) (time.Time, error) {
	var at []time.Time
	err := rows.Order(column+" DESC").Limit(1).Pluck(column, &at).Error
	if err != nil || len(at) == 0 {
		return time.Time{}, err
	}
	return at[0], nil
}

// Outbound tells how many messages could go out now, and since when the oldest could; zero when there is none. It counts
// to MostOutbound.
func (r Reader) Outbound(ctx context.Context, now time.Time) (n int, oldest time.Time, err error) {
	var rows []struct {
		UpdatedAt          time.Time
		RetryAt, NotBefore *time.Time
	}
	err = r.sendable(ctx, now).Select("messages.updated_at, messages.retry_at, send_attempts.not_before").Order("messages.updated_at").Limit(MostOutbound).Scan(&rows).Error
	if err != nil {
		return 0, time.Time{}, failed(err, "read the outbound queue")
	}
	for _, row := range rows {
		since := row.UpdatedAt
		for _, held := range []*time.Time{row.RetryAt, row.NotBefore} {
			if held != nil && held.After(since) {
				since = *held
			}
		}
		if oldest.IsZero() || since.Before(oldest) {
			oldest = since
		}
	}
	return len(rows), oldest, nil
}

// MostOutbound is how many messages that could go out are counted.
const MostOutbound = 1000

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

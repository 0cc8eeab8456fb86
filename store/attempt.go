package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kanal/models"
)

// InsertAttempt inserts a send attempt and sets its id. (account, message, n) is unique, so that no try starts twice.
func (tx *Tx) InsertAttempt(ctx context.Context, a *models.SendAttempt) error {
	return failed(tx.q(ctx).Create(a).Error, "insert attempt")
}

// LockAttempt gives the nth attempt of a message, locked. ErrNotFound when there is none.
func (tx *Tx) LockAttempt(ctx context.Context, m models.Message, n int) (models.SendAttempt, error) {
	var a models.SendAttempt
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).
		Where("account_id = ? AND message_id = ? AND n = ?", m.AccountID, m.ID, n).Take(&a).Error
	return a, failed(err, "lock attempt")
}

// Attempts gives the attempts of a message, the first first.
func (r Reader) Attempts(ctx context.Context, m models.Message) ([]models.SendAttempt, error) {
	var as []models.SendAttempt
	err := r.q(ctx).Where("account_id = ? AND message_id = ?", m.AccountID, m.ID).Order("n").Find(&as).Error
	return as, failed(err, "read attempts")
}

var attemptColumns = []string{
	"state", "sid", "lease_until", "finished_at", "not_before", "http_status", "error_code", "listings", "last_listing_at",
}

// SaveAttempt writes what changes in an attempt. Guarded by the state it had: KindConflict when another was faster.
func (tx *Tx) SaveAttempt(ctx context.Context, a models.SendAttempt, was models.AttemptState) error {
	res := tx.q(ctx).Model(&models.SendAttempt{}).Where("id = ? AND state = ?", a.ID, was).
		Select(attemptColumns).Updates(&a)
	return changed(res, "save attempt")
}

// BoundSIDs gives those of the sids that an attempt of the account is bound to.
func (r Reader) BoundSIDs(ctx context.Context, account models.AccountID, sids []string) (map[string]bool, error) {
	var rows []string
	err := r.q(ctx).Model(&models.SendAttempt{}).Where("account_id = ? AND sid IN ?", account, sids).Pluck("sid", &rows).Error
	if err != nil {
		return nil, failed(err, "read bound sids")
	}
	bound := make(map[string]bool, len(rows))
	for _, s := range rows {
		bound[s] = true
	}
	return bound, nil
}

// ExpiredLeases gives the conversations with an attempt whose lease ended before the time: its process has died.
func (r Reader) ExpiredLeases(ctx context.Context, before time.Time) ([]models.ConversationID, error) {
	var ids []models.ConversationID
	err := r.q(ctx).Model(&models.SendAttempt{}).Distinct("messages.conversation_id").
		Joins("JOIN messages ON messages.account_id = send_attempts.account_id AND messages.id = send_attempts.message_id").
		Where(openAttempts+" AND send_attempts.state = ? AND send_attempts.lease_until < ?", models.AttemptSending, before).
		Limit(500).Pluck("messages.conversation_id", &ids).Error
	return ids, failed(err, "read expired leases")
}

// The conditions of the partial indexes, word for word: SQLite uses an index only for a condition that it finds again.
const (
	openAttempts   = "send_attempts.state IN ('sending', 'uncertain')"
	unsentMessages = "messages.state IN ('queued', 'sending', 'uncertain')"
)

// LeftQueued gives the conversations with a message that is queued since before a time and could go out now: the job that
// should have sent it is gone.
func (r Reader) LeftQueued(ctx context.Context, now, before time.Time) ([]models.ConversationID, error) {
	var ids []models.ConversationID
	err := r.sendable(ctx, now).Distinct("messages.conversation_id").Where("messages.updated_at < ?", before).
		Limit(500).Pluck("messages.conversation_id", &ids).Error
	return ids, failed(err, "read messages left behind")
}

// sendable are the queued messages that neither their account, nor an attempt, nor the pause before another one holds back.
func (r Reader) sendable(ctx context.Context, now time.Time) *gorm.DB {
	return r.q(ctx).Model(&models.Message{}).
		Joins("LEFT JOIN send_attempts ON send_attempts.account_id = messages.account_id AND send_attempts.message_id = messages.id AND send_attempts.n = messages.attempt").
		Where(unsentMessages+" AND messages.state = ?", models.Queued).
		Where("send_attempts.not_before IS NULL OR send_attempts.not_before < ?", now).
		Where("messages.retry_at IS NULL OR messages.retry_at < ?", now).
		Where("NOT EXISTS (SELECT 1 FROM accounts WHERE accounts.id = messages.account_id AND accounts.stopped_at IS NOT NULL)")
}

// QueuedConversations gives the conversations of an account that have a queued message.
func (r Reader) QueuedConversations(ctx context.Context, account models.AccountID) ([]models.ConversationID, error) {
	var ids []models.ConversationID
	err := r.q(ctx).Model(&models.Message{}).Distinct("conversation_id").
		Where(unsentMessages+" AND account_id = ? AND state = ?", account, models.Queued).Order("conversation_id").Pluck("conversation_id", &ids).Error
	return ids, failed(err, "read queued conversations")
}

// WaitingRetries gives the messages of an account that wait to be sent again by themselves.
func (r Reader) WaitingRetries(ctx context.Context, account models.AccountID) ([]models.Message, error) {
	var ms []models.Message
	err := r.q(ctx).Where(unsentMessages+" AND account_id = ? AND retry_at IS NOT NULL", account).Order("id").Find(&ms).Error
	return ms, failed(err, "read messages that wait to be sent again")
}

// LeftUncertain gives the messages with an unknown outcome that nobody has looked for since a time.
func (r Reader) LeftUncertain(ctx context.Context, before time.Time) ([]models.MessageID, error) {
	var ids []models.MessageID
	err := r.q(ctx).Model(&models.SendAttempt{}).
		Where(openAttempts+" AND state = ? AND deadline_at < ? AND (last_listing_at IS NULL OR last_listing_at < ?)", models.AttemptUncertain, before, before).
		Order("id").Limit(100).Pluck("message_id", &ids).Error
	return ids, failed(err, "read messages left uncertain")
}

// RivalAttempts gives the attempts whose outcome is not known yet and that would look at Twilio like an attempt of the
// message, which carries a file: to the same address, from the same number, with a file and the same text.
func (r Reader) RivalAttempts(ctx context.Context, m models.Message, number models.NumberID, address string) ([]models.SendAttempt, error) {
	var as []models.SendAttempt
	err := r.q(ctx).Model(&models.SendAttempt{}).
		Joins("JOIN messages ON messages.account_id = send_attempts.account_id AND messages.id = send_attempts.message_id").
		Joins("JOIN conversations ON conversations.account_id = messages.account_id AND conversations.id = messages.conversation_id").
		Where(openAttempts+" AND send_attempts.account_id = ? AND send_attempts.address = ? AND send_attempts.message_id <> ?", m.AccountID, address, m.ID).
		Where("messages.kind IN ? AND messages.content_sid = '' AND messages.body = ? AND conversations.number_id = ?", models.FileKinds(), m.Body, number).
		Find(&as).Error
	return as, failed(err, "read rival attempts")
}

// InsertProviderEvents keeps reports of Twilio as they came.
func (tx *Tx) InsertProviderEvents(ctx context.Context, es []models.ProviderEvent) error {
	if len(es) == 0 {
		return nil
	}
	return failed(tx.q(ctx).Create(&es).Error, "insert provider events")
}

// HasProviderEvent tells whether the same report, received at the same moment, is kept.
func (r Reader) HasProviderEvent(ctx context.Context, e models.ProviderEvent) (bool, error) {
	var n int64
	err := r.q(ctx).Model(&models.ProviderEvent{}).
		Where("account_id = ? AND sid = ? AND status = ? AND received_at = ?", e.AccountID, e.SID, e.Status, e.ReceivedAt).Count(&n).Error
	return n > 0, failed(err, "look for provider event")
}

// RemoveOld deletes provider events, alerts and quarantine received before the time and empties the raw forms of messages of
// that age, at most 1,000 of each; it gives how many rows it touched.
func (tx *Tx) RemoveOld(ctx context.Context, before time.Time) (int64, error) {
	var n int64
	for _, sql := range []string{
		"DELETE FROM provider_events WHERE id IN (SELECT id FROM provider_events WHERE received_at < ? LIMIT 1000)",
		"DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE received_at < ? LIMIT 1000)",
		"DELETE FROM quarantines WHERE id IN (SELECT id FROM quarantines WHERE received_at < ? LIMIT 1000)",
		"UPDATE messages SET form = '' WHERE id IN (SELECT id FROM messages WHERE created_at < ? AND form <> '' LIMIT 1000)",
	} {
		res := tx.q(ctx).Exec(sql, before)
		if res.Error != nil {
			return n, failed(res.Error, "remove old rows")
		}
		n += res.RowsAffected
	}
	return n, nil
}

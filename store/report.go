package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// MessageFor gives a message of a conversation that the viewer may see. ErrNotFound when there is none or the viewer may
// not see it.
func (r Reader) MessageFor(ctx context.Context, v models.Viewer, id models.MessageID) (models.Message, error) {
	m, err := r.Message(ctx, id)
	if err != nil {
		return m, err
	}
	if _, err := r.VisibleConversation(ctx, v, m.ConversationID); err != nil {
		return models.Message{}, err
	}
	return m, nil
}

// MaxReports is how many of Twilio's reports about one message are read.
const MaxReports = 200

// Reports gives what Twilio has reported about a message, the first first, at most MaxReports.
func (r Reader) Reports(ctx context.Context, m models.Message) ([]models.ProviderEvent, error) {
	var es []models.ProviderEvent
	err := r.q(ctx).Where("account_id = ? AND message_id = ?", m.AccountID, m.ID).Order("received_at, id").Limit(MaxReports).Find(&es).Error
	return es, failed(err, "read reports")
}

// OrphanReports gives the reports received after a time that belonged to no message when they came and do now, in the
// order in which they came.
func (r Reader) OrphanReports(ctx context.Context, after time.Time) ([]models.ProviderEvent, error) {
	var es []models.ProviderEvent
	err := r.q(ctx).Where("message_id IS NULL AND kind = ? AND received_at > ?", models.EventKindStatus, after).
		Where("EXISTS (SELECT 1 FROM send_attempts WHERE send_attempts.account_id = provider_events.account_id AND send_attempts.sid = provider_events.sid)").
		Order("received_at, id").Limit(500).Find(&es).Error
	return es, failed(err, "read orphan reports")
}

// AdoptReport gives a report to a message; false when another was faster.
func (tx *Tx) AdoptReport(ctx context.Context, e models.ProviderEvent, m models.MessageID) (bool, error) {
	res := tx.q(ctx).Model(&models.ProviderEvent{}).Where("account_id = ? AND id = ? AND message_id IS NULL", e.AccountID, e.ID).Update("message_id", m)
	return res.RowsAffected == 1, failed(res.Error, "adopt report")
}

// Reported names messages of an account by their sids at Twilio and by their ids.
type Reported struct {
	SIDs []string
	IDs  []models.MessageID
}

// LockReported locks the conversations of messages by account, all of them by id: the order in which those that take in
// messages lock them.
func (tx *Tx) LockReported(ctx context.Context, of map[models.AccountID]Reported) error {
	var theirs []models.ConversationID
	for account, r := range of {
		var bound []models.MessageID
		err := tx.q(ctx).Model(&models.SendAttempt{}).Where("account_id = ? AND sid IN ?", account, r.SIDs).Pluck("message_id", &bound).Error
		if err != nil {
			return failed(err, "read reported attempts")
		}
		var ids []models.ConversationID
		err = tx.q(ctx).Model(&models.Message{}).Where("account_id = ? AND id IN ?", account, append(bound, r.IDs...)).
			Distinct("conversation_id").Pluck("conversation_id", &ids).Error
		if err != nil {
			return failed(err, "read reported messages")
		}
		theirs = append(theirs, ids...)
	}
	var locked []models.ConversationID
	err := tx.q(ctx).Model(&models.Conversation{}).Clauses(clause.Locking{Strength: "UPDATE"}).
		Where("id IN ?", theirs).Order("id").Pluck("id", &locked).Error
	return failed(err, "lock reported conversations")
}

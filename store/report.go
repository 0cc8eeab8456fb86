package store

import (
	"context"

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

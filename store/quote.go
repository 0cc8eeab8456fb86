package store

import (
	"context"

	"kanal/models"
)

// Quotes gives the messages that those of a conversation answer, by the id of the one that answers: of the same
// customer, and only what the viewer may see. One that Twilio had not told us of when its answer came is found too.
func (r Reader) Quotes(ctx context.Context, v models.Viewer, of models.ConversationRow, ms []models.Message) (map[models.MessageID]models.Message, error) {
	var ids []models.MessageID
	var sids []string
	for _, m := range ms {
		if m.QuotedID != nil {
			ids = append(ids, *m.QuotedID)
		} else if m.Details.QuotedSID != "" {
			sids = append(sids, m.Details.QuotedSID)
		}
	}
	if len(ids)+len(sids) == 0 {
		return nil, nil
	}
	var found []models.Message
	err := visible(r.q(ctx).Model(&models.Message{}), v).Select("messages.*, coalesce(users.name, '') AS user_name").
		Joins("JOIN conversations ON conversations.account_id = messages.account_id AND conversations.id = messages.conversation_id").
		Joins("LEFT JOIN users ON users.id = messages.user_id").
		Where("messages.account_id = ? AND conversations.contact_id = ?", of.AccountID, of.ContactID).
		Where(r.q(ctx).Where("messages.id IN ?", ids).Or("messages.provider_sid IN ?", sids)).Find(&found).Error
	if err != nil {
		return nil, failed(err, "read quoted messages")
	}
	byID, bySID := map[models.MessageID]models.Message{}, map[string]models.Message{}
	for _, m := range found {
		byID[m.ID] = m
		if m.ProviderSID != nil {
			bySID[*m.ProviderSID] = m
		}
	}
	quotes := map[models.MessageID]models.Message{}
	for _, m := range ms {
		q, ok := bySID[m.Details.QuotedSID]
		if m.QuotedID != nil {
			q, ok = byID[*m.QuotedID]
		}
		if ok {
			quotes[m.ID] = q
		}
	}
	return quotes, nil
}

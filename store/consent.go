package store

import (
	"context"

	"gorm.io/gorm"

	"kanal/models"
)

// InsertConsents adds consents in the order given.
func (tx *Tx) InsertConsents(ctx context.Context, cs []models.Consent) error {
	if len(cs) == 0 {
		return nil
	}
	return failed(tx.q(ctx).Create(&cs).Error, "insert consents")
}

// ConsentState gives what a customer has agreed to with a messaging account.
func (r Reader) ConsentState(ctx context.Context, account models.AccountID, contact models.ContactID) (models.ConsentState, error) {
	states, err := r.ConsentStates(ctx, account, []models.ContactID{contact})
	return states[contact], err
}

// ConsentStates gives what customers have agreed to with a messaging account; who never said anything is not in it.
func (r Reader) ConsentStates(ctx context.Context, account models.AccountID, contacts []models.ContactID) (map[models.ContactID]models.ConsentState, error) {
	newest := r.q(ctx).Model(&models.Consent{}).Select("max(id)").
		Where("account_id = ? AND contact_id IN ?", account, contacts).Group("contact_id, scope")
	var rows []models.Consent
	if err := r.q(ctx).Where("id IN (?)", newest).Order("id").Find(&rows).Error; err != nil {
		return nil, failed(err, "read consents")
	}
	of := map[models.ContactID][]models.Consent{}
	for _, c := range rows {
		of[c.ContactID] = append(of[c.ContactID], c)
	}
	states := make(map[models.ContactID]models.ConsentState, len(of))
	for contact, cs := range of {
		states[contact] = models.ConsentStateOf(cs...)
	}
	return states, nil
}

// Consents gives what a customer has said to the messaging accounts with which they have a conversation that the viewer
// may see, the newest first, at most limit.
func (r Reader) Consents(ctx context.Context, v models.Viewer, contact models.ContactID, limit int) ([]models.Consent, error) {
	var cs []models.Consent
	err := r.q(ctx).Select("consents.*, coalesce(users.name, '') AS user_name").
		Joins("LEFT JOIN users ON users.id = consents.user_id").
		Where("consents.contact_id = ? AND consents.account_id IN (?)", contact, r.accountsOf(ctx, v, contact)).
		Order("consents.id DESC").Limit(limit).Find(&cs).Error
	return cs, failed(err, "read consents")
}

// QueuedMessages gives the messages that are queued in a conversation.
func (r Reader) QueuedMessages(ctx context.Context, c models.Conversation) ([]models.Message, error) {
	var ms []models.Message
	return ms, failed(r.queued(ctx, c).Find(&ms).Error, "read queued messages")
}

// QueuedTemplates gives the templates that are queued in a conversation, or only those of marketing.
func (r Reader) QueuedTemplates(ctx context.Context, c models.Conversation, marketing bool) ([]models.Message, error) {
	db := r.queued(ctx, c).Where("kind = ?", models.KindTemplate)
	if marketing {
		ads := r.q(ctx).Model(&models.Template{}).Select("id").Where("account_id = ? AND category = ?", c.AccountID, models.CategoryMarketing)
		db = db.Where("template_id IN (?)", ads)
	}
	var ms []models.Message
	return ms, failed(db.Find(&ms).Error, "read queued templates")
}

func (r Reader) queued(ctx context.Context, c models.Conversation) *gorm.DB {
	return r.q(ctx).Where("account_id = ? AND conversation_id = ? AND state = ?", c.AccountID, c.ID, models.Queued).Order("seq")
}

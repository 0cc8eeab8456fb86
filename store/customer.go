package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kanal/models"
)

// visibleContacts limits a query on contacts to what the viewer may see: supervisors and administrators all, an agent
// those with a conversation that the agent may see. Whoever starts a conversation has it.
func (r Reader) visibleContacts(ctx context.Context, v models.Viewer) *gorm.DB {
	db := r.q(ctx).Model(&models.Contact{})
	if v.Role.SeesAll() {
		return db
	}
	theirs := visible(r.q(ctx).Model(&models.Conversation{}), v).Select("1").Where("conversations.contact_id = contacts.id")
	return db.Where("EXISTS (?)", theirs)
}

// Customer gives a customer with the identities. ErrNotFound when there is none or the viewer may not see them.
func (r Reader) Customer(ctx context.Context, v models.Viewer, id models.ContactID) (models.Contact, []models.ContactIdentity, error) {
	var ids []models.ContactID
	if err := r.visibleContacts(ctx, v).Where("contacts.id = ?", id).Limit(1).Pluck("contacts.id", &ids).Error; err != nil {
		return models.Contact{}, nil, failed(err, "read customer")
	}
	if len(ids) == 0 {
		return models.Contact{}, nil, models.ErrNotFound
	}
	return r.Contact(ctx, id)
}

// LockCustomer gives a customer, locked until the transaction ends. ErrNotFound when there is none or the viewer may
// not see them.
func (tx *Tx) LockCustomer(ctx context.Context, v models.Viewer, id models.ContactID) (models.Contact, error) {
	var c models.Contact
	err := tx.visibleContacts(ctx, v).Clauses(clause.Locking{Strength: "UPDATE"}).Where("contacts.id = ?", id).Take(&c).Error
	return c, failed(err, "lock customer")
}

// LockConversationsWith locks and gives the conversations with a customer that are not closed or have a message that is
// queued, of all accounts and whoever has them.
func (tx *Tx) LockConversationsWith(ctx context.Context, contact models.ContactID) ([]models.Conversation, error) {
	queued := tx.q(ctx).Model(&models.Message{}).Select("1").Where("messages.account_id = conversations.account_id").
		Where("messages.conversation_id = conversations.id AND messages.state = ?", models.Queued)
	var cs []models.Conversation
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).
		Where("contact_id = ? AND (state <> ? OR EXISTS (?))", contact, models.Closed, queued).Order("id").Find(&cs).Error
	return cs, failed(err, "lock conversations of customer")
}

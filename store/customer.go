package store

import (
	"context"
	"slices"

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

// Blocked tells which of these customers somebody has blocked.
func (r Reader) Blocked(ctx context.Context, contacts []models.ContactID) (map[models.ContactID]bool, error) {
	var ids []models.ContactID
	err := r.q(ctx).Model(&models.Contact{}).Where("id IN ? AND blocked_at IS NOT NULL", contacts).Pluck("id", &ids).Error
	if err != nil {
		return nil, failed(err, "read who is blocked")
	}
	blocked := make(map[models.ContactID]bool, len(ids))
	for _, id := range ids {
		blocked[id] = true
	}
	return blocked, nil
}

// SetBlocked notes who has blocked a customer, nil that nobody has any more.
func (tx *Tx) SetBlocked(ctx context.Context, id models.ContactID, by *models.UserID) error {
	now := tx.Now()
	set := map[string]any{"blocked_at": nil, "blocked_by": nil, "updated_at": now}
	if by != nil {
		set["blocked_at"], set["blocked_by"] = now, *by
	}
	return changed(tx.q(ctx).Model(&models.Contact{}).Where("id = ?", id).Updates(set), "block customer")
}

// LastConversations gives for each key the conversation that is not closed, else the newest that is, locked until the
// transaction ends; where there is none it inserts what fresh gives.
func (tx *Tx) LastConversations(ctx context.Context, keys []ConversationKey, fresh func(ConversationKey) models.Conversation) (map[ConversationKey]*models.Conversation, error) {
	found := map[ConversationKey]*models.Conversation{}
	keys = slices.Clone(keys)
	slices.SortFunc(keys, compareConversationKeys)
	for _, k := range slices.Compact(keys) {
		var cs []models.Conversation
		err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).
			Where("account_id = ? AND number_id = ? AND contact_id = ?", k.Account, k.Number, k.Contact).
			Order("CASE WHEN state = 'closed' THEN 1 ELSE 0 END, id DESC").Limit(1).Find(&cs).Error
		if err != nil {
			return nil, failed(err, "lock last conversation")
		}
		if len(cs) == 0 {
			cs = []models.Conversation{fresh(k)}
			if err := tx.q(ctx).Create(&cs).Error; err != nil {
				return nil, failed(err, "insert conversation")
			}
		}
		found[k] = &cs[0]
	}
	return found, nil
}

// SaveCustomer writes what a person knows of a customer. ErrStale.
func (tx *Tx) SaveCustomer(ctx context.Context, c models.Contact) error {
	was := c.Version
	c.Version++
	c.UpdatedAt = tx.Now()
	res := tx.q(ctx).Model(&models.Contact{}).Where("id = ? AND version = ?", c.ID, was).
		Select("name", "language", "version", "updated_at").Updates(&c)
	return changed(res, "save customer")
}

// ConversationsWith gives the conversations with a customer that are not closed.
func (r Reader) ConversationsWith(ctx context.Context, contact models.ContactID) ([]models.Conversation, error) {
	var cs []models.Conversation
	err := r.q(ctx).Where("contact_id = ? AND state <> ?", contact, models.Closed).Order("id").Find(&cs).Error
	return cs, failed(err, "read conversations of customer")
}

// CustomerConversations gives the conversations with a customer that the viewer may see, closed ones too, the newest
// first, at most limit.
func (r Reader) CustomerConversations(ctx context.Context, v models.Viewer, contact models.ContactID, limit int) ([]models.ConversationRow, error) {
	page := r.visibleConversations(ctx, v).Where("conversations.contact_id = ?", contact).
		Order("conversations.id DESC").Limit(limit)
	var rows []models.ConversationRow
	err := r.conversationRows(ctx, v, page).Order("conversations.id DESC").Find(&rows).Error
	return rows, failed(err, "read conversations of customer")
}

// CustomerAccounts gives the messaging accounts with which a customer has a conversation that the viewer may see, by name.
func (r Reader) CustomerAccounts(ctx context.Context, v models.Viewer, contact models.ContactID) ([]models.Account, error) {
	var as []models.Account
	err := r.q(ctx).Where("id IN (?)", r.accountsOf(ctx, v, contact)).Order("lower(name), id").Find(&as).Error
	return as, failed(err, "read accounts of customer")
}

// accountsOf asks for the ids of the accounts with which a customer has a conversation that the viewer may see.
func (r Reader) accountsOf(ctx context.Context, v models.Viewer, contact models.ContactID) *gorm.DB {
	return r.visibleConversations(ctx, v).Select("conversations.account_id").Where("conversations.contact_id = ?", contact)
}

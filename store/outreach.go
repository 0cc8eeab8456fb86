package store

import (
	"context"
	"errors"
	"strings"

	"kanal/models"
)

// NumbersToStart gives the numbers from which the viewer may start a conversation: those of workstreams whose queue the
// viewer is a member of, all of them for supervisors and administrators.
func (r Reader) NumbersToStart(ctx context.Context, v models.Viewer) ([]models.NumberRow, error) {
	db := r.numberRows(ctx).Where("numbers.workstream_id IS NOT NULL AND accounts.state <> ?", models.AccountDraft)
	if !v.Role.SeesAll() {
		db = db.Where("workstreams.queue_id IN (SELECT queue_id FROM queue_members WHERE user_id = ?)", v.User)
	}
	var rows []models.NumberRow
	return rows, failed(db.Find(&rows).Error, "read numbers to start from")
}

// CustomersNamed gives the customers whom the viewer may see and whose name has a text in it, at most limit.
func (r Reader) CustomersNamed(ctx context.Context, v models.Viewer, text string, limit int) ([]models.Contact, error) {
	like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(text)) + "%"
	var cs []models.Contact
	err := r.visibleContacts(ctx, v).
		Where(`(lower(contacts.name) LIKE ? ESCAPE '\' OR contacts.name = '' AND lower(contacts.profile_name) LIKE ? ESCAPE '\')`, like, like).
		Order("contacts.updated_at DESC, contacts.id DESC").Limit(limit).Find(&cs).Error
	return cs, failed(err, "read customers by name")
}

// PhonesOf gives the number of each of these customers, as WhatsApp gave it; who hides it has none.
func (r Reader) PhonesOf(ctx context.Context, contacts []models.ContactID) (map[models.ContactID]string, error) {
	var rows []models.ContactIdentity
	err := r.q(ctx).Where("contact_id IN ? AND kind = ? AND NOT derived", contacts, models.IdentityPhone).Order("id DESC").Find(&rows).Error
	if err != nil {
		return nil, failed(err, "read numbers of customers")
	}
	phones := map[models.ContactID]string{}
	for _, i := range rows {
		phones[i.ContactID] = i.Value
	}
	return phones, nil
}

// LastAddress gives the address from which a customer last wrote to an account, "" when they never did.
func (r Reader) LastAddress(ctx context.Context, account models.AccountID, contact models.ContactID) (string, error) {
	var c models.Conversation
	err := r.q(ctx).Where("account_id = ? AND contact_id = ? AND last_inbound_at IS NOT NULL", account, contact).
		Order("last_inbound_at DESC, id DESC").Limit(1).Take(&c).Error
	if errors.Is(failed(err, ""), models.ErrNotFound) {
		return "", nil
	}
	return c.Address, failed(err, "read last address")
}

// IsMember tells whether the viewer may work in a queue.
func (r Reader) IsMember(ctx context.Context, v models.Viewer, q models.QueueID) (bool, error) {
	if v.Role.SeesAll() {
		return true, nil
	}
	var n int64
	err := r.q(ctx).Table("queue_members").Where("queue_id = ? AND user_id = ?", q, v.User).Count(&n).Error
	return n > 0, failed(err, "read membership")
}

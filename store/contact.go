package store

import (
	"context"
	"slices"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// Address is how a customer is known in one inbound message; either part may be empty, not both.
type Address struct {
	Phone       string // E.164
	BSUID       string
	ProfileName string
}

func (a Address) identities() []models.ContactIdentity {
	var ids []models.ContactIdentity
	if a.BSUID != "" {
		ids = append(ids, models.ContactIdentity{Kind: models.IdentityBSUID, Value: a.BSUID})
	}
	if a.Phone != "" {
		ids = append(ids, models.ContactIdentity{Kind: models.IdentityPhone, Value: a.Phone})
	}
	return ids
}

type identityKey struct{ kind, value string }

func keyOf(i models.ContactIdentity) identityKey { return identityKey{i.Kind, i.Value} }

// Contacts finds or makes the contact of each address and gives their ids in the same order. A BSUID wins over a
// number; an identity that is missing is added. The profile name is kept beside a name that a person typed.
func (tx *Tx) Contacts(ctx context.Context, addresses []Address) ([]models.ContactID, error) {
	known, err := tx.identities(ctx, addresses)
	if err != nil {
		return nil, err
	}
	if err := tx.addContacts(ctx, addresses, known); err != nil {
		return nil, err
	}
	out := make([]models.ContactID, len(addresses))
	var missing []models.ContactIdentity
	for i, a := range addresses {
		out[i] = winner(a, known)
		for _, id := range a.identities() {
			if known[keyOf(id)] == 0 {
				id.ContactID, id.CreatedAt = out[i], tx.Now()
				known[keyOf(id)] = out[i]
				missing = append(missing, id)
			}
		}
	}
	if err := tx.insertIdentities(ctx, missing); err != nil {
		return nil, err
	}
	return out, tx.updateProfileNames(ctx, addresses, out)
}

// winner gives the contact that an address belongs to, 0 when none of its identities is known.
func winner(a Address, known map[identityKey]models.ContactID) models.ContactID {
	for _, id := range a.identities() {
		if c := known[keyOf(id)]; c != 0 {
			return c
		}
	}
	return 0
}

func (tx *Tx) identities(ctx context.Context, addresses []Address) (map[identityKey]models.ContactID, error) {
	byKind := map[string][]string{}
	for _, a := range addresses {
		for _, id := range a.identities() {
			byKind[id.Kind] = append(byKind[id.Kind], id.Value)
		}
	}
	known := map[identityKey]models.ContactID{}
	for kind, values := range byKind {
		var rows []models.ContactIdentity
		if err := tx.q(ctx).Where("kind = ? AND value IN ?", kind, values).Find(&rows).Error; err != nil {
			return nil, failed(err, "read identities")
		}
		for _, r := range rows {
			known[keyOf(r)] = r.ContactID
		}
	}
	return known, nil
}

// addContacts makes a contact for each address that has none and enters their identities into known. When another
// transaction was faster, its contact is taken and ours removed.
func (tx *Tx) addContacts(ctx context.Context, addresses []Address, known map[identityKey]models.ContactID) error {
	now := tx.Now()
	var fresh []models.Contact
	place := map[identityKey]int{}
	var ids []models.ContactIdentity
	for _, a := range addresses {
		if winner(a, known) != 0 {
			continue
		}
		at := -1
		for _, id := range a.identities() {
			if p, ok := place[keyOf(id)]; ok {
				at = p
				break
			}
		}
		if at < 0 {
			at = len(fresh)
			fresh = append(fresh, models.Contact{ProfileName: a.ProfileName, Version: 1, CreatedAt: now, UpdatedAt: now})
		}
		for _, id := range a.identities() {
			if _, ok := place[keyOf(id)]; !ok {
				place[keyOf(id)] = at
				ids = append(ids, id)
			}
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := tx.q(ctx).Create(&fresh).Error; err != nil {
		return failed(err, "insert contacts")
	}
	for i := range ids {
		ids[i].ContactID, ids[i].CreatedAt = fresh[place[keyOf(ids[i])]].ID, now
	}
	if err := tx.insertIdentities(ctx, ids); err != nil {
		return err
	}
	return tx.takeFaster(ctx, addresses, fresh, known)
}

// takeFaster reads the identities again, and removes those of our new contacts that lost to another transaction. What
// such a contact got before it lost, a number whose user id was the other's, moves to the winner.
func (tx *Tx) takeFaster(ctx context.Context, addresses []Address, fresh []models.Contact, known map[identityKey]models.ContactID) error {
	now, err := tx.identities(ctx, addresses)
	if err != nil {
		return err
	}
	lost := losers(addresses, fresh, now)
	for from, to := range lost {
		if err := tx.q(ctx).Model(&models.ContactIdentity{}).Where("contact_id = ?", from).Update("contact_id", to).Error; err != nil {
			return failed(err, "move identities")
		}
	}
	used := map[models.ContactID]bool{}
	for k, c := range now {
		if to := lost[c]; to != 0 {
			c = to
		}
		known[k], used[c] = c, true
	}
	for _, c := range fresh {
		if used[c.ID] {
			continue
		}
		if err := tx.q(ctx).Delete(&models.Contact{}, "id = ?", c.ID).Error; err != nil {
			return failed(err, "remove contact")
		}
	}
	return nil
}

// losers gives those of our new contacts of which a part went to the contact of another transaction, with that one.
func losers(addresses []Address, fresh []models.Contact, now map[identityKey]models.ContactID) map[models.ContactID]models.ContactID {
	ours := map[models.ContactID]bool{}
	for _, c := range fresh {
		ours[c.ID] = true
	}
	lost := map[models.ContactID]models.ContactID{}
	for _, a := range addresses {
		w := winner(a, now)
		for _, id := range a.identities() {
			if c := now[keyOf(id)]; ours[c] && !ours[w] {
				lost[c] = w
			}
		}
	}
	return lost
}

// insertIdentities adds identities; one that exists stays with its contact. They are sorted so that two transactions
// wait for each other in one order.
func (tx *Tx) insertIdentities(ctx context.Context, ids []models.ContactIdentity) error {
	if len(ids) == 0 {
		return nil
	}
	slices.SortFunc(ids, func(a, b models.ContactIdentity) int { return compareKeys(keyOf(a), keyOf(b)) })
	return failed(tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&ids).Error, "insert identities")
}

func compareKeys(a, b identityKey) int {
	if a.kind != b.kind {
		return compareStrings(a.kind, b.kind)
	}
	return compareStrings(a.value, b.value)
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (tx *Tx) updateProfileNames(ctx context.Context, addresses []Address, ids []models.ContactID) error {
	want := map[models.ContactID]string{}
	for i, a := range addresses {
		if a.ProfileName != "" {
			want[ids[i]] = a.ProfileName
		}
	}
	var rows []models.Contact
	if err := tx.q(ctx).Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return failed(err, "read contacts")
	}
	for _, c := range rows {
		if name := want[c.ID]; name != "" && name != c.ProfileName {
			err := tx.q(ctx).Model(&models.Contact{}).Where("id = ?", c.ID).
				Updates(map[string]any{"profile_name": name, "updated_at": tx.Now()}).Error
			if err != nil {
				return failed(err, "update profile name")
			}
		}
	}
	return nil
}

// Contact gives a contact with its identities. ErrNotFound when there is none.
func (r Reader) Contact(ctx context.Context, id models.ContactID) (models.Contact, []models.ContactIdentity, error) {
	var c models.Contact
	if err := r.q(ctx).Where("id = ?", id).Take(&c).Error; err != nil {
		return c, nil, failed(err, "read contact")
	}
	var ids []models.ContactIdentity
	err := r.q(ctx).Where("contact_id = ?", id).Order("kind, value").Find(&ids).Error
	return c, ids, failed(err, "read identities")
}

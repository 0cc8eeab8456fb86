package store

import (
	"context"
	"maps"
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
	if plain := models.PlainPhone(a.Phone); plain != a.Phone {
		ids = append(ids, models.ContactIdentity{Kind: models.IdentityPhone, Value: plain, Derived: true})
	}
	return ids
}

type identityKey struct{ kind, value string }

func keyOf(i models.ContactIdentity) identityKey { return identityKey{i.Kind, i.Value} }

// owner is the contact that an identity belongs to; the zero value is none.
type owner struct {
	id      models.ContactID
	profile string // the profile name that is kept
	derived bool   // nobody has written from the identity yet
}

// Contacts finds or makes the contact of each address and gives their ids in the same order. A BSUID wins over a
// number, a number finds its contact in either form that it is written in; an identity that is missing is added. The profile name is kept beside a name that a person typed.
func (tx *Tx) Contacts(ctx context.Context, addresses []Address) ([]models.ContactID, error) {
	known, err := tx.identities(ctx, addresses)
	if err != nil {
		return nil, err
	}
	if err := tx.addContacts(ctx, addresses, known); err != nil {
		return nil, err
	}
	out := make([]models.ContactID, len(addresses))
	renamed := map[models.ContactID]string{}
	var missing []models.ContactIdentity
	var seen []string
	for i, a := range addresses {
		of := winner(a, known)
		out[i] = of.id
		for _, id := range a.identities() {
			if known[keyOf(id)].id == 0 {
				id.ContactID, id.CreatedAt = of.id, tx.Now()
				known[keyOf(id)] = owner{of.id, of.profile, id.Derived}
				missing = append(missing, id)
			} else if known[keyOf(id)].derived && !id.Derived {
				seen = append(seen, id.Value)
			}
		}
		rename(renamed, of, a.ProfileName)
	}
	if err := tx.insertIdentities(ctx, missing); err != nil {
		return nil, err
	}
	if err := tx.noteSeen(ctx, seen); err != nil {
		return nil, err
	}
	return out, tx.updateProfileNames(ctx, renamed)
}

// noteSeen notes that a customer has written from numbers that only were derived from another form.
func (tx *Tx) noteSeen(ctx context.Context, numbers []string) error {
	if len(numbers) == 0 {
		return nil
	}
	slices.Sort(numbers)
	err := tx.q(ctx).Model(&models.ContactIdentity{}).Where("kind = ? AND value IN ?", models.IdentityPhone, slices.Compact(numbers)).
		Update("derived", false).Error
	return failed(err, "note numbers")
}

// rename notes the profile name that a contact gets; the last one of several counts.
func rename(renamed map[models.ContactID]string, of owner, name string) {
	switch name {
	case "":
	case of.profile:
		delete(renamed, of.id)
	default:
		renamed[of.id] = name
	}
}

// winner gives the contact that an address belongs to, none when none of its identities is known.
func winner(a Address, known map[identityKey]owner) owner {
	for _, id := range a.identities() {
		if c := known[keyOf(id)]; c.id != 0 {
			return c
		}
	}
	return owner{}
}

// identities reads which contacts the addresses belong to.
func (tx *Tx) identities(ctx context.Context, addresses []Address) (map[identityKey]owner, error) {
	var values []string
	for _, a := range addresses {
		for _, id := range a.identities() {
			values = append(values, id.Value)
		}
	}
	var rows []struct {
		ContactID            models.ContactID
		Kind, Value, Profile string
		Derived              bool
	}
	err := tx.q(ctx).Table("contact_identities AS i").Select("i.contact_id, i.kind, i.value, i.derived, c.profile_name AS profile").
		Joins("JOIN contacts c ON c.id = i.contact_id").
		Where("i.kind IN ? AND i.value IN ?", []string{models.IdentityBSUID, models.IdentityPhone}, values).Scan(&rows).Error
	if err != nil {
		return nil, failed(err, "read identities")
	}
	known := make(map[identityKey]owner, len(rows))
	for _, r := range rows {
		known[identityKey{r.Kind, r.Value}] = owner{r.ContactID, r.Profile, r.Derived}
	}
	return known, nil
}

// addContacts makes a contact for each address that has none and enters their identities into known. When another
// transaction was faster, its contact is taken and ours removed.
func (tx *Tx) addContacts(ctx context.Context, addresses []Address, known map[identityKey]owner) error {
	now := tx.Now()
	var fresh []models.Contact
	place := map[identityKey]int{}
	var ids []models.ContactIdentity
	for _, a := range addresses {
		if winner(a, known).id != 0 {
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
func (tx *Tx) takeFaster(ctx context.Context, addresses []Address, fresh []models.Contact, known map[identityKey]owner) error {
	now, err := tx.identities(ctx, addresses)
	if err != nil {
		return err
	}
	lost := losers(addresses, fresh, now)
	for from, to := range lost {
		if err := tx.q(ctx).Model(&models.ContactIdentity{}).Where("contact_id = ?", from).Update("contact_id", to.id).Error; err != nil {
			return failed(err, "move identities")
		}
	}
	used := map[models.ContactID]bool{}
	for k, c := range now {
		if to, ok := lost[c.id]; ok {
			c = to
		}
		known[k], used[c.id] = c, true
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
func losers(addresses []Address, fresh []models.Contact, now map[identityKey]owner) map[models.ContactID]owner {
	ours := map[models.ContactID]bool{}
	for _, c := range fresh {
		ours[c.ID] = true
	}
	lost := map[models.ContactID]owner{}
	for _, a := range addresses {
		w := winner(a, now)
		for _, id := range a.identities() {
			if c := now[keyOf(id)]; ours[c.id] && !ours[w.id] {
				lost[c.id] = w
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

// updateProfileNames writes the names that have changed, in one order: another transaction may do so at the same moment.
func (tx *Tx) updateProfileNames(ctx context.Context, names map[models.ContactID]string) error {
	for _, id := range slices.Sorted(maps.Keys(names)) {
		err := tx.q(ctx).Model(&models.Contact{}).Where("id = ?", id).
			Updates(map[string]any{"profile_name": names[id], "updated_at": tx.Now()}).Error
		if err != nil {
			return failed(err, "update profile name")
		}
	}
	return nil
}

// Contact gives a contact with the identities from which it has written. ErrNotFound when there is none.
func (r Reader) Contact(ctx context.Context, id models.ContactID) (models.Contact, []models.ContactIdentity, error) {
	var c models.Contact
	if err := r.q(ctx).Where("id = ?", id).Take(&c).Error; err != nil {
		return c, nil, failed(err, "read contact")
	}
	var ids []models.ContactIdentity
	err := r.q(ctx).Where("contact_id = ? AND NOT derived", id).Order("kind, value").Find(&ids).Error
	return c, ids, failed(err, "read identities")
}

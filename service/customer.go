package service

import (
	"context"
	"slices"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
)

// CustomerForm is what a person knows of a customer. Without a name the customer is shown by the name of their profile.
type CustomerForm struct {
	Name     string
	Language string // of models.SpokenLanguages, "" when nobody knows
}

func (f *CustomerForm) validate() error {
	f.Name = trimmed(validText(f.Name))
	var errs models.FieldErrors
	if utf8.RuneCountInString(f.Name) > maxName {
		errs.Add("name", "user.name_long", "n", maxName)
	}
	if f.Language != "" && !slices.Contains(models.SpokenLanguages(), f.Language) {
		errs.Add("language", "customer.language_unknown")
	}
	return errs.Err()
}

// ChangeCustomer keeps what a person knows of a customer. FieldErrors; ErrNotFound for a customer whom the viewer may
// not see; store.ErrStale.
func (s *Service) ChangeCustomer(ctx context.Context, v models.Viewer, id models.ContactID, f CustomerForm, e Edit) error {
	if err := f.validate(); err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockCustomer(ctx, v, id)
		if err != nil {
			return err
		}
		details := map[string]any{}
		if c.Name != f.Name {
			details["name"] = []string{c.Name, f.Name}
		}
		if c.Language != f.Language {
			details["language"] = []string{c.Language, f.Language}
		}
		c.Name, c.Language, c.Version = f.Name, f.Language, e.Version
		if err := tx.SaveCustomer(ctx, c); err != nil {
			return err
		}
		if err := s.customerChanged(ctx, tx, id); err != nil {
			return err
		}
		return tx.Audit(ctx, v, "customer.changed", contactRow(id), details)
	})
}

// customerChanged lets the lists show a customer anew.
func (s *Service) customerChanged(ctx context.Context, tx *store.Tx, id models.ContactID) error {
	cs, err := tx.ConversationsWith(ctx, id)
	if err != nil {
		return err
	}
	for _, c := range cs {
		tx.Publish(conversationEvent(c))
	}
	return nil
}

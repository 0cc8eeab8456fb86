package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// NumberDetails is one number of the third step. ID is zero for a new one.
type NumberDetails struct {
	ID            models.NumberID
	Name, Address string
}

// AddNumber adds a number to an account. FieldErrors, ErrNotFound.
func (s *Service) AddNumber(ctx context.Context, v models.Viewer, account models.AccountID, in NumberDetails) (models.NumberID, error) {
	in.ID, in.Name, in.Address = 0, cleanName(in.Name), cleanNumber(in.Address)
	a, err := s.store.Account(ctx, account)
	if err != nil {
		return 0, err
	}
	if err := s.checkNumber(ctx, a, in); err != nil {
		return 0, err
	}
	n := models.Number{AccountID: account, Name: in.Name, Address: in.Address, Version: 1}
	n.KnownSender = s.knownSender(ctx, a, in.Address)
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		n.ID, n.CreatedAt, n.UpdatedAt = 0, tx.Now(), tx.Now()
		if err := tx.InsertNumber(ctx, &n); err != nil {
			return numberField(err, a)
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: account})
		return tx.Audit(ctx, v, "number.added", accountRow(account), map[string]any{"name": n.Name, "number": n.Address})
	})
	if err != nil {
		return 0, err
	}
	return n.ID, s.directory.load(ctx)
}

func numberField(err error, a models.Account) error {
	if errors.Is(err, store.ErrNumberAddress) {
		return models.FieldErrors{{Field: "address", Key: "number.taken", Args: []any{"account", a.Name}}}
	}
	return err
}

// cleanNumber removes spaces, brackets, hyphens and dots, and the prefix that Twilio writes.
func cleanNumber(s string) string {
	s = strings.TrimPrefix(clean(s), "whatsapp:")
	return strings.NewReplacer("(", "", ")", "", "-", "", ".", "").Replace(s)
}

func (s *Service) checkNumber(ctx context.Context, a models.Account, in NumberDetails) error {
	var f models.FieldErrors
	switch n := utf8.RuneCountInString(in.Name); {
	case n == 0:
		f.Add("name", "number.name_empty")
	case n > maxName:
		f.Add("name", "account.name_long")
	}
	switch {
	case !strings.HasPrefix(in.Address, "+"):
		f.Add("address", "number.no_plus")
	case !twilio.PhonePattern.MatchString(in.Address):
		f.Add("address", "number.length")
	default:
		numbers, err := s.store.NumbersOf(ctx, a.ID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(numbers, func(n models.NumberRow) bool { return n.Address == in.Address && n.ID != in.ID }) {
			f.Add("address", "number.taken", "account", a.Name)
		}
	}
	return f.Err()
}

// knownSender asks Twilio whether the number is a WhatsApp sender. Nil when Twilio could not be asked; the sandbox number
// is never listed and always known.
func (s *Service) knownSender(ctx context.Context, a models.Account, address string) *bool {
	known := address == models.SandboxNumber
	if !known {
		senders, err := s.listSenders(ctx, a)
		if err != nil {
			return nil
		}
		known = slices.ContainsFunc(senders, func(x twilio.Sender) bool { return x.Address.Phone() == address })
	}
	return &known
}

func (s *Service) listSenders(ctx context.Context, a models.Account) ([]twilio.Sender, error) {
	if a.TokenSealed == "" || a.SID == "" {
		return nil, models.E(models.KindUnavailable, "number.fetch_failed")
	}
	cred, err := s.credentials(a)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	senders, err := s.twilio.ListSenders(ctx, cred)
	if err != nil {
		s.log.Warn("Twilio did not list the senders of an account", "account", a.ID, "err", err)
		return nil, &models.Error{Kind: models.KindUnavailable, Key: "number.fetch_failed", Cause: err}
	}
	return senders, nil
}

// Senders lists the account's WhatsApp senders at Twilio that are not among its numbers yet. KindUnavailable with the
// key number.fetch_failed when Twilio does not answer or refuses.
func (s *Service) Senders(ctx context.Context, account models.AccountID) ([]twilio.Sender, error) {
	a, err := s.store.Account(ctx, account)
	if err != nil {
		return nil, err
	}
	senders, err := s.listSenders(ctx, a)
	if err != nil {
		return nil, err
	}
	numbers, err := s.store.NumbersOf(ctx, account)
	return slices.DeleteFunc(senders, func(x twilio.Sender) bool {
		return x.Address.Phone() == "" || slices.ContainsFunc(numbers, func(n models.NumberRow) bool { return n.Address == x.Address.Phone() })
	}), err
}

// EditNumber changes the name or the address of a number. FieldErrors, ErrNotFound, store.ErrStale.
func (s *Service) EditNumber(ctx context.Context, v models.Viewer, account models.AccountID, in NumberDetails, e Edit) error {
	in.Name, in.Address = cleanName(in.Name), cleanNumber(in.Address)
	a, err := s.store.Account(ctx, account)
	if err != nil {
		return err
	}
	n, err := s.store.Number(ctx, in.ID)
	if err != nil || n.AccountID != account {
		return orNotFound(err)
	}
	if n.Version != e.Version {
		return store.ErrStale
	}
	if err := s.checkNumber(ctx, a, in); err != nil {
		return err
	}
	details := map[string]any{"name": []string{n.Name, in.Name}, "number": []string{n.Address, in.Address}}
	if n.Address != in.Address {
		n.KnownSender = s.knownSender(ctx, a, in.Address)
	}
	n.Name, n.Address = in.Name, in.Address
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		saved := n
		if err := tx.SaveNumber(ctx, &saved); err != nil {
			return numberField(err, a)
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: account})
		return tx.Audit(ctx, v, "number.changed", fmt.Sprintf("numbers/%d", in.ID), details)
	})
	if err != nil {
		return err
	}
	return s.directory.load(ctx)
}

// RemoveNumber removes a number that no workstream and no conversation uses. ErrNotFound, store.ErrInUse.
func (s *Service) RemoveNumber(ctx context.Context, v models.Viewer, account models.AccountID, id models.NumberID) error {
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.DeleteNumber(ctx, account, id); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: account})
		return tx.Audit(ctx, v, "number.removed", fmt.Sprintf("numbers/%d", id), nil)
	})
	if err != nil {
		return err
	}
	return s.directory.load(ctx)
}

// CompleteNumbers completes the third step. FieldErrors when there is no number.
func (s *Service) CompleteNumbers(ctx context.Context, v models.Viewer, id models.AccountID) error {
	a, err := s.store.Account(ctx, id)
	if err != nil || a.Step >= models.StepNumbers {
		return err
	}
	numbers, err := s.store.NumbersOf(ctx, id)
	if err != nil {
		return err
	}
	if len(numbers) == 0 {
		return models.FieldErrors{{Field: "add", Key: "number.none"}}
	}
	return s.editAccount(ctx, v, accountEdit{id, a.Version, "account.numbers"}, func(a *models.Account) error {
		a.Step = max(a.Step, models.StepNumbers)
		return nil
	})
}

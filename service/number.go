package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// NumberDetails is one number of the third step. ID is zero for a new one. Pace is how many messages a minute its sender
// takes, as it was typed; empty is what WhatsApp gives it.
type NumberDetails struct {
	ID                  models.NumberID
	Name, Address, Pace string
}

// maxPace is the highest pace of a sender: WhatsApp takes 400 messages a second at most (WhatsApp best practices).
const maxPace = 400 * 60

// pace reads the typed pace; false when it is none.
func (in NumberDetails) pace() (int, bool) {
	if in.Pace == "" {
		return 0, true
	}
	n, err := strconv.Atoi(in.Pace)
	return n, err == nil && n >= 1 && n <= maxPace
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
	n.Pace, _ = in.pace()
	n.KnownSender = s.knownSender(ctx, a, in.Address)
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		tx.Publish(models.Event{Name: models.EventAccount, Account: account})
		return numberField(insertNumber(ctx, tx, v, &n), a)
	})
	if err != nil {
		return 0, err
	}
	s.directory.changed(ctx)
	return n.ID, nil
}

func insertNumber(ctx context.Context, tx *store.Tx, v models.Viewer, n *models.Number) error {
	n.ID, n.CreatedAt, n.UpdatedAt = 0, tx.Now(), tx.Now()
	if err := tx.InsertNumber(ctx, n); err != nil {
		return err
	}
	return tx.Audit(ctx, v, "number.added", n.AccountID.Row(), map[string]any{"name": n.Name, "number": n.Address})
}

// AddSenders adds the account's WhatsApp senders at Twilio that were chosen, by their SIDs, as numbers. FieldErrors when
// none of them is there to add; else as Senders.
func (s *Service) AddSenders(ctx context.Context, v models.Viewer, account models.AccountID, sids []string) error {
	senders, err := s.Senders(ctx, account)
	if err != nil {
		return err
	}
	senders = slices.DeleteFunc(senders, func(x twilio.Sender) bool { return !slices.Contains(sids, x.SID) })
	if len(senders) == 0 {
		return models.FieldErrors{{Field: "senders", Key: "number.none_chosen"}}
	}
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		for _, x := range senders {
			if err := insertNumber(ctx, tx, v, numberOf(account, x)); err != nil {
				return err
			}
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: account})
		return nil
	})
	if err == nil {
		s.directory.changed(ctx)
	}
	return err
}

// numberOf makes a number of a sender. It is called what Twilio calls it.
func numberOf(account models.AccountID, x twilio.Sender) *models.Number {
	known := true
	n := models.Number{AccountID: account, Name: truncate(cleanName(x.Name), maxName), Address: x.Address.Phone(), KnownSender: &known, SenderSID: x.SID, Version: 1}
	if n.Name == "" {
		n.Name = n.Address
	}
	return &n
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
	if _, ok := in.pace(); !ok {
		f.Add("pace", "number.pace_range")
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

// EditNumber changes the name or the address of a number. FieldErrors, also for another address of a number that has
// conversations; ErrNotFound, store.ErrStale.
func (s *Service) EditNumber(ctx context.Context, v models.Viewer, account models.AccountID, in NumberDetails, e Edit) error {
	in.Name, in.Address = cleanName(in.Name), cleanNumber(in.Address)
	a, err := s.store.Account(ctx, account)
	if err != nil {
		return err
	}
	was, err := s.store.NumberOf(ctx, account, in.ID)
	if err != nil {
		return err
	}
	if was.Version != e.Version {
		return store.ErrStale
	}
	if err := s.checkNumber(ctx, a, in); err != nil {
		return err
	}
	n := was.Number
	if n.Address != in.Address {
		if was.Used {
			return errHasConversations
		}
		n.KnownSender, n.SenderSID = s.knownSender(ctx, a, in.Address), ""
	}
	n.Name, n.Address = in.Name, in.Address
	n.Pace, _ = in.pace()
	return s.saveNumber(ctx, v, a, was.Number, n)
}

var errHasConversations = models.FieldErrors{{Field: "address", Key: "number.has_conversations"}}

func (s *Service) saveNumber(ctx context.Context, v models.Viewer, a models.Account, was, is models.Number) error {
	details := map[string]any{"name": []string{was.Name, is.Name}, "number": []string{was.Address, is.Address}, "pace": []int{was.Pace, is.Pace}}
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		saved := is
		if err := tx.SaveNumber(ctx, &saved); err != nil {
			return numberField(err, a)
		}
		if is.Address != was.Address { // the row is locked: who begins a conversation now waits
			row, err := tx.NumberOf(ctx, a.ID, is.ID)
			if err != nil {
				return err
			}
			if row.Used {
				return errHasConversations
			}
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: a.ID})
		return tx.Audit(ctx, v, "number.changed", fmt.Sprintf("numbers/%d", is.ID), details)
	})
	if err == nil {
		s.directory.changed(ctx)
	}
	return err
}

// RemoveNumber removes a number that no workstream and no conversation uses. ErrNotFound, store.ErrInUse.
func (s *Service) RemoveNumber(ctx context.Context, v models.Viewer, account models.AccountID, id models.NumberID) error {
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.NumberOf(ctx, account, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteNumber(ctx, account, id); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: account})
		return tx.Audit(ctx, v, "number.removed", fmt.Sprintf("numbers/%d", id), map[string]any{"name": n.Name, "number": n.Address})
	})
	if err == nil {
		s.directory.changed(ctx)
	}
	return err
}

// CompleteNumbers completes the third step. FieldErrors when there is no number; ErrNotFound, store.ErrStale.
func (s *Service) CompleteNumbers(ctx context.Context, v models.Viewer, id models.AccountID) error {
	a, err := s.store.Account(ctx, id)
	if err != nil {
		return err
	}
	if err := s.someNumber(ctx, id); err != nil || a.Step >= models.StepNumbers {
		return err
	}
	return s.editAccount(ctx, v, accountEdit{id, a.Version, "account.numbers"}, func(a *models.Account) error {
		a.Step = max(a.Step, models.StepNumbers)
		return nil
	})
}

func (s *Service) someNumber(ctx context.Context, id models.AccountID) error {
	numbers, err := s.store.NumbersOf(ctx, id)
	if err == nil && len(numbers) == 0 {
		return models.FieldErrors{{Field: "add", Key: "number.none"}}
	}
	return err
}

package service

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// maxConsentNote is the limit of the note that says how a customer agreed or opted out.
const maxConsentNote = 200

// ErrOnlyCustomer says that Twilio refuses messages until the customer writes a start word: nobody else can undo that.
var ErrOnlyCustomer = models.E(models.KindConflict, "consent.only_customer")

// ConsentForm is what a person records of a customer. Note says how the customer said so.
type ConsentForm struct {
	Account models.AccountID
	Scope   models.ConsentScope
	Given   bool
	Note    string
}

func (f *ConsentForm) validate() error {
	f.Note = strings.TrimSpace(validText(f.Note))
	var errs models.FieldErrors
	if f.Scope != models.ConsentAll && f.Scope != models.ConsentMarketing {
		errs.Add("scope", "consent.scope_none")
	}
	checkConsentNote(&errs, f.Note)
	return errs.Err()
}

func checkConsentNote(errs *models.FieldErrors, note string) {
	switch n := utf8.RuneCountInString(note); {
	case n == 0:
		errs.Add("note", "consent.note_empty")
	case n > maxConsentNote:
		errs.Add("note", "consent.note_long", "n", maxConsentNote)
	}
}

// RecordConsent keeps what a customer has said to an agent about messages from an account. An opt-out takes back what
// is queued and starts outside of what the customer asked for.
//
// Errors: FieldErrors; ErrNotFound for a customer whom the viewer may not see, or an account with which the viewer sees no
// conversation of the customer's; ErrOnlyCustomer.
func (s *Service) RecordConsent(ctx context.Context, v models.Viewer, contact models.ContactID, f ConsentForm) error {
	if err := f.validate(); err != nil {
		return err
	}
	account, err := s.directory.account(f.Account)
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockCustomer(ctx, v, contact); err != nil {
			return err
		}
		theirs, err := tx.CustomerAccounts(ctx, v, contact)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(theirs, func(a models.Account) bool { return a.ID == f.Account }) {
			return models.ErrNotFound
		}
		return s.recordConsent(ctx, tx, account, models.Consent{
			ContactID: contact, Scope: f.Scope, Given: f.Given, Source: models.SourceAgent, Note: f.Note, UserID: &v.User,
		})
	})
}

// recordConsent keeps a consent that a person recorded, in a transaction that has checked who may. The conversations
// of the customer with the account get a line, and an opt-out takes queued messages back.
func (s *Service) recordConsent(ctx context.Context, tx *store.Tx, account models.Account, c models.Consent) error {
	state, err := tx.ConsentState(ctx, account.ID, c.ContactID)
	if err != nil {
		return err
	}
	if c.Given && state.All != nil && state.All.ByTwilio() {
		return ErrOnlyCustomer
	}
	c.AccountID, c.At = account.ID, account.Now(tx.Now())
	if err := tx.InsertConsents(ctx, []models.Consent{c}); err != nil {
		return err
	}
	conversations, err := tx.LockConversationsWith(ctx, c.ContactID)
	if err != nil {
		return err
	}
	for _, conversation := range conversations {
		if conversation.AccountID != account.ID {
			continue
		}
		err := s.change(ctx, tx, conversation, func(in *models.Conversation, now time.Time) error {
			return s.consentChanged(ctx, tx, in, c, now)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// consentChanged notes a consent in a locked conversation, which the caller saves.
func (s *Service) consentChanged(ctx context.Context, tx *store.Tx, in *models.Conversation, c models.Consent, now time.Time) error {
	if !c.Given {
		if err := s.takeBack(ctx, tx, in, c.Scope); err != nil {
			return err
		}
	}
	return s.systemLine(ctx, tx, in, line{consentLine(c), c.UserID, now})
}

// consentLine is the key of the sentence about a consent in the thread.
func consentLine(c models.Consent) string {
	key := "system.opted_out."
	if c.Given {
		key = "system.opted_in."
	}
	key += string(c.Scope)
	if c.UserID == nil {
		key += "_self"
	}
	return key
}

// takeBack cancels the messages of a locked conversation that are queued and start outside of what the customer asked
// for: templates, after an opt-out of marketing only those of that category. What is on its way to Twilio goes on.
func (s *Service) takeBack(ctx context.Context, tx *store.Tx, c *models.Conversation, scope models.ConsentScope) error {
	queued, err := tx.QueuedTemplates(ctx, *c, scope == models.ConsentMarketing)
	if err != nil {
		return err
	}
	return s.cancel(ctx, tx, c, queued, twilio.CodeOptedOut)
}

// cancel cancels queued messages of a locked conversation, which the caller saves. code says why; 0 is a person's wish.
func (s *Service) cancel(ctx context.Context, tx *store.Tx, c *models.Conversation, queued []models.Message, code int) error {
	for _, m := range queued {
		m.State, m.ErrorCode, m.RetryAt = models.Canceled, code, nil
		c.Rev++
		m.Rev = c.Rev
		if m.Seq == float64(c.Seq) || c.LastDirection == models.Out && m.CreatedAt.Equal(c.LastMessageAt) {
			c.LastState = m.State
		}
		if err := tx.SaveMessage(ctx, m, models.Queued); err != nil {
			return err
		}
	}
	return nil
}

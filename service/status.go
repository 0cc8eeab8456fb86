package service

import (
	"context"
	"errors"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// statusCall is a status callback. Message and Attempt are ours, from the callback's address; zero when it had none.
type statusCall struct {
	Call
	Message models.MessageID
	Attempt int
}

// takeStatus takes in a status callback. Every report is kept; a message only moves forward. A report that comes before
// we know Twilio's sid finds the message by our own id and binds the sid. The first result is the reason for quarantine.
func (s *Service) takeStatus(ctx context.Context, call statusCall) (string, error) {
	ev, err := twilio.ParseStatus(call.Form)
	if err != nil {
		return models.QuarantineUnreadable, nil
	}
	return "", s.keepStatus(ctx, call, ev)
}

func (s *Service) keepStatus(ctx context.Context, call statusCall, ev twilio.StatusEvent) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		m, a, err := s.reported(ctx, tx, call, ev)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
		kept := &models.ProviderEvent{
			AccountID: call.Account.ID, Kind: models.EventKindStatus, SID: ev.MessageSID, Status: truncate(ev.Status, 40),
			ErrorCode: ev.ErrorCode, Form: call.Form.Encode(), ReceivedAt: call.ReceivedAt,
		}
		if err == nil {
			kept.MessageID = &m.ID
		}
		if call.again {
			if is, err := tx.HasProviderEvent(ctx, *kept); err != nil || is {
				return err
			}
		}
		if err := tx.InsertProviderEvent(ctx, kept); err != nil || kept.MessageID == nil {
			return err
		}
		t, err := lockTried(ctx, tx, m, a.N)
		if err != nil {
			return err
		}
		return s.report(ctx, tx, ev, t, call.accountNow())
	})
}

// reported finds the message and the attempt that a report is about: by Twilio's sid, else by our own ids, which must
// be of the same account and not be bound to another sid. ErrNotFound when there is none.
func (s *Service) reported(ctx context.Context, tx *store.Tx, call statusCall, ev twilio.StatusEvent) (models.Message, models.SendAttempt, error) {
	if a, err := tx.AttemptBySID(ctx, call.Account.ID, ev.MessageSID); err == nil {
		m, err := tx.Message(ctx, a.MessageID)
		return m, a, err
	} else if !errors.Is(err, models.ErrNotFound) || call.Message == 0 {
		return models.Message{}, a, err
	}
	m, err := tx.Message(ctx, call.Message)
	if err != nil || m.AccountID != call.Account.ID {
		return m, models.SendAttempt{}, orNotFound(err)
	}
	as, err := tx.Attempts(ctx, m)
	if err != nil {
		return m, models.SendAttempt{}, err
	}
	for _, a := range as {
		if a.N == call.Attempt && (a.SID == nil || *a.SID == ev.MessageSID) {
			return m, a, nil
		}
	}
	return m, models.SendAttempt{}, models.ErrNotFound
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return models.ErrNotFound
}

// report binds the sid to the attempt and moves the message.
func (s *Service) report(ctx context.Context, tx *store.Tx, ev twilio.StatusEvent, t tried, at time.Time) error {
	a := t.attempt
	if a.SID != nil && t.message.ProviderSID == nil {
		return nil // sent again by hand since: reports of the old attempt are kept and move nothing
	}
	if a.SID == nil {
		was, now, sid := a.State, tx.Now(), ev.MessageSID
		a.State, a.SID, a.FinishedAt = models.AttemptAccepted, &sid, &now
		if err := tx.SaveAttempt(ctx, a, was); err != nil {
			return err
		}
	}
	if t.message.Attempt != a.N {
		return nil // an older attempt's reports are kept and move nothing
	}
	return s.move(ctx, tx, ev, t, at)
}

func (s *Service) move(ctx context.Context, tx *store.Tx, ev twilio.StatusEvent, t tried, at time.Time) error {
	c, m := t.conversation, t.message
	next := messageState(ev.Status)
	if !m.State.Moves(next) {
		return nil
	}
	was, inFlight := m.State, m.State.InFlight() || m.State == models.Queued
	sid := ev.MessageSID
	m.State, m.ProviderSID = next, &sid
	stamp(&m, next, at)
	armPoll(&m, tx.Now())
	if next.Final() {
		m.ErrorCode = ev.ErrorCode
		if err := s.honour(ctx, tx, t, ev.ErrorCode); err != nil {
			return err
		}
	}
	if err := s.saveMessage(ctx, tx, c, &m, was); err != nil {
		return err
	}
	if ev.ErrorCode == twilio.CodeOutsideWindow {
		if err := s.closeWindow(ctx, tx, t); err != nil {
			return err
		}
	}
	if inFlight {
		return tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID})
	}
	return nil
}

func stamp(m *models.Message, state models.MessageState, at time.Time) {
	switch state {
	case models.Sent:
		m.SentAt = &at
	case models.Delivered:
		m.DeliveredAt = &at
	case models.Read:
		m.ReadAt = &at
		if m.DeliveredAt == nil {
			m.DeliveredAt = &at
		}
	}
}

// closeWindow ends the service window because WhatsApp refused an attempt (63016), unless the customer has written since
// it was made.
func (s *Service) closeWindow(ctx context.Context, tx *store.Tx, t tried) error {
	c := t.conversation
	account, err := s.directory.account(c.AccountID)
	if err != nil {
		return err
	}
	w, err := tx.ServiceWindow(ctx, store.ConversationKey{Account: c.AccountID, Number: c.NumberID, Contact: c.ContactID})
	if err != nil {
		return err
	}
	closed := w.Refused(account.Now(t.attempt.StartedAt), account.Now(tx.Now()))
	if closed == w {
		return nil
	}
	return tx.CloseServiceWindow(ctx, closed)
}

// messageState gives our word for Twilio's. A word that is new to us says at least that Twilio has the message.
func messageState(status string) models.MessageState {
	switch status {
	case "sent":
		return models.Sent
	case "delivered":
		return models.Delivered
	case "read":
		return models.Read
	case "failed":
		return models.Failed
	case "undelivered":
		return models.Undelivered
	case "canceled":
		return models.Canceled
	}
	return models.Accepted
}

package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// report is a status callback that was read.
type report struct {
	statusCall
	ev twilio.StatusEvent
}

// readStatus reads a status callback. The second result is the reason for quarantine.
func readStatus(c Call) (report, string) {
	ev, err := twilio.ParseStatus(c.Form)
	if err != nil {
		return report{}, models.QuarantineUnreadable
	}
	return report{asStatus(c), ev}, ""
}

// takeStatus takes in a status callback. Every report is kept; a message only moves forward. A report that comes before
// we know Twilio's sid finds the message by our own id and binds the sid. The first result is the reason for quarantine.
func (s *Service) takeStatus(ctx context.Context, c Call) (string, error) {
	r, reason := readStatus(c)
	if reason != "" {
		return reason, nil
	}
	return "", s.keepReports(ctx, []report{r})
}

// keepReports takes in reports in one transaction, in their order. Their conversations are locked first: two who take in
// reports at the same time do not wait for each other crosswise.
func (s *Service) keepReports(ctx context.Context, all []report) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		if len(all) > 1 {
			if err := lockReported(ctx, tx, all); err != nil {
				return err
			}
		}
		k := reporting{s, tx, map[string]*tried{}, nil}
		for _, r := range all {
			if err := k.keep(ctx, r); err != nil {
				return err
			}
		}
		return tx.InsertProviderEvents(ctx, k.events)
	})
}

func lockReported(ctx context.Context, tx *store.Tx, all []report) error {
	of := map[models.AccountID]store.Reported{}
	for _, r := range all {
		x := of[r.Account.ID]
		x.SIDs, x.IDs = append(x.SIDs, r.ev.MessageSID), append(x.IDs, r.Message)
		of[r.Account.ID] = x
	}
	return tx.LockReported(ctx, of)
}

// reporting is one transaction that takes in reports. What it has locked nobody else changes: it is read once.
type reporting struct {
	*Service
	tx     *store.Tx
	tried  map[string]*tried // by Twilio's sid
	events []models.ProviderEvent
}

func (k *reporting) keep(ctx context.Context, r report) error {
	kept := models.ProviderEvent{
		AccountID: r.Account.ID, Kind: models.EventKindStatus, SID: r.ev.MessageSID, Status: truncate(r.ev.Status, 40),
		ErrorCode: r.ev.ErrorCode, Form: r.Form.Encode(), ReceivedAt: r.ReceivedAt,
	}
	if r.again {
		if is, err := k.isKept(ctx, kept); err != nil || is {
			return err
		}
	}
	t, err := k.lock(ctx, r)
	if errors.Is(err, models.ErrNotFound) {
		k.events = append(k.events, kept)
		return nil
	}
	if err != nil {
		return err
	}
	kept.MessageID = &t.message.ID
	k.events = append(k.events, kept)
	if err := k.report(ctx, k.tx, r.ev, t, r.accountNow()); err != nil {
		return err
	}
	if r.ev.ErrorCode != 0 { // it may have changed other messages of the customer, too
		clear(k.tried)
	}
	return nil
}

func (k *reporting) isKept(ctx context.Context, e models.ProviderEvent) (bool, error) {
	twice := slices.ContainsFunc(k.events, func(o models.ProviderEvent) bool {
		return o.AccountID == e.AccountID && o.SID == e.SID && o.Status == e.Status && o.ReceivedAt.Equal(e.ReceivedAt)
	})
	if twice {
		return true, nil
	}
	return k.tx.HasProviderEvent(ctx, e)
}

// lock gives what a report is about, locked. ErrNotFound when there is none.
func (k *reporting) lock(ctx context.Context, r report) (*tried, error) {
	key := fmt.Sprint(r.Account.ID, " ", r.ev.MessageSID)
	if t := k.tried[key]; t != nil {
		return t, nil
	}
	m, a, err := k.reported(ctx, k.tx, r.statusCall, r.ev)
	if err != nil {
		return nil, err
	}
	t, err := lockTried(ctx, k.tx, m, a.N)
	if err != nil {
		return nil, err
	}
	for _, other := range k.tried {
		if other.conversation.ID == t.conversation.ID {
			t.conversation = other.conversation
		}
	}
	k.tried[key] = &t
	return &t, nil
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

// report binds the sid to the attempt and moves the message, when the attempt is its newest one and is not one after which
// the next is about to begin.
func (s *Service) report(ctx context.Context, tx *store.Tx, ev twilio.StatusEvent, t *tried, at time.Time) error {
	a, next := t.attempt, messageState(ev.Status)
	waits := a.SID != nil && t.message.ProviderSID == nil // it failed, and the next attempt is to begin
	arrived := next == models.Delivered || next == models.Read
	older := t.message.Attempt != a.N || waits && !arrived
	was, bound, fails := a.State, a.SID != nil, next.Final() && a.ErrorCode == 0
	if !bound {
		now, sid := tx.Now(), ev.MessageSID
		a.State, a.SID, a.FinishedAt = models.AttemptAccepted, &sid, &now
	}
	if fails {
		a.ErrorCode = ev.ErrorCode
	}
	if !bound || fails && ev.ErrorCode != 0 {
		if err := tx.SaveAttempt(ctx, a, was); err != nil {
			return err
		}
		t.attempt = a
	}
	if !older {
		return s.move(ctx, tx, ev, t, at)
	}
	// It moves nothing; what a refusal says about the customer holds all the same.
	if next.Final() {
		return s.refusedFor(ctx, tx, *t, ev.ErrorCode)
	}
	return nil
}

func (s *Service) move(ctx context.Context, tx *store.Tx, ev twilio.StatusEvent, t *tried, at time.Time) error {
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
	m.ErrorCode, m.RetryAt = 0, nil
	if next.Final() {
		m.ErrorCode = ev.ErrorCode
		if err := s.tryAgain(ctx, tx, *t, &m); err != nil {
			return err
		}
	}
	if err := s.saveMessage(ctx, tx, c, &m, was); err != nil {
		return err
	}
	t.message = m
	if next.Final() {
		if err := s.refusedFor(ctx, tx, *t, ev.ErrorCode); err != nil {
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

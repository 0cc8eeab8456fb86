package service

import (
	"context"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// tryAgain lets a message of a person's that WhatsApp has just not delivered, for a reason that passes, wait for another
// attempt: the report is final, so the customer does not have it. Nothing else changes a message that has failed: when it
// would not be allowed to go out then, or it was tried often enough, it stays failed.
func (s *Service) tryAgain(ctx context.Context, tx *store.Tx, t tried, m *models.Message) error {
	if !twilio.Temporary(m.ErrorCode) || m.State == models.Canceled || m.UserID == nil {
		return nil
	}
	as, err := tx.Attempts(ctx, *m)
	if err != nil {
		return err
	}
	failures := 0
	for _, a := range as {
		if a.SID != nil && twilio.Temporary(a.ErrorCode) {
			failures++
		}
	}
	pause, ok := models.RetryAfter(failures)
	if !ok {
		return nil
	}
	account, err := s.directory.account(m.AccountID)
	if err != nil {
		return err
	}
	now, err := tx.DatabaseNow(ctx)
	if err != nil {
		return err
	}
	at := account.Now(now).Add(pause)
	if may, err := s.mayThen(ctx, tx, t, *m, at); err != nil || !may {
		return err
	}
	m.State, m.ProviderSID, m.RetryAt, m.PollAt = models.Queued, nil, &at, nil
	return enqueueRetry(ctx, tx, account, *m)
}

// enqueueRetry enters the job that sends a message again at the moment on the clock on the wall.
func enqueueRetry(ctx context.Context, tx *store.Tx, a models.Account, m models.Message) error {
	return tx.Enqueue(ctx, models.SendConversation{Conversation: m.ConversationID}, store.At(m.RetryAt.Add(-a.ClockAhead)))
}

// mayThen tells whether a message may go out again at a time by its account's clock, as things stand.
func (s *Service) mayThen(ctx context.Context, tx *store.Tx, t tried, m models.Message, then time.Time) (bool, error) {
	at, err := s.standing(ctx, tx, *t.conversation)
	if err != nil || !at.mayTryAgain() {
		return false, err
	}
	at.now = then
	return at.mayLeave(ctx, tx, &m)
}

// mayTryAgain holds the rules on what goes out again without a person: nothing to who has opted out, though an answer by
// hand might, and nothing in a conversation that is over.
func (at standing) mayTryAgain() bool {
	return !at.blocked && !at.said.OptedOut() && at.conversation.State != models.Closed
}

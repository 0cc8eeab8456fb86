package service

import (
	"context"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// typingTimeout bounds the call that shows the indicator: later it would show too late.
const typingTimeout = 5 * time.Second

// askTyping enters the job that shows the customer that somebody is answering, once in twilio.TypingEvery however many
// people write at however many instances.
func (s *Service) askTyping(ctx context.Context, tx *store.Tx, c models.Conversation) error {
	account, err := s.directory.account(c.AccountID)
	if err != nil || account.HideTyping {
		return err
	}
	claimed, err := tx.ClaimTyping(ctx, c, tx.Now().Add(-twilio.TypingEvery))
	if err != nil || !claimed {
		return err
	}
	return tx.Enqueue(ctx, models.ShowTyping{Conversation: c.ID})
}

// ShowTyping shows the customer that somebody is answering, and by that marks what the customer has written as read: only
// while somebody is, and while the service window is open. Nobody waits for it: what goes wrong at Twilio is only logged.
func (s *Service) ShowTyping(ctx context.Context, id models.ConversationID) error {
	c, err := s.store.ConversationByID(ctx, id)
	if err != nil {
		return err
	}
	account, err := s.directory.account(c.AccountID)
	if err != nil || account.HideTyping {
		return err
	}
	if is, err := s.beingAnswered(ctx, account, c); err != nil || !is {
		return err
	}
	last, err := s.store.LastInbound(ctx, c)
	if err != nil || last.ProviderSID == nil {
		return ignoreNotFound(err)
	}
	cred, err := s.credentials(account)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, typingTimeout)
		defer cancel()
		err = s.twilio.ShowTyping(ctx, cred, *last.ProviderSID)
	}
	if err != nil {
		s.log.Info("the customer was not shown that somebody is answering", "conversation", id, "err", err)
	}
	return nil
}

// beingAnswered tells whether somebody writes in the conversation and may send it.
func (s *Service) beingAnswered(ctx context.Context, a models.Account, c models.Conversation) (bool, error) {
	now := s.store.Now()
	window, err := s.store.ServiceWindow(ctx, store.ConversationKey{Account: c.AccountID, Number: c.NumberID, Contact: c.ContactID})
	if err != nil || c.State == models.Closed || !window.IsOpen(a.Now(now)) {
		return false, err
	}
	vs, err := s.store.Viewings(ctx, c, now.Add(-models.ViewingLasts))
	return len(vs) > 0 && vs[0].Typing(), err // those who write come first
}

func ignoreNotFound(err error) error {
	if models.KindOf(err) == models.KindNotFound {
		return nil
	}
	return err
}

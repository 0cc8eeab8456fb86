package service

import (
	"context"
	"errors"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// lookAgain is how long after Twilio refused an account it is asked again by itself: somebody may have mended it there.
const lookAgain = 5 * time.Minute

// stops tells whether a refusal is about the account and not about the message: nothing that it sends would be taken.
func stops(e *twilio.Error) bool { return e.Unauthorized() || e.Suspended() }

// stopAccount notes that Twilio does not accept an account's SID and token. Its messages wait until it does again.
func (s *Service) stopAccount(ctx context.Context, tx *store.Tx, id models.AccountID, e *twilio.Error) error {
	code := e.Code
	if code == 0 {
		code = twilio.CodeUnauthorized
	}
	stopped, err := tx.StopAccount(ctx, id, code)
	if err != nil || !stopped {
		return err
	}
	s.log.Error("sending has stopped: Twilio does not accept the account's SID and token", "account", id, "err", e)
	tx.Publish(models.Event{Name: models.EventAccount, Account: id})
	return nil
}

// Stopped gives the accounts whose sending has stopped, as the directory knows them.
func (s *Service) Stopped() []models.Account {
	var out []models.Account
	for _, a := range s.directory.read().accounts {
		if a.StoppedAt != nil {
			out = append(out, a)
		}
	}
	return out
}

// resume lets an account send again what has waited, in a transaction that has found Twilio accepting it.
func resume(ctx context.Context, tx *store.Tx, id models.AccountID) error {
	was, err := tx.ResumeAccount(ctx, id)
	if err != nil || !was {
		return err
	}
	ids, err := tx.QueuedConversations(ctx, id)
	if err != nil {
		return err
	}
	all := []models.JobArgs{models.CatchUp{Account: id}} // what came meanwhile could not be listed
	for _, c := range ids {
		all = append(all, models.SendConversation{Conversation: c})
	}
	tx.Publish(models.Event{Name: models.EventAccount, Account: id})
	return tx.EnqueueAll(ctx, all)
}

// resumeMended asks Twilio about accounts that have stopped, now and then, and lets those send that it accepts.
func (s *Service) resumeMended(ctx context.Context) error {
	list, err := s.store.StoppedAccounts(ctx, s.store.Now().Add(-lookAgain))
	if err != nil {
		return err
	}
	for _, a := range list {
		state, err2 := s.twilioSays(ctx, a)
		if err2 != nil {
			err = errors.Join(err, err2)
			continue
		}
		err = errors.Join(err, s.store.InTx(ctx, func(tx *store.Tx) error { return noteCheck(ctx, tx, a, state) }))
	}
	return err
}

// noteCheck keeps what Twilio has said about an account's SID and token.
func noteCheck(ctx context.Context, tx *store.Tx, a models.Account, state models.CheckState) error {
	noted, err := tx.SetAccountCheck(ctx, a, state)
	if err != nil || !noted || state != models.CheckOK {
		return err
	}
	return resume(ctx, tx, a.ID)
}

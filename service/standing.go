package service

import (
	"context"
	"time"

	"kanal/models"
	"kanal/store"
)

// standing is what decides whether a message may go out in a conversation now.
type standing struct {
	conversation models.Conversation
	number       models.Number
	window       models.ServiceWindow
	said         models.ConsentState // what the customer has said about messages
	blocked      bool                // somebody has blocked the customer
	now          time.Time           // as the account sees it
}

func (s *Service) standing(ctx context.Context, tx *store.Tx, c models.Conversation) (standing, error) {
	at := standing{conversation: c}
	account, err := s.directory.account(c.AccountID)
	if err != nil {
		return at, err
	}
	at.now = account.Now(tx.Now())
	if at.number, err = s.directory.numberByID(c.NumberID); err != nil {
		return at, err
	}
	if at.window, err = tx.ServiceWindow(ctx, store.ConversationKey{Account: c.AccountID, Number: c.NumberID, Contact: c.ContactID}); err != nil {
		return at, err
	}
	if at.said, err = tx.ConsentState(ctx, c.AccountID, c.ContactID); err != nil {
		return at, err
	}
	blocked, err := tx.Blocked(ctx, []models.ContactID{c.ContactID})
	at.blocked = blocked[c.ContactID]
	return at, err
}

func (at standing) open() bool { return at.window.IsOpen(at.now) }

// may holds the rules on a reply that come before what is in it: free text needs the open window and a customer who has
// not said no.
func (at standing) may(r Reply) error {
	if at.blocked {
		return ErrBlocked
	}
	if r.Template != nil {
		return mayReply(at.conversation, true)
	}
	if err := mayReply(at.conversation, at.open()); err != nil {
		return err
	}
	return refused(at.said.Reply(at.window))
}

// refused gives the error of what a customer has said about messages.
func refused(r models.ConsentRefusal) error {
	if r == models.ConsentAllows {
		return nil
	}
	return models.E(models.KindInvalid, string(r))
}

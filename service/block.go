package service

import (
	"context"
	"fmt"
	"maps"
	"time"

	"kanal/models"
	"kanal/store"
)

// ErrBlocked says that the customer is blocked: nothing is sent to them.
var ErrBlocked = models.E(models.KindConflict, "customer.is_blocked")

func contactRow(id models.ContactID) string { return fmt.Sprintf("contacts/%d", id) }

// isBlocked tells whether message i comes from a customer whom somebody has blocked.
func (b *reception) isBlocked(i int) bool { return b.blocked[b.contacts[i]] }

// conversationsOf gives the conversation that each message goes to. What a blocked customer writes is kept, but makes
// no work: it goes to their last conversation, closed as it is, or to one that is made closed.
func (b *reception) conversationsOf(ctx context.Context, keys []store.ConversationKey, fresh func(store.ConversationKey) models.Conversation) (map[store.ConversationKey]*models.Conversation, error) {
	var open, shut []store.ConversationKey
	for _, k := range keys {
		if b.blocked[k.Contact] {
			shut = append(shut, k)
		} else {
			open = append(open, k)
		}
	}
	closed, err := b.tx.LastConversations(ctx, shut, func(k store.ConversationKey) models.Conversation {
		c := fresh(k)
		c.State, c.ClosedAt = models.Closed, &c.OpenedAt
		return c
	})
	if err != nil || len(open) == 0 {
		return closed, err
	}
	found, err := b.tx.OpenConversations(ctx, open, fresh)
	if err != nil {
		return nil, err
	}
	maps.Copy(found, closed)
	return found, nil
}

// BlockCustomer ends the work with a customer: conversations that are not closed close, what is queued to them is
// canceled, and what they write from now on is kept without making work. ErrNotFound for a customer whom the viewer may
// not see. Blocking a blocked one changes nothing.
func (s *Service) BlockCustomer(ctx context.Context, v models.Viewer, id models.ContactID) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockCustomer(ctx, v, id)
		if err != nil || c.BlockedAt != nil {
			return err
		}
		if err := tx.SetBlocked(ctx, id, &v.User); err != nil {
			return err
		}
		conversations, err := tx.LockConversationsWith(ctx, id)
		if err != nil {
			return err
		}
		for _, conversation := range conversations {
			err := s.change(ctx, tx, conversation, func(in *models.Conversation, now time.Time) error {
				return s.shut(ctx, tx, in, v.User, now)
			})
			if err != nil {
				return err
			}
		}
		return tx.Audit(ctx, v, "customer.blocked", contactRow(id), nil)
	})
}

// shut closes a locked conversation with a customer who is blocked; the caller saves it.
func (s *Service) shut(ctx context.Context, tx *store.Tx, c *models.Conversation, by models.UserID, now time.Time) error {
	if err := s.cancelQueued(ctx, tx, c); err != nil || c.State == models.Closed {
		return err
	}
	*c = c.Shut(now)
	if err := tx.EndAgentSession(ctx, *c, models.EndedBlocked, now); err != nil {
		return err
	}
	return s.systemLine(ctx, tx, c, line{"system.blocked", &by, now})
}

// cancelQueued cancels what is queued in a locked conversation; the caller saves it.
func (s *Service) cancelQueued(ctx context.Context, tx *store.Tx, c *models.Conversation) error {
	queued, err := tx.QueuedMessages(ctx, *c)
	if err != nil {
		return err
	}
	return s.cancel(ctx, tx, c, queued, 0)
}

// UnblockCustomer lets a blocked customer's messages make work again, from the next one on. ErrNotFound for a customer
// whom the viewer may not see. Unblocking one who is not blocked changes nothing.
func (s *Service) UnblockCustomer(ctx context.Context, v models.Viewer, id models.ContactID) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockCustomer(ctx, v, id)
		if err != nil || c.BlockedAt == nil {
			return err
		}
		if err := tx.SetBlocked(ctx, id, nil); err != nil {
			return err
		}
		return tx.Audit(ctx, v, "customer.unblocked", contactRow(id), nil)
	})
}

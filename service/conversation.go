package service

import (
	"context"
	"errors"
	"time"

	"kanal/models"
	"kanal/store"
)

// TakeNext gives the viewer the conversation that has waited longest in their queues. ErrQueueEmpty when there is none.
func (s *Service) TakeNext(ctx context.Context, v models.Viewer) (models.ConversationID, error) {
	var id models.ConversationID
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockNextInQueue(ctx, v)
		if err != nil {
			return err
		}
		id = c.ID
		return s.change(ctx, tx, c, func(c *models.Conversation, now time.Time) error {
			return s.assign(ctx, tx, c, v.User, now)
		})
	})
	if models.KindOf(err) == models.KindNotFound {
		return 0, ErrQueueEmpty
	}
	return id, err
}

// ErrQueueEmpty says that nothing waits in the viewer's queues.
var ErrQueueEmpty = models.E(models.KindNotFound, "conversation.queue_empty")

// TakeOver gives the viewer a conversation that nobody has, that is theirs already, or that the agent from has; from is 0
// when the viewer saw that nobody has it. It is a decision about that agent only: KindConflict, with the name, when
// somebody else has it by now, and KindConflict when it is closed. ErrNotFound when the viewer may not see it.
func (s *Service) TakeOver(ctx context.Context, v models.Viewer, id models.ConversationID, from models.UserID) error {
	return s.changeVisible(ctx, v, id, func(tx *store.Tx, c *models.Conversation, now time.Time) error {
		if c.UserID != nil && *c.UserID != v.User && *c.UserID != from {
			return taken(ctx, tx, *c.UserID)
		}
		if c.State == models.Active && c.UserID != nil && *c.UserID == v.User {
			return nil
		}
		return s.assign(ctx, tx, c, v.User, now)
	})
}

// taken says who was faster.
func taken(ctx context.Context, tx *store.Tx, by models.UserID) error {
	u, err := tx.User(ctx, by)
	if err != nil {
		return err
	}
	return models.E(models.KindConflict, "conversation.taken", "name", u.FirstName())
}

// Resolve puts a conversation into wrap-up; it closes by itself after models.WrapUpTime. ErrNotFound, KindConflict.
func (s *Service) Resolve(ctx context.Context, v models.Viewer, id models.ConversationID) error {
	return s.changeVisible(ctx, v, id, func(tx *store.Tx, c *models.Conversation, now time.Time) error {
		resolved, err := c.Resolve(now)
		if err != nil {
			return err
		}
		*c = resolved
		if err := s.systemLine(ctx, tx, c, line{"system.resolved", &v.User, now}); err != nil {
			return err
		}
		if err := tx.EndAgentSession(ctx, *c, models.EndedResolved, now); err != nil {
			return err
		}
		return tx.Enqueue(ctx, models.CloseWrapUp{Conversation: c.ID}, store.At(tx.Now().Add(models.WrapUpTime)))
	})
}

// Reopen undoes Resolve while the conversation is in wrap-up. ErrNotFound, KindConflict.
func (s *Service) Reopen(ctx context.Context, v models.Viewer, id models.ConversationID) error {
	return s.changeVisible(ctx, v, id, func(tx *store.Tx, c *models.Conversation, now time.Time) error {
		reopened, err := c.Reopen()
		if err != nil {
			return err
		}
		*c = reopened
		if c.UserID != nil {
			if err := tx.StartAgentSession(ctx, *c, *c.UserID, now); err != nil {
				return err
			}
		}
		return s.systemLine(ctx, tx, c, line{"system.reopened", &v.User, now})
	})
}

// CloseNow ends the wrap-up by hand. ErrNotFound, KindConflict.
func (s *Service) CloseNow(ctx context.Context, v models.Viewer, id models.ConversationID) error {
	return s.changeVisible(ctx, v, id, func(tx *store.Tx, c *models.Conversation, now time.Time) error {
		return s.close(ctx, tx, c, &v.User, now)
	})
}

// CloseWrapUp closes a conversation whose wrap-up time is over. One that is not, or that has left wrap-up, stays.
func (s *Service) CloseWrapUp(ctx context.Context, id models.ConversationID) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockConversation(ctx, id)
		if err != nil {
			return err
		}
		// Skipping ahead enters this job in the transaction that moves the clock: the directory may not know it yet.
		a, err := tx.Account(ctx, c.AccountID)
		if err != nil {
			return err
		}
		now := a.Now(tx.Now())
		if c.State != models.WrapUp || now.Before(c.ResolvedAt.Add(models.WrapUpTime)) {
			return nil
		}
		return s.change(ctx, tx, c, func(c *models.Conversation, _ time.Time) error { return s.close(ctx, tx, c, nil, now) })
	})
}

func (s *Service) close(ctx context.Context, tx *store.Tx, c *models.Conversation, by *models.UserID, now time.Time) error {
	closed, err := c.Close(now)
	if err != nil {
		return err
	}
	*c = closed
	return s.systemLine(ctx, tx, c, line{"system.closed", by, now})
}

// Seen notes that somebody who is responsible has the thread before them: nothing is unread any more.
func (s *Service) Seen(ctx context.Context, v models.Viewer, id models.ConversationID) error {
	return s.changeVisible(ctx, v, id, func(_ *store.Tx, c *models.Conversation, _ time.Time) error {
		if c.Unread == 0 || c.UserID == nil || *c.UserID != v.User {
			return errUnchanged
		}
		c.Unread = 0
		return nil
	})
}

// SaveDraft keeps what the viewer has begun to write; at most four times the longest message. ErrNotFound.
func (s *Service) SaveDraft(ctx context.Context, v models.Viewer, id models.ConversationID, body string) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockVisibleConversation(ctx, v, id)
		if err != nil {
			return err
		}
		return tx.SaveDraft(ctx, models.Draft{
			AccountID: c.AccountID, ConversationID: c.ID, UserID: v.User, Body: truncate(validText(body), 4*models.MaxMessageLength), Version: 1,
		})
	})
}

// releaseAll returns the conversations of a user to their queues, as when the user is deactivated.
func (s *Service) releaseAll(ctx context.Context, tx *store.Tx, user models.UserID) error {
	cs, err := tx.ConversationsOf(ctx, user)
	if err != nil {
		return err
	}
	for _, c := range cs {
		err := s.change(ctx, tx, c, func(c *models.Conversation, now time.Time) error {
			*c = c.Release()
			if err := tx.EndAgentSession(ctx, *c, models.EndedDeactivated, now); err != nil {
				return err
			}
			return s.systemLine(ctx, tx, c, line{"system.released", nil, now})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// errUnchanged ends a change that turned out to be none.
var errUnchanged = models.E(models.KindInternal, "unchanged")

func (s *Service) changeVisible(ctx context.Context, v models.Viewer, id models.ConversationID, f func(*store.Tx, *models.Conversation, time.Time) error) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockVisibleConversation(ctx, v, id)
		if err != nil {
			return err
		}
		return s.change(ctx, tx, c, func(c *models.Conversation, now time.Time) error { return f(tx, c, now) })
	})
}

// change runs f on a locked conversation at its account's time, saves it and tells the streams of both the agent
// before and the agent now.
func (s *Service) change(ctx context.Context, tx *store.Tx, c models.Conversation, f func(*models.Conversation, time.Time) error) error {
	account, err := s.directory.account(c.AccountID)
	if err != nil {
		return err
	}
	var before []models.UserID
	if c.UserID != nil {
		before = append(before, *c.UserID)
	}
	err = f(&c, account.Now(tx.Now()))
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := tx.SaveConversations(ctx, c); err != nil {
		return err
	}
	tx.Publish(conversationEvent(c, before...))
	return nil
}

// assign gives a locked conversation to an agent, with a line in the thread. The caller saves it.
func (s *Service) assign(ctx context.Context, tx *store.Tx, c *models.Conversation, to models.UserID, now time.Time) error {
	assigned, err := c.Assign(to, now)
	if err != nil {
		return err
	}
	same := c.UserID != nil && *c.UserID == to
	*c = assigned
	if err := tx.StartAgentSession(ctx, *c, to, now); err != nil || same {
		return err
	}
	return s.systemLine(ctx, tx, c, line{"system.assigned", &to, now})
}

// line is a line of Kanal's own in a thread.
type line struct {
	key string         // of its sentence
	by  *models.UserID // who did it; nil for Kanal itself
	at  time.Time
}

func (s *Service) systemLine(ctx context.Context, tx *store.Tx, c *models.Conversation, l line) error {
	return tx.InsertMessages(ctx, []models.Message{next(c, newSystemLine(c, l))})
}

func newSystemLine(c *models.Conversation, l line) models.Message {
	return models.Message{
		AccountID: c.AccountID, ConversationID: c.ID, Direction: models.System, Kind: models.KindSystem, Body: l.key,
		UserID: l.by, State: models.Received, CreatedAt: l.at, UpdatedAt: l.at,
	}
}

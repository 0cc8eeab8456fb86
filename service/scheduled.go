package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kanal/models"
	"kanal/store"
)

// Errors of scheduled messages.
var (
	// ErrNotWaiting: it was sent, canceled or has failed meanwhile.
	ErrNotWaiting = models.E(models.KindConflict, "scheduled.not_waiting")
	// ErrNotYours: only its writer, or who is responsible for the conversation, may.
	ErrNotYours = models.E(models.KindForbidden, "scheduled.not_yours")
)

// When is a moment as a person writes it, in their time zone. Anyway says that they know that the service window is
// closed then.
type When struct {
	Date, Clock string // 2026-11-24, 14:02
	Zone        *time.Location
	Anyway      bool
}

// Scheduling is a message that an agent wants sent at a time. Key is the browser's own for it: the same key is the same
// message.
type Scheduling struct {
	Conversation models.ConversationID
	Key          string
	Body         string
	When         When
}

// at reads the moment. FieldErrors when it is none, is over, is too far away, or when the window is closed then and the
// person does not know it.
func (w When) at(now time.Time, window models.ServiceWindow) (time.Time, error) {
	var f models.FieldErrors
	t, err := time.ParseInLocation("2006-01-02 15:04", w.Date+" "+w.Clock, w.Zone)
	switch {
	case err != nil:
		f.Add("date", "scheduled.no_time")
	case !t.After(now):
		f.Add("date", "scheduled.past")
	case t.After(now.Add(models.MaxSchedule)):
		f.Add("date", "scheduled.far", "days", int(models.MaxSchedule.Hours()/24))
	case !window.IsOpen(t) && !w.Anyway:
		f.Add("date", "scheduled.window")
	}
	return t.UTC(), f.Err()
}

// Schedule keeps a message until its time. Errors: FieldErrors, ErrNotFound, ErrKeyReused, KindConflict when the
// conversation is closed.
func (s *Service) Schedule(ctx context.Context, v models.Viewer, in Scheduling) error {
	if err := (Reply{Key: in.Key, Body: in.Body}).validate(); err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockVisibleConversation(ctx, v, in.Conversation)
		if err != nil {
			return err
		}
		if known, err := tx.ScheduledByKey(ctx, c, v.User, in.Key); err == nil {
			if known.Body != in.Body {
				return ErrKeyReused
			}
			return nil
		} else if !errors.Is(err, models.ErrNotFound) {
			return err
		}
		if err := mayReply(c, true); err != nil {
			return err
		}
		return s.schedule(ctx, tx, v, c, in)
	})
}

func (s *Service) schedule(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, in Scheduling) error {
	a, due, err := s.due(ctx, tx, c, in.When)
	if err != nil {
		return err
	}
	m := models.ScheduledMessage{
		AccountID: c.AccountID, ConversationID: c.ID, UserID: v.User, ClientKey: in.Key, State: models.ScheduledWaiting,
		Body: in.Body, DueAt: due, CreatedAt: a.Now(tx.Now()),
	}
	if err := tx.InsertScheduled(ctx, &m); err != nil {
		return err
	}
	if err := tx.SaveDraft(ctx, models.Draft{AccountID: c.AccountID, ConversationID: c.ID, UserID: v.User}); err != nil {
		return err
	}
	tx.Publish(conversationEvent(c))
	return enqueueScheduled(ctx, tx, a, m)
}

// due gives the moment by the account's clock.
func (s *Service) due(ctx context.Context, tx *store.Tx, c models.Conversation, w When) (models.Account, time.Time, error) {
	a, err := tx.Account(ctx, c.AccountID)
	if err != nil {
		return a, time.Time{}, err
	}
	window, err := tx.ServiceWindow(ctx, store.ConversationKey{Account: c.AccountID, Number: c.NumberID, Contact: c.ContactID})
	if err != nil {
		return a, time.Time{}, err
	}
	t, err := w.at(a.Now(tx.Now()), window)
	return a, t, err
}

// enqueueScheduled enters the job at the moment on the clock on the wall.
func enqueueScheduled(ctx context.Context, tx *store.Tx, a models.Account, m models.ScheduledMessage) error {
	return tx.Enqueue(ctx, models.SendScheduled{Scheduled: m.ID}, store.At(m.DueAt.Add(-a.ClockAhead)))
}

// Reschedule gives a waiting message another time. Errors: FieldErrors, ErrNotFound, ErrNotWaiting, ErrNotYours.
func (s *Service) Reschedule(ctx context.Context, v models.Viewer, id models.ScheduledID, w When) error {
	return s.changeScheduled(ctx, v, id, func(tx *store.Tx, c models.Conversation, m models.ScheduledMessage) error {
		if m.State != models.ScheduledWaiting {
			return ErrNotWaiting
		}
		a, due, err := s.due(ctx, tx, c, w)
		if err != nil {
			return err
		}
		m.DueAt = due
		if err := tx.SaveScheduled(ctx, m, models.ScheduledWaiting); err != nil {
			return err
		}
		return enqueueScheduled(ctx, tx, a, m)
	})
}

// CancelScheduled takes a waiting message back, or puts one that has failed away. Errors: ErrNotFound, ErrNotWaiting,
// ErrNotYours.
func (s *Service) CancelScheduled(ctx context.Context, v models.Viewer, id models.ScheduledID) error {
	return s.changeScheduled(ctx, v, id, func(tx *store.Tx, _ models.Conversation, m models.ScheduledMessage) error {
		was := m.State
		if was != models.ScheduledWaiting && was != models.ScheduledFailed {
			return ErrNotWaiting
		}
		return finishScheduled(ctx, tx, m, models.ScheduledCanceled, m.Problem)
	})
}

// SendScheduledNow makes a message of a waiting one at once; its writer may. Errors: those of Reply, ErrNotWaiting,
// ErrNotYours.
func (s *Service) SendScheduledNow(ctx context.Context, v models.Viewer, id models.ScheduledID) error {
	return s.changeScheduled(ctx, v, id, func(tx *store.Tx, c models.Conversation, m models.ScheduledMessage) error {
		switch {
		case m.UserID != v.User:
			return ErrNotYours
		case m.State != models.ScheduledWaiting:
			return ErrNotWaiting
		}
		return s.sendScheduled(ctx, tx, v, c, m)
	})
}

// changeScheduled lets a person change a scheduled message: the conversation is locked first, as for its messages.
func (s *Service) changeScheduled(ctx context.Context, v models.Viewer, id models.ScheduledID, f func(*store.Tx, models.Conversation, models.ScheduledMessage) error) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		m, err := tx.ScheduledMessage(ctx, id)
		if err != nil {
			return err
		}
		c, err := tx.LockVisibleConversation(ctx, v, m.ConversationID)
		if err != nil {
			return err
		}
		if m, err = tx.LockScheduled(ctx, id); err != nil {
			return err
		}
		if m.UserID != v.User && !v.Role.SeesAll() && (c.UserID == nil || *c.UserID != v.User) {
			return ErrNotYours
		}
		tx.Publish(conversationEvent(c))
		return f(tx, c, m)
	})
}

// SendScheduled makes a message of a scheduled one whose time has come, by the rules of a reply: in the transaction that
// inserts the message, so that it happens once. What the rules refuse has failed, with the reason, and its text becomes
// the writer's draft when there is none.
func (s *Service) SendScheduled(ctx context.Context, id models.ScheduledID) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		m, err := tx.ScheduledMessage(ctx, id)
		if err != nil {
			return ignoreNotFound(err)
		}
		c, err := tx.LockConversation(ctx, m.ConversationID)
		if err != nil {
			return err
		}
		if m, err = tx.LockScheduled(ctx, id); err != nil || m.State != models.ScheduledWaiting {
			return err
		}
		// Skipping ahead enters this job in the transaction that moves the clock: the directory may not know it yet.
		a, err := tx.Account(ctx, c.AccountID)
		if err != nil {
			return err
		}
		if a.Now(tx.Now()).Before(m.DueAt) {
			return enqueueScheduled(ctx, tx, a, m)
		}
		return s.deliverScheduled(ctx, tx, c, m)
	})
}

func (s *Service) deliverScheduled(ctx context.Context, tx *store.Tx, c models.Conversation, m models.ScheduledMessage) error {
	u, err := tx.User(ctx, m.UserID)
	if err != nil {
		return err
	}
	v := models.Viewer{User: u.ID, Role: u.Role}
	if _, err = tx.VisibleConversation(ctx, v, c.ID); err == nil && !u.Active() {
		err = models.ErrNotFound
	}
	if err == nil {
		err = s.sendScheduled(ctx, tx, v, c, m)
	}
	problem := scheduledProblem(err)
	if problem == "" {
		return err
	}
	draft, err := tx.Draft(ctx, c, u.ID)
	if err != nil {
		return err
	}
	if draft.Body == "" {
		draft.Body, draft.Version = m.Body, 1
		if err := tx.SaveDraft(ctx, draft); err != nil {
			return err
		}
	}
	tx.Publish(conversationEvent(c, u.ID))
	return finishScheduled(ctx, tx, m, models.ScheduledFailed, problem)
}

// scheduledProblem gives the key of the sentence that says why a message could not be sent; "" when it was, or when the
// reason is none that stays. The rules look before they write: what they refuse has changed nothing.
func scheduledProblem(err error) string {
	switch kind := models.KindOf(err); {
	case err == nil, kind == models.KindInternal, kind == models.KindUnavailable, errors.Is(err, store.ErrStale):
		return ""
	case errors.Is(err, ErrWindowClosed):
		return "scheduled.failed_window"
	case kind == models.KindNotFound:
		return "scheduled.failed_agent"
	case kind == models.KindConflict:
		return "scheduled.failed_closed"
	}
	return "scheduled.failed_refused"
}

// sendScheduled adds the message. In a conversation that another agent has by now its writer helps.
func (s *Service) sendScheduled(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, m models.ScheduledMessage) error {
	r := Reply{Conversation: c.ID, Key: fmt.Sprintf("later"+keyPart+"%d", m.ID), Body: m.Body, Decision: Decision{Answering: Helping}, later: true}
	sent, err := s.addReply(ctx, tx, v, c, r)
	if err != nil {
		return err
	}
	m.MessageID = &sent.ID
	return finishScheduled(ctx, tx, m, models.ScheduledSent, "")
}

func finishScheduled(ctx context.Context, tx *store.Tx, m models.ScheduledMessage, state models.ScheduledState, problem string) error {
	now, was := tx.Now(), m.State
	m.State, m.Problem, m.FinishedAt = state, problem, &now
	return tx.SaveScheduled(ctx, m, was)
}

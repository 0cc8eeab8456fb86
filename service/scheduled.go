package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// Scheduling is a message that an agent wants sent at a time: a text, files, or a template. Key is the browser's own for
// it: the same key is the same message.
type Scheduling struct {
	Conversation models.ConversationID
	Key          string
	Body         string
	Files        []models.FileID
	Template     *TemplateUse // instead of a text and files
	When         When
}

func (in Scheduling) reply() Reply {
	return Reply{Conversation: in.Conversation, Key: in.Key, Body: in.Body, Files: in.Files, Template: in.Template}
}

// at reads the moment. FieldErrors when it is none, is over or is too far away.
func (w When) at(now time.Time) (time.Time, error) {
	var f models.FieldErrors
	t, err := time.ParseInLocation("2006-01-02 15:04", w.Date+" "+w.Clock, w.Zone)
	switch {
	case err != nil:
		f.Add("date", "scheduled.no_time")
	case !t.After(now):
		f.Add("date", "scheduled.past")
	case t.After(now.Add(models.MaxSchedule)):
		f.Add("date", "scheduled.far", "days", int(models.MaxSchedule.Hours()/24))
	}
	return t.UTC(), f.Err()
}

// errThenClosed: the window is closed at the time, and the person has not said that they know it.
var errThenClosed = models.FieldErrors{{Field: "date", Key: "scheduled.window"}}

// Schedule keeps a message until its time. What would be refused now, or then as things stand, is refused. Errors:
// FieldErrors, those of Reply but ErrOtherAgent and ErrWindowClosed.
func (s *Service) Schedule(ctx context.Context, v models.Viewer, in Scheduling) error {
	if err := in.reply().validate(); err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockVisibleConversation(ctx, v, in.Conversation)
		if err != nil {
			return err
		}
		if known, err := tx.ScheduledByKey(ctx, c, v.User, in.Key); err == nil {
			return sameScheduled(ctx, tx, c, known, in)
		} else if !errors.Is(err, models.ErrNotFound) {
			return err
		}
		return s.schedule(ctx, tx, v, c, in)
	})
}

// sameScheduled gives ErrKeyReused unless a scheduled message that came before is this one.
func sameScheduled(ctx context.Context, tx *store.Tx, c models.Conversation, known models.ScheduledMessage, in Scheduling) error {
	if in.Template != nil || known.TemplateName != "" {
		m := models.Message{Kind: models.KindTemplate, TemplateID: known.TemplateID, ContentSID: known.ContentSID, ContentVariables: known.ContentVariables}
		return sameTemplate([]models.Message{m}, in.Template)
	}
	held, err := tx.HeldFiles(ctx, c.AccountID, known.ID)
	if err != nil {
		return err
	}
	named, err := tx.UploadsNamed(ctx, c, known.UserID, in.Files)
	if err != nil {
		return err
	}
	if known.Body != in.Body || !sameFiles(held[known.ID], named, in.Files) {
		return ErrKeyReused
	}
	return nil
}

func (s *Service) schedule(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, in Scheduling) error {
	a, err := tx.Account(ctx, c.AccountID)
	if err != nil {
		return err
	}
	now := a.Now(tx.Now())
	m := models.ScheduledMessage{
		AccountID: c.AccountID, ConversationID: c.ID, UserID: v.User, ClientKey: in.Key, State: models.ScheduledWaiting,
		Body: in.Body, CreatedAt: now,
	}
	if m.DueAt, err = in.When.at(now); err != nil {
		return err
	}
	files, err := s.uploadsOf(ctx, tx, v, c, in.reply())
	if err != nil {
		return err
	}
	if err := s.fits(ctx, tx, c, &m, in); err != nil {
		return err
	}
	if err := tx.InsertScheduled(ctx, &m); err != nil {
		return err
	}
	for i, f := range files {
		if err := tx.HoldFile(ctx, f.ID, m.ID, i); err != nil {
			return err
		}
	}
	if in.Template == nil { // beside a template what was begun stays
		if err := tx.SaveDraft(ctx, models.Draft{AccountID: c.AccountID, ConversationID: c.ID, UserID: v.User}); err != nil {
			return err
		}
	}
	tx.Publish(conversationEvent(c))
	return enqueueScheduled(ctx, tx, a, m)
}

// fits tells whether a message could go out at its time, as things stand, and fills in what it says when it is a
// template.
func (s *Service) fits(ctx context.Context, tx *store.Tx, c models.Conversation, m *models.ScheduledMessage, in Scheduling) error {
	then, err := s.standing(ctx, tx, c)
	if err != nil {
		return err
	}
	then.now = m.DueAt
	if in.Template != nil {
		return then.fitsTemplate(ctx, tx, m, in)
	}
	if err := mayReply(c, true); err != nil {
		return err
	}
	if !then.open() && !in.When.Anyway {
		return errThenClosed
	}
	then.window = then.written()
	return then.may(in.reply())
}

func (at standing) fitsTemplate(ctx context.Context, tx *store.Tx, m *models.ScheduledMessage, in Scheduling) error {
	if err := at.may(in.reply()); err != nil {
		return err
	}
	t, err := at.template(ctx, tx, *in.Template)
	if errors.Is(err, ErrTemplateWindow) {
		if !in.When.Anyway {
			return errThenClosed
		}
		at.window = at.written()
		t, err = at.template(ctx, tx, *in.Template)
	}
	m.Body, m.TemplateID, m.TemplateName, m.ContentVariables = t.Body, t.TemplateID, t.Details.Template, t.ContentVariables
	if t.TemplateID == nil {
		m.ContentSID = t.ContentSID
	}
	return err
}

// written gives the window as it would be had the customer written again by then; that it was said before what they have
// agreed to is not changed by it.
func (at standing) written() models.ServiceWindow {
	w := at.window
	if !at.open() {
		w.ClosesAt = at.now.Add(time.Minute)
	}
	return w
}

// enqueueScheduled enters the job at the moment on the clock on the wall.
func enqueueScheduled(ctx context.Context, tx *store.Tx, a models.Account, m models.ScheduledMessage) error {
	return tx.Enqueue(ctx, models.SendScheduled{Scheduled: m.ID}, store.At(m.DueAt.Add(-a.ClockAhead)))
}

// Rescheduling is what changes in a scheduled message: its time, its text, or the values of its template. Body and
// Values are nil where they stay.
type Rescheduling struct {
	When   When
	Body   *string
	Values map[string]string
}

// Reschedule gives a message that waits or has failed another time; its writer may give it other words. Errors: those of
// Schedule, ErrNotWaiting, ErrNotYours, ErrOptedOut.
func (s *Service) Reschedule(ctx context.Context, v models.Viewer, id models.ScheduledID, r Rescheduling) error {
	return s.changeScheduled(ctx, v, id, func(tx *store.Tx, c models.Conversation, m models.ScheduledMessage) error {
		was := m.State
		if !m.Open() {
			return ErrNotWaiting
		}
		in, err := schedulingOf(ctx, tx, m)
		if err != nil {
			return err
		}
		in.When = r.When
		if r.reword(&in) && m.UserID != v.User {
			return ErrNotYours
		}
		m.Body = in.Body
		if err := in.reply().validate(); err != nil {
			return err
		}
		a, err := tx.Account(ctx, c.AccountID)
		if err != nil {
			return err
		}
		if m.DueAt, err = r.When.at(a.Now(tx.Now())); err != nil {
			return err
		}
		if err := s.fits(ctx, tx, c, &m, in); err != nil {
			return err
		}
		if err := optedOutSince(ctx, tx, c, m); err != nil {
			return err
		}
		m.State, m.Problem, m.FinishedAt = models.ScheduledWaiting, "", nil
		if err := tx.SaveScheduled(ctx, m, was); err != nil {
			return err
		}
		return enqueueScheduled(ctx, tx, a, m)
	})
}

// reword gives a message its other words; false when they are the same.
func (r Rescheduling) reword(in *Scheduling) (changed bool) {
	switch {
	case in.Template == nil && r.Body != nil:
		changed = *r.Body != in.Body
		in.Body = *r.Body
	case in.Template != nil && r.Values != nil:
		changed = !maps.Equal(in.Template.Values, r.Values)
		in.Template.Values = r.Values
	}
	return changed
}

// schedulingOf gives what a scheduled message is made of.
func schedulingOf(ctx context.Context, tx *store.Tx, m models.ScheduledMessage) (Scheduling, error) {
	in := Scheduling{Conversation: m.ConversationID, Key: m.ClientKey, Body: m.Body}
	if m.TemplateName != "" {
		in.Template = &TemplateUse{ContentSID: m.ContentSID, Values: m.Values()}
		if m.TemplateID != nil {
			in.Template.Template = *m.TemplateID
		}
		return in, nil
	}
	held, err := tx.HeldFiles(ctx, m.AccountID, m.ID)
	if err != nil {
		return in, err
	}
	for _, f := range held[m.ID] {
		in.Files = append(in.Files, f.ID)
	}
	return in, err
}

// CancelScheduled takes a waiting message back, or puts one that has failed away; the files that it holds go with it.
// Errors: ErrNotFound, ErrNotWaiting, ErrNotYours.
func (s *Service) CancelScheduled(ctx context.Context, v models.Viewer, id models.ScheduledID) error {
	var dropped []models.File
	err := s.changeScheduled(ctx, v, id, func(tx *store.Tx, _ models.Conversation, m models.ScheduledMessage) error {
		if !m.Open() {
			return ErrNotWaiting
		}
		held, err := tx.HeldFiles(ctx, m.AccountID, m.ID)
		if err != nil {
			return err
		}
		dropped = held[m.ID]
		if err := tx.DropHeldFiles(ctx, m); err != nil {
			return err
		}
		return finishScheduled(ctx, tx, m, models.ScheduledCanceled, m.Problem)
	})
	if err != nil {
		return err
	}
	for _, f := range dropped {
		s.discard(ctx, f)
	}
	return nil
}

// SendScheduledNow makes a message of one that waits or has failed at once; its writer may. Errors: those of Reply, ErrNotWaiting,
// ErrNotYours.
func (s *Service) SendScheduledNow(ctx context.Context, v models.Viewer, id models.ScheduledID) error {
	return s.changeScheduled(ctx, v, id, func(tx *store.Tx, c models.Conversation, m models.ScheduledMessage) error {
		switch {
		case m.UserID != v.User:
			return ErrNotYours
		case !m.Open():
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
		if !m.ChangedBy(v, c) {
			return ErrNotYours
		}
		tx.Publish(conversationEvent(c))
		return f(tx, c, m)
	})
}

// SendScheduled makes a message of a scheduled one whose time has come, by the rules of a reply: in the transaction that
// inserts the message, so that it happens once. What the rules refuse has failed, with the reason, and waits for a
// person to change it, send it or put it away.
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
		err = optedOutSince(ctx, tx, c, m)
	}
	if err == nil {
		err = s.sendScheduled(ctx, tx, v, c, m)
	}
	problem := scheduledProblem(err)
	if problem == "" {
		return err
	}
	tx.Publish(conversationEvent(c, u.ID))
	return finishScheduled(ctx, tx, m, models.ScheduledFailed, problem)
}

// optedOutSince gives ErrOptedOut when the customer has said no to messages after a message was scheduled: whoever wrote it
// did not know. Who knows may still answer, now or at a time.
func optedOutSince(ctx context.Context, tx *store.Tx, c models.Conversation, m models.ScheduledMessage) error {
	said, err := tx.ConsentState(ctx, c.AccountID, c.ContactID)
	if err == nil && said.OptedOut() && said.All.At.After(m.CreatedAt) {
		err = ErrOptedOut
	}
	return err
}

// scheduledProblems are the sentences that say why a message could not be sent and what to do now.
var scheduledProblems = []struct {
	err error
	key string
}{
	{ErrWindowClosed, "scheduled.failed_window"},
	{ErrTemplateWindow, "scheduled.failed_window"},
	{ErrTemplateStopped, "scheduled.failed_template"},
	{ErrTemplateSandbox, "scheduled.failed_template"},
	{errTemplateChanged, "scheduled.failed_template"},
	{ErrFilesOff, "scheduled.failed_files"},
	{ErrFilesUnreachable, "scheduled.failed_files"},
	{ErrBlocked, "scheduled.failed_blocked"},
	{ErrOptedOut, "scheduled.failed_opted_out"},
	{models.E(models.KindInvalid, string(models.RefusedNoMarketing)), "scheduled.failed_marketing"},
	{models.E(models.KindInvalid, string(models.RefusedNoOptIn)), "scheduled.failed_consent"},
}

// scheduledProblem gives the key of the sentence that says why a message could not be sent; "" when it was, or when the
// reason is none that stays. The rules look before they write: what they refuse has changed nothing.
func scheduledProblem(err error) string {
	kind := models.KindOf(err)
	if err == nil || kind == models.KindInternal || kind == models.KindUnavailable || errors.Is(err, store.ErrStale) || errors.Is(err, ErrFileSent) {
		return ""
	}
	for _, p := range scheduledProblems {
		if errors.Is(err, p.err) {
			return p.key
		}
	}
	switch kind {
	case models.KindNotFound:
		return "scheduled.failed_agent"
	case models.KindConflict:
		return "scheduled.failed_closed"
	}
	return "scheduled.failed_refused"
}

// errTemplateChanged: the template is gone, or its variables are others by now.
var errTemplateChanged = models.E(models.KindInvalid, "scheduled.failed_template")

// sendScheduled adds the message, or with files several. In a conversation that another agent has by now its writer helps.
func (s *Service) sendScheduled(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, m models.ScheduledMessage) error {
	in, err := schedulingOf(ctx, tx, m)
	if err != nil {
		return err
	}
	r := in.reply()
	r.Key, r.Decision, r.later = fmt.Sprintf("later"+keyPart+"%d", m.ID), Decision{Answering: Helping}, m.ID
	sent, err := s.addReply(ctx, tx, v, c, r)
	if fields := (models.FieldErrors{}); in.Template != nil && (errors.Is(err, models.ErrNotFound) || errors.As(err, &fields)) {
		return errTemplateChanged
	}
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

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/inbox"
)

// laterList answers the messages of a conversation that wait for their time.
func (s *Server) laterList(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	if !isPartial(c) {
		return s.redirect(c, conversationPath(row.ID))
	}
	l, err := s.later(c, row)
	if err != nil {
		return err
	}
	return s.part(c, http.StatusOK, inbox.LaterList(l))
}

func conversationPath(id models.ConversationID) string { return fmt.Sprintf("/inbox/%d", id) }

func (s *Server) later(c echo.Context, row models.ConversationRow) (inbox.Later, error) {
	l := inbox.Later{Row: row, Viewer: personOf(c).viewer, Now: row.Now(s.store.Now())}
	var err error
	if l.Messages, err = s.store.Scheduled(c.Request().Context(), row.Conversation); err != nil {
		return l, err
	}
	ids := make([]models.ScheduledID, len(l.Messages))
	for i, m := range l.Messages {
		ids[i] = m.ID
	}
	if l.Files, err = s.store.HeldFiles(c.Request().Context(), row.AccountID, ids...); err != nil {
		return l, err
	}
	l.Contents = map[models.ScheduledID]models.Content{}
	for _, m := range l.Messages {
		t, err := s.laterTemplate(c.Request().Context(), row, m)
		if err != nil {
			return l, err
		}
		if t != nil {
			l.Contents[m.ID] = t.Content().Render(m.Values())
		}
	}
	return l, nil
}

// laterTemplate gives the template of a scheduled message as it stands now; nil when it is none, or is gone.
func (s *Server) laterTemplate(ctx context.Context, row models.ConversationRow, m models.ScheduledMessage) (*models.Template, error) {
	if m.TemplateName == "" {
		return nil, nil
	}
	if m.TemplateID == nil {
		for _, t := range service.SandboxTemplates(models.Number{AccountID: row.AccountID, Address: row.NumberAddress}) {
			if t.ContentSID == m.ContentSID {
				return &t, nil
			}
		}
		return nil, nil
	}
	t, err := s.store.TemplateOf(ctx, row.AccountID, *m.TemplateID)
	return &t, err
}

// newLaterPage asks when a message is to be sent: what waits in the composer.
func (s *Server) newLaterPage(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	f := inbox.LaterForm{Row: row, Key: newClientKey(), Body: row.Draft, Mine: true}
	if f.Files, err = s.store.Uploads(c.Request().Context(), row.Conversation, personOf(c).viewer.User); err != nil {
		return err
	}
	return s.showLater(c, http.StatusOK, f.Fill(c.Request().Context(), soon(row.Now(s.store.Now()))))
}

// composedLater asks when what the composer has posted is to be sent. It is kept as the draft: the way back leads to it.
func (s *Server) composedLater(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	in, _, err := s.readReply(c, row)
	if err != nil {
		return s.replyRefused(c, row, in, err)
	}
	if !isPartial(c) { // the script has saved it
		if err := s.service.SaveDraft(c.Request().Context(), personOf(c).viewer, row.ID, in.Body); err != nil {
			return err
		}
	}
	f := inbox.LaterForm{Row: row, Key: newClientKey(), Body: in.Body, Mine: true}
	if f.Files, err = s.namedUploads(c, row, in.Files); err != nil {
		return err
	}
	return s.showLater(c, http.StatusOK, f.Fill(c.Request().Context(), soon(row.Now(s.store.Now()))))
}

// namedUploads reads those of the agent's uploads that a form names, in its order.
func (s *Server) namedUploads(c echo.Context, row models.ConversationRow, ids []models.FileID) ([]models.File, error) {
	found, err := s.store.UploadsNamed(c.Request().Context(), row.Conversation, personOf(c).viewer.User, ids)
	var fs []models.File
	for _, id := range ids {
		if i := slices.IndexFunc(found, func(f models.File) bool { return f.ID == id }); i >= 0 {
			fs = append(fs, found[i])
		}
	}
	return fs, err
}

// templateLater asks when the template that was filled in is to be sent; at is the moment that was chosen before.
func (s *Server) templateLater(c echo.Context, row models.ConversationRow, in service.Reply, at string) error {
	p, err := s.picker(c, row, field(c, "t"))
	if err != nil {
		return err
	}
	if err := p.Chosen.CheckValues(in.Template.Values); err != nil {
		return s.templateRefused(c, in, err)
	}
	f := inbox.LaterForm{Row: row, Key: newClientKey(), Template: p.Chosen, Values: in.Template.Values}
	f = f.Fill(c.Request().Context(), soon(row.Now(s.store.Now())))
	if date, clock, ok := strings.Cut(at, " "); ok {
		f.Date, f.Clock = date, clock
	}
	return s.showLater(c, http.StatusOK, f)
}

// soon is what the dialog offers: in an hour, at a quarter.
func soon(now time.Time) time.Time { return now.Add(75 * time.Minute).Truncate(15 * time.Minute) }

// zoneName names a time zone for people: the server's own has no name.
func zoneName(z *time.Location, now time.Time) string {
	if z == time.Local {
		return now.In(z).Format("UTC-07:00")
	}
	return z.String()
}

func typedBody(c echo.Context, name string) string {
	return strings.TrimRight(c.Request().PostFormValue(name), " \t\r\n")
}

func (s *Server) showLater(c echo.Context, status int, f inbox.LaterForm) error {
	f.Zone = zoneName(i18n.From(c.Request().Context()).Zone, s.store.Now())
	title := "scheduled.title"
	if f.ID != 0 {
		title = "scheduled.change_title"
	}
	return s.inboxDialog(c, status, text(c, title), inbox.LaterDialog(f))
}

// when reads the moment of the form. That the window is closed then is known of the moment that was shown so.
func when(c echo.Context) service.When {
	w := service.When{Date: field(c, "date"), Clock: field(c, "clock"), Zone: i18n.From(c.Request().Context()).Zone}
	w.Anyway = field(c, "anyway") == w.Date+" "+w.Clock
	return w
}

// schedule keeps a message until its time.
func (s *Server) schedule(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	in := service.Scheduling{Conversation: row.ID, Key: field(c, "client_key"), Body: typedBody(c, "later_body"), When: when(c)}
	if in.Files, err = fileIDs(c); err != nil {
		return err
	}
	if field(c, "t") != "" {
		use, err := templateUse(c)
		if err != nil {
			return err
		}
		in.Template = &use
	}
	if err := s.service.Schedule(c.Request().Context(), personOf(c).viewer, in); err != nil {
		return s.scheduleRefused(c, row, in, err)
	}
	return s.doneDialog(c, conversationPath(row.ID), "done.scheduled")
}

// scheduleRefused shows the dialog again, or the fields of the template with what is wrong in them. What was typed is
// kept as the draft, too: the dialog offers a template instead.
func (s *Server) scheduleRefused(c echo.Context, row models.ConversationRow, in service.Scheduling, err error) error {
	f := inbox.LaterForm{Row: row, Key: in.Key, Body: in.Body, Date: in.When.Date, Clock: in.When.Clock, Mine: true}
	var fields models.FieldErrors
	if in.Template != nil {
		if errors.As(err, &fields) && fields[0].Field != "date" {
			return s.templateRefused(c, service.Reply{Conversation: row.ID, Key: newClientKey(), Template: in.Template}, err)
		}
		p, err := s.picker(c, row, field(c, "t"))
		if err != nil {
			return err
		}
		f.Template, f.Values = p.Chosen, in.Template.Values
	} else if err := s.service.SaveDraft(c.Request().Context(), personOf(c).viewer, row.ID, in.Body); err != nil {
		return err
	}
	var readErr error
	if f.Files, readErr = s.namedUploads(c, row, in.Files); readErr != nil {
		return readErr
	}
	return s.laterRefused(c, f, err)
}

// laterRefused shows the dialog again with what was typed.
func (s *Server) laterRefused(c echo.Context, f inbox.LaterForm, err error) error {
	var fields models.FieldErrors
	if models.KindOf(err) != models.KindInvalid {
		return err
	}
	if !errors.As(err, &fields) {
		f.Errors = f.Errors.With("", errorText(c, err))
		return s.showLater(c, http.StatusUnprocessableEntity, f)
	}
	for i := range fields {
		if fields[i].Field == "body" {
			fields[i].Field = "later_body"
		}
		f.Anyway = f.Anyway || fields[i].Key == "scheduled.window"
	}
	f.Errors = components.ErrorsOf(c.Request().Context(), fields)
	return s.showLater(c, http.StatusUnprocessableEntity, f)
}

// scheduled reads the scheduled message of the path with its conversation, as the viewer may see them.
func (s *Server) scheduled(c echo.Context) (models.ScheduledMessage, models.ConversationRow, error) {
	id, err := models.ParseID[models.ScheduledID](c.Param("scheduled"))
	if err != nil {
		return models.ScheduledMessage{}, models.ConversationRow{}, err
	}
	ctx, v := c.Request().Context(), personOf(c).viewer
	m, err := s.store.ScheduledFor(ctx, v, id)
	if err != nil {
		return m, models.ConversationRow{}, err
	}
	row, err := s.store.Conversation(ctx, v, m.ConversationID)
	return m, row, err
}

// laterPage asks for another time, those who may give one.
func (s *Server) laterPage(c echo.Context) error {
	m, row, err := s.scheduled(c)
	if err != nil {
		return err
	}
	switch {
	case !m.ChangedBy(personOf(c).viewer, row.Conversation):
		return service.ErrNotYours
	case !m.Open():
		return service.ErrNotWaiting
	}
	f, err := s.laterForm(c, m, row)
	if err != nil {
		return err
	}
	return s.showLater(c, http.StatusOK, f)
}

// laterForm is the dialog about a message that is scheduled already.
func (s *Server) laterForm(c echo.Context, m models.ScheduledMessage, row models.ConversationRow) (inbox.LaterForm, error) {
	f := inbox.LaterForm{Row: row, ID: m.ID, Body: m.Body, Values: m.Values(), Mine: m.UserID == personOf(c).viewer.User}
	var err error
	if f.Template, err = s.laterTemplate(c.Request().Context(), row, m); err != nil {
		return f, err
	}
	f.Mine = f.Mine && (m.TemplateName == "" || f.Template != nil)
	held, err := s.store.HeldFiles(c.Request().Context(), m.AccountID, m.ID)
	f.Files = held[m.ID]
	at := m.DueAt
	if now := row.Now(s.store.Now()); !at.After(now) {
		at = soon(now)
	}
	return f.Fill(c.Request().Context(), at), err
}

// reschedule gives a message that waits or has failed another time, and other words.
func (s *Server) reschedule(c echo.Context) error {
	m, row, err := s.scheduled(c)
	if err != nil {
		return err
	}
	f, err := s.laterForm(c, m, row)
	if err != nil {
		return err
	}
	in := service.Rescheduling{When: when(c)}
	f.Date, f.Clock = in.When.Date, in.When.Clock
	if c.Request().PostForm.Has("later_body") {
		f.Body = typedBody(c, "later_body")
		in.Body = &f.Body
	}
	if values := typedValues(c); len(values) > 0 {
		f.Values, in.Values = values, values
	}
	if err := s.service.Reschedule(c.Request().Context(), personOf(c).viewer, m.ID, in); err != nil {
		return s.laterRefused(c, f, err)
	}
	return s.doneDialog(c, conversationPath(row.ID), "done.rescheduled")
}

// scheduledAct does what a button under a scheduled message says; done names the sentence that confirms it. The event
// brings the list up to date.
func (s *Server) scheduledAct(do func(context.Context, models.Viewer, models.ScheduledID) error, done string) echo.HandlerFunc {
	return func(c echo.Context) error {
		m, row, err := s.scheduled(c)
		if err != nil {
			return err
		}
		if err := do(c.Request().Context(), personOf(c).viewer, m.ID); err != nil {
			return err
		}
		if isPartial(c) {
			return s.toast(c, done)
		}
		return s.done(c, conversationPath(row.ID), done)
	}
}

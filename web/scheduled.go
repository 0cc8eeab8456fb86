package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
	l.Messages, err = s.store.Scheduled(c.Request().Context(), row.Conversation)
	return l, err
}

// newLaterPage asks when a message is to be sent: the draft, or what the composer has posted.
func (s *Server) newLaterPage(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	f := inbox.LaterForm{Row: row, Key: newClientKey(), Body: row.Draft}
	if c.Request().Method == http.MethodPost {
		f.Body = typedBody(c, "body")
	}
	return s.showLater(c, http.StatusOK, f.Fill(c.Request().Context(), soon(row.Now(s.store.Now()))))
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
	if err := s.service.Schedule(c.Request().Context(), personOf(c).viewer, in); err != nil {
		return s.laterRefused(c, inbox.LaterForm{Row: row, Key: in.Key, Body: in.Body, Date: in.When.Date, Clock: in.When.Clock}, err)
	}
	return s.doneDialog(c, conversationPath(row.ID), "done.scheduled")
}

// laterRefused shows the dialog again with what was typed.
func (s *Server) laterRefused(c echo.Context, f inbox.LaterForm, err error) error {
	var fields models.FieldErrors
	if !errors.As(err, &fields) {
		return err
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

// laterPage asks for another time.
func (s *Server) laterPage(c echo.Context) error {
	m, row, err := s.scheduled(c)
	if err != nil {
		return err
	}
	if m.State != models.ScheduledWaiting {
		return service.ErrNotWaiting
	}
	return s.showLater(c, http.StatusOK, inbox.LaterForm{Row: row, ID: m.ID, Body: m.Body}.Fill(c.Request().Context(), m.DueAt))
}

// reschedule gives a waiting message another time.
func (s *Server) reschedule(c echo.Context) error {
	m, row, err := s.scheduled(c)
	if err != nil {
		return err
	}
	w := when(c)
	if err := s.service.Reschedule(c.Request().Context(), personOf(c).viewer, m.ID, w); err != nil {
		return s.laterRefused(c, inbox.LaterForm{Row: row, ID: m.ID, Body: m.Body, Date: w.Date, Clock: w.Clock}, err)
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

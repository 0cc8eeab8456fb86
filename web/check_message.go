package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views/check"
	"kanal/views/components"
)

// testMessagePage asks an administrator for their own phone.
func (s *Server) testMessagePage(c echo.Context) error {
	return s.showTestMessage(c, http.StatusOK, check.Message{})
}

func (s *Server) showTestMessage(c echo.Context, status int, m check.Message) (err error) {
	if m.Numbers, err = s.store.NumbersToStart(c.Request().Context(), viewer(c)); err != nil {
		return err
	}
	return s.dialog(c, status, text(c, "check.message"), check.MessageDialog(m))
}

// sendTestMessage asks whether to send, and then sends a message to an administrator's own phone. It leads to the
// conversation, where it stands how far the message comes.
func (s *Server) sendTestMessage(c echo.Context) error {
	ctx, action := c.Request().Context(), field(c, "action")
	m := check.Message{Number: field(c, "number"), To: field(c, "to"), Key: field(c, "client_key"), Text: text(c, "check.message.text")}
	if action == "change" {
		return s.showTestMessage(c, http.StatusOK, m)
	}
	in := service.TestMessage{To: m.To, Key: m.Key, Body: m.Text, Note: text(c, "check.message")}
	in.Number, _ = models.ParseID[models.NumberID](m.Number) // 0 is no number: refused
	if action == "send" {
		sent, err := s.service.SendTest(ctx, viewer(c), in)
		if err != nil {
			return s.testMessageRefused(c, m, err)
		}
		return s.doneDialog(c, "/inbox/"+number(sent.ConversationID), "done.test_message")
	}
	to, from, err := s.service.ReadTest(ctx, viewer(c), in)
	if err != nil {
		return s.testMessageRefused(c, m, err)
	}
	m.To, m.From, m.Key = to, &from, newClientKey()
	return s.showTestMessage(c, http.StatusOK, m)
}

// testMessageRefused shows the form and why nothing was sent.
func (s *Server) testMessageRefused(c echo.Context, m check.Message, why error) error {
	var problems models.FieldErrors
	status := http.StatusUnprocessableEntity
	switch {
	case errors.As(why, &problems):
		m.Errors = components.ErrorsOf(c.Request().Context(), problems)
	case models.KindOf(why) == models.KindConflict:
		status = http.StatusConflict
		m.Errors = m.Errors.With("", errorText(c, why))
	case models.KindOf(why) == models.KindInvalid:
		m.Errors = m.Errors.With("", errorText(c, why))
	default:
		return why
	}
	return s.showTestMessage(c, status, m)
}

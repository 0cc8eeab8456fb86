package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views/i18n"
	"kanal/views/inbox"
)

func newClientKey() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// reply takes in what an agent has written.
func (s *Server) reply(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	in, up, err := s.readReply(c, row)
	if err == nil {
		_, err = s.service.Reply(c.Request().Context(), personOf(c).viewer, in)
	}
	if err != nil {
		return s.replyRefused(c, row, in, err)
	}
	if !isPartial(c) {
		s.dropRepeated(c, row, up)
		return s.redirect(c, conversationPath(row.ID))
	}
	ms, err := s.store.MessagesByKeys(c.Request().Context(), row.Conversation, personOf(c).viewer.User, service.ReplyKeys(in.Key))
	if err != nil {
		return err
	}
	t := inbox.Thread{Row: row, Messages: ms, Viewer: personOf(c).viewer, Now: row.Now(s.store.Now()), Advice: adviceFor}
	if err := s.addFiles(c.Request().Context(), &t); err != nil {
		return err
	}
	return s.part(c, http.StatusCreated, inbox.Messages(t))
}

// replyRefused answers with the composer's place and what was typed: the form with the problem, the panel, or the question
// who answers. A script keeps what it has sent, so it only learns of a conflict.
func (s *Server) replyRefused(c echo.Context, row models.ConversationRow, in service.Reply, err error) error {
	var fields models.FieldErrors
	status := http.StatusUnprocessableEntity
	switch {
	case errors.Is(err, service.ErrOtherAgent):
		return s.askWhoAnswers(c, row, in)
	case errors.As(err, &fields), errors.Is(err, service.ErrWindowClosed), errors.Is(err, service.ErrOptedOut), errors.Is(err, service.ErrFilesUnreachable):
	case errors.Is(err, service.ErrFilesOff) && !isPartial(c):
		status = http.StatusForbidden
	case models.KindOf(err) == models.KindConflict && !isPartial(c):
		status = http.StatusConflict
	default:
		return err
	}
	row, readErr := s.store.Conversation(c.Request().Context(), personOf(c).viewer, row.ID)
	if readErr != nil {
		return readErr
	}
	change := func(k *inbox.Composer) {
		k.Text, k.Focus = in.Body, true
		if len(fields) > 0 {
			k.Problem = i18n.Field(c.Request().Context(), fields[0])
		} else if !errors.Is(err, service.ErrWindowClosed) {
			k.Problem = errorText(c, err)
		}
	}
	if isPartial(c) {
		k, err := s.composer(c, row)
		if err != nil {
			return err
		}
		change(&k)
		return s.part(c, status, inbox.ComposerPane(k))
	}
	return s.showConversation(c, status, row, change)
}

// saveDraft keeps what an agent has begun to write.
func (s *Server) saveDraft(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	if err := s.service.SaveDraft(c.Request().Context(), personOf(c).viewer, row.ID, c.Request().PostFormValue("body")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// retryMessage sends a failed message once more.
func (s *Server) retryMessage(c echo.Context) error {
	id, err := models.ParseID[models.MessageID](c.Param("message"))
	if err != nil {
		return err
	}
	m, err := s.service.Retry(c.Request().Context(), personOf(c).viewer, id)
	if err != nil {
		return err
	}
	if isPartial(c) {
		return c.NoContent(http.StatusNoContent)
	}
	return s.redirect(c, conversationPath(m.ConversationID))
}

package web

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views"
	"kanal/views/inbox"
)

// decision reads what an agent has decided about a conversation that another agent has.
func decision(c echo.Context) service.Decision {
	owner, _ := models.ParseID[models.UserID](field(c, "owner")) // 0 is nobody: a take-over is refused
	return service.Decision{Answering: service.Answering(field(c, "as")), Owner: owner}
}

// dialogHeader tells our scripts that the answer belongs into the dialog.
const dialogHeader = "Kanal-Dialog"

// askWhoAnswers asks whether the agent answers although another one has the conversation. The text is kept as the draft
// too, so that it outlives whatever happens to the question.
func (s *Server) askWhoAnswers(c echo.Context, row models.ConversationRow, in service.Reply) error {
	ctx, v := c.Request().Context(), personOf(c).viewer
	if err := s.service.SaveDraft(ctx, v, row.ID, in.Body); err != nil {
		return err
	}
	row, err := s.store.Conversation(ctx, v, row.ID)
	if err != nil {
		return err
	}
	if row.UserID == nil || *row.UserID == v.User {
		return service.ErrOtherAgent // not any more: sent again it goes
	}
	a := inbox.Answer{Row: row, Key: in.Key, Body: in.Body}
	if a.Files, err = s.store.UploadsNamed(ctx, row.Conversation, v.User, in.Files); err != nil {
		return err
	}
	if isPartial(c) {
		c.Response().Header().Set(dialogHeader, "answer")
		return s.part(c, http.StatusConflict, inbox.AnswerDialog(a))
	}
	return s.inboxDialog(c, http.StatusConflict, text(c, "answer.title", "name", a.Owner()), inbox.AnswerDialog(a))
}

// inboxDialog answers with a dialog of the inbox: the part alone for a script, a page of its own for everybody else.
func (s *Server) inboxDialog(c echo.Context, status int, title string, body templ.Component) error {
	page := s.inboxFrame(c, title)
	return s.render(c, status, page, views.DialogPage(page, body), body)
}

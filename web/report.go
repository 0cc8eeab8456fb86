package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/views/inbox"
)

// messageDetails shows everything that is known about one message.
func (s *Server) messageDetails(c echo.Context) error {
	id, err := models.ParseID[models.MessageID](c.Param("message"))
	if err != nil {
		return err
	}
	ctx, v := c.Request().Context(), personOf(c).viewer
	m, err := s.store.MessageFor(ctx, v, id)
	if err != nil {
		return err
	}
	if m.Direction == models.System {
		return models.ErrNotFound
	}
	row, err := s.store.Conversation(ctx, v, m.ConversationID)
	if err != nil {
		return err
	}
	r := inbox.Report{Thread: inbox.Thread{Row: row, Viewer: v, Now: row.Now(s.store.Now()), Advice: adviceFor}, Message: m}
	if err := s.fillReport(ctx, &r); err != nil {
		return err
	}
	return s.inboxDialog(c, http.StatusOK, text(c, "report.title"), inbox.ReportDialog(r))
}

func (s *Server) fillReport(ctx context.Context, r *inbox.Report) (err error) {
	m := r.Message
	if r.Attempts, err = s.store.Attempts(ctx, m); err != nil {
		return err
	}
	if r.Events, err = s.store.Reports(ctx, m); err != nil {
		return err
	}
	files, err := s.store.FilesOfMessages(ctx, m.AccountID, []models.MessageID{m.ID})
	if err != nil {
		return err
	}
	r.Files = files[m.ID]
	if m.TemplateID == nil {
		return nil
	}
	t, err := s.store.TemplateOf(ctx, m.AccountID, *m.TemplateID)
	if models.KindOf(err) == models.KindNotFound {
		return nil
	}
	r.Template = t.Name
	return err
}

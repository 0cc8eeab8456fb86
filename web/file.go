package web

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views/i18n"
	"kanal/views/inbox"
)

// filePolicy holds for a file that is opened as a page of its own: nothing in it runs, and it belongs to no site.
const filePolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; sandbox; frame-ancestors 'none'"

// sideFiles is how many files the side panel lists.
const sideFiles = 20

// addFiles reads the files of a thread's messages.
func (s *Server) addFiles(ctx context.Context, t *inbox.Thread) (err error) {
	ids := make([]models.MessageID, len(t.Messages))
	for i, m := range t.Messages {
		ids[i] = m.ID
	}
	t.Files, err = s.store.FilesOfMessages(ctx, t.Row.AccountID, ids)
	return err
}

// fileOf reads the file of the path as the viewer may see it.
func (s *Server) fileOf(c echo.Context) (models.File, error) {
	id, err := models.ParseID[models.FileID](c.Param("file"))
	if err != nil {
		return models.File{}, err
	}
	return s.store.FileFor(c.Request().Context(), personOf(c).viewer, id)
}

// downloadFile gives a file to be kept, never to be shown.
func (s *Server) downloadFile(c echo.Context) error {
	f, err := s.fileOf(c)
	if err != nil {
		return err
	}
	content, err := s.service.OpenFile(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return serveFile(c, content, "attachment")
}

// viewFile gives a file that a browser shows or plays. ErrNotFound for any other.
func (s *Server) viewFile(c echo.Context) error {
	f, err := s.fileOf(c)
	if err != nil {
		return err
	}
	if !f.Shown() {
		return models.ErrNotFound
	}
	content, err := s.service.OpenFile(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return serveFile(c, content, "inline")
}

// viewThumb gives the small picture of a picture.
func (s *Server) viewThumb(c echo.Context) error {
	f, err := s.fileOf(c)
	if err != nil {
		return err
	}
	content, err := s.service.OpenThumb(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return serveFile(c, content, "inline")
}

// serveFile sends the content of a file, or the part of it that was asked for. A browser may keep it and asks each time
// whether it may still show it.
func serveFile(c echo.Context, content service.FileContent, disposition string) error {
	defer func() { _ = content.Close() }()
	h := c.Response().Header()
	h.Set("Content-Type", content.ContentType)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": inbox.FileName(c.Request().Context(), content.File)}))
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", fmt.Sprintf(`"%d-%d-%s"`, content.File.ID, content.File.Size, disposition))
	// A large file on a slow line takes longer than a page; the reader going away ends it.
	_ = http.NewResponseController(c.Response().Writer).SetWriteDeadline(time.Time{})
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, content)
	return nil
}

// fileDialog reads what the dialogs about a picture show.
func (s *Server) fileDialog(c echo.Context) (inbox.FileDialog, error) {
	f, err := s.fileOf(c)
	if err != nil {
		return inbox.FileDialog{}, err
	}
	if f.MessageID == nil || !f.Shown() || f.Kind() != models.KindImage {
		return inbox.FileDialog{}, models.ErrNotFound
	}
	ctx, v := c.Request().Context(), personOf(c).viewer
	d := inbox.FileDialog{File: f, Text: f.Description}
	if d.Message, err = s.store.Message(ctx, *f.MessageID); err != nil {
		return d, err
	}
	row, err := s.store.Conversation(ctx, v, f.ConversationID)
	d.Thread = inbox.Thread{Row: row, Viewer: v, Now: row.Now(s.store.Now())}
	return d, err
}

// showFile shows a picture, large.
func (s *Server) showFile(c echo.Context) error {
	d, err := s.fileDialog(c)
	if err != nil {
		return err
	}
	return s.inboxDialog(c, http.StatusOK, inbox.FileName(c.Request().Context(), d.File), inbox.FileShow(d))
}

// fileDescriptionPage asks what a picture shows.
func (s *Server) fileDescriptionPage(c echo.Context) error {
	d, err := s.fileDialog(c)
	if err != nil {
		return err
	}
	return s.inboxDialog(c, http.StatusOK, text(c, "file.description_title"), inbox.FileDescription(d))
}

// describeFile keeps what a picture shows.
func (s *Server) describeFile(c echo.Context) error {
	d, err := s.fileDialog(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	d.Text = field(c, "description")
	err = s.service.DescribeFile(ctx, personOf(c).viewer, d.File.ID, d.Text)
	var problems models.FieldErrors
	if errors.As(err, &problems) {
		d.Problem = i18n.Field(ctx, problems[0])
		return s.inboxDialog(c, http.StatusUnprocessableEntity, text(c, "file.description_title"), inbox.FileDescription(d))
	}
	if err != nil {
		return err
	}
	return s.doneDialog(c, fmt.Sprintf("/inbox/%d", d.File.ConversationID), "done.file_described")
}

// fetchFile fetches a file again that could not be fetched.
func (s *Server) fetchFile(c echo.Context) error {
	f, err := s.fileOf(c)
	if err != nil {
		return err
	}
	if err := s.service.RetryFile(c.Request().Context(), personOf(c).viewer, f.ID); err != nil {
		return err
	}
	if isPartial(c) {
		return c.NoContent(http.StatusNoContent)
	}
	return s.redirect(c, fmt.Sprintf("/inbox/%d", f.ConversationID))
}

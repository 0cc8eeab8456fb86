package web

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views/inbox"
)

// Limits of what is uploaded, in bytes: the files, and what stands around them.
const (
	uploadLimit = models.MaxFileSize + formLimit
	replyLimit  = models.MaxFilesPerReply*models.MaxFileSize + 2*formLimit
)

// uploadTime is how long an upload may take: 16 MB over a slow line.
const uploadTime = 10 * time.Minute

// uploadField is the field of a form that holds files; fileField names uploads that are here already.
const (
	uploadField = "upload"
	fileField   = "file"
)

// isMultipart tells whether a request brings files.
func isMultipart(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "multipart/form-data"
}

// upload takes in a file for a reply and answers with its place in the composer.
func (s *Server) upload(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	up, err := s.readUploads(c, row)
	switch {
	case err != nil:
		return err
	case up.problem != nil:
		return up.problem
	case len(up.files) == 0:
		return errUnreadable
	case !isPartial(c):
		return s.redirect(c, fmt.Sprintf("/inbox/%d", row.ID))
	}
	return s.part(c, http.StatusCreated, inbox.Uploads(row.ID, up.files))
}

// removeUpload takes back a file that was not sent. Without script the text that was typed comes along, where there is a
// box for it.
func (s *Server) removeUpload(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	id, err := models.ParseID[models.FileID](c.Param("file"))
	if err != nil {
		return err
	}
	if err := s.service.RemoveUpload(c.Request().Context(), personOf(c).viewer, row.ID, id); err != nil {
		return err
	}
	if isPartial(c) {
		return c.NoContent(http.StatusNoContent)
	}
	if body := c.Request().PostFormValue("body"); c.Request().PostForm.Has("body") {
		if err := s.service.SaveDraft(c.Request().Context(), personOf(c).viewer, row.ID, body); err != nil {
			return err
		}
	}
	return s.redirect(c, fmt.Sprintf("/inbox/%d", row.ID))
}

// uploaded is what a form with files brought.
type uploaded struct {
	files   []models.File
	problem error // with the first file that was not taken
}

// readUploads reads a form with files: each goes to its place as it comes, and the fields are kept as those of any form.
// After a problem with a file the rest of the form is still read.
func (s *Server) readUploads(c echo.Context, row models.ConversationRow) (up uploaded, err error) {
	if !isMultipart(c.Request()) {
		return up, nil
	}
	_ = http.NewResponseController(c.Response()).SetReadDeadline(s.store.Now().Add(uploadTime))
	parts, err := c.Request().MultipartReader()
	if err != nil {
		return up, errUnreadable
	}
	form, room := url.Values{}, int64(formLimit)
	for {
		p, err := parts.NextPart()
		if err == io.EOF { //nolint:errorlint // a wrapped one is the end of the line and not of the form
			break
		}
		if err != nil {
			return up, cutShort(err)
		}
		if p.FormName() == uploadField {
			err = s.takeUpload(c, row, p, &up)
		} else {
			err = readField(p, form, &room)
		}
		if err != nil {
			return up, err
		}
	}
	if !readable(form) {
		return up, errUnreadable
	}
	c.Request().PostForm = form
	return up, nil
}

// takeUpload hands one file over. A field without a file is what a browser sends when none was chosen.
func (s *Server) takeUpload(c echo.Context, row models.ConversationRow, p *multipart.Part, up *uploaded) error {
	if p.FileName() == "" || up.problem != nil {
		return nil
	}
	f, err := s.service.Upload(c.Request().Context(), personOf(c).viewer, service.Upload{Conversation: row.ID, Name: p.FileName(), Content: p})
	switch kind := models.KindOf(err); {
	case err == nil:
		up.files = append(up.files, f)
	case kind == models.KindInvalid, kind == models.KindForbidden:
		up.problem = err
	default:
		return cutShort(err)
	}
	return nil
}

// readField reads a field that is no file.
func readField(p *multipart.Part, form url.Values, room *int64) error {
	b, err := io.ReadAll(io.LimitReader(p, *room+1))
	if err != nil {
		return cutShort(err)
	}
	if *room -= int64(len(b)); *room < 0 {
		return errTooLarge
	}
	form.Add(p.FormName(), strings.ReplaceAll(string(b), "\r\n", "\n"))
	return nil
}

// cutShort says why a form could not be read to its end.
func cutShort(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return errTooLarge
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), strings.HasPrefix(err.Error(), "multipart:"):
		return errUnreadable
	}
	return err
}

// fileIDs reads which uploads a reply names.
func fileIDs(c echo.Context) ([]models.FileID, error) {
	var ids []models.FileID
	for _, v := range c.Request().PostForm[fileField] {
		id, err := models.ParseID[models.FileID](v)
		if err != nil {
			return nil, models.FieldErrors{{Field: fileField, Key: "file.unknown"}}
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// readReply reads what an agent has written, and takes in the files that come with it.
func (s *Server) readReply(c echo.Context, row models.ConversationRow) (service.Reply, uploaded, error) {
	up, err := s.readUploads(c, row)
	if err != nil {
		return service.Reply{}, up, err
	}
	in := service.Reply{
		Conversation: row.ID, Key: field(c, "client_key"), Body: strings.TrimRight(c.Request().PostFormValue("body"), " \t\r\n"), Decision: decision(c),
	}
	if in.Files, err = fileIDs(c); err != nil {
		return in, up, err
	}
	for _, f := range up.files {
		in.Files = append(in.Files, f.ID)
	}
	var e *models.Error
	if errors.As(up.problem, &e) {
		return in, up, models.FieldErrors{{Field: uploadField, Key: e.Key, Args: e.Args}}
	}
	return in, up, nil
}

// dropRepeated removes what a second post of the same form has uploaded again.
func (s *Server) dropRepeated(c echo.Context, row models.ConversationRow, up uploaded) {
	for _, f := range up.files {
		err := s.service.RemoveUpload(c.Request().Context(), personOf(c).viewer, row.ID, f.ID)
		if err != nil && !errors.Is(err, service.ErrFileSent) {
			s.log.Warn("an upload was not removed", "id", requestID(c), "file", f.ID, "err", err)
		}
	}
}

// attachments fills in what a composer has to do with files: whether there can be any, and what waits to be sent.
func (s *Server) attachments(c echo.Context, k *inbox.Composer) error {
	err := s.service.MayAttach(k.Row.Conversation)
	switch {
	case errors.Is(err, service.ErrFilesOff):
		return nil
	case errors.Is(err, service.ErrFilesUnreachable):
		k.NoFiles = errorText(c, err)
		return nil
	case err != nil:
		return err
	}
	k.TakesFiles = true
	k.Uploads, err = s.store.Uploads(c.Request().Context(), k.Row.Conversation, personOf(c).viewer.User)
	return err
}

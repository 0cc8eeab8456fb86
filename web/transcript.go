package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/views"
	"kanal/views/i18n"
	"kanal/views/inbox"
)

// transcript reads a conversation part by part. The first part is read at once: what is wrong then is an answer of its own.
func (s *Server) transcript(c echo.Context, row models.ConversationRow) (inbox.Transcript, error) {
	var after float64
	read := func(ctx context.Context) (inbox.TranscriptPart, error) {
		ms, err := s.store.MessagesAfter(ctx, row.Conversation, after)
		if err != nil || len(ms) == 0 {
			return inbox.TranscriptPart{}, err
		}
		after = ms[len(ms)-1].Seq
		ids := make([]models.MessageID, len(ms))
		for i, m := range ms {
			ids[i] = m.ID
		}
		files, err := s.store.FilesOfMessages(ctx, row.AccountID, ids)
		return inbox.TranscriptPart{Messages: ms, Files: files}, err
	}
	first, err := read(c.Request().Context())
	t := inbox.Transcript{Row: row, Now: row.Now(s.store.Now()), Zone: zoneName(i18n.From(c.Request().Context()).Zone, s.store.Now())}
	given := false
	t.Next = func(ctx context.Context) (inbox.TranscriptPart, error) {
		if !given {
			given = true
			return first, nil
		}
		return read(ctx)
	}
	return t, err
}

// transcriptPage shows a conversation as it is printed.
func (s *Server) transcriptPage(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	t, err := s.transcript(c, row)
	if err != nil {
		return err
	}
	p := s.inboxFrame(c, threadTitle(row))
	s.startFile(c, "text/html; charset=utf-8")
	return s.endFile(c, views.Layout(p, inbox.TranscriptView(t)).Render(c.Request().Context(), c.Response()))
}

// transcriptFile gives a conversation as a file of text, and notes that it was taken away.
func (s *Server) transcriptFile(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	t, err := s.transcript(c, row)
	if err != nil {
		return err
	}
	if err := s.service.NoteTranscript(c.Request().Context(), personOf(c).viewer, row.ID); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%d.txt", text(c, "transcript.filename"), row.ID)
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	s.startFile(c, "text/plain; charset=utf-8")
	return s.endFile(c, t.Text(c.Request().Context(), c.Response()))
}

// startFile begins an answer that is written as it is read.
func (s *Server) startFile(c echo.Context, kind string) {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, kind)
	h.Set("Cache-Control", "no-store")
	c.Response().WriteHeader(http.StatusOK)
}

// endFile cuts the connection when the answer could not be written whole: it must not look complete.
func (s *Server) endFile(c echo.Context, err error) error {
	if err == nil {
		return nil
	}
	if c.Request().Context().Err() == nil {
		s.log.Error("a transcript was cut short", "id", requestID(c), "err", err)
	}
	panic(http.ErrAbortHandler)
}
